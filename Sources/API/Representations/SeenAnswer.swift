// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import HTTPServer
import SystemIO
import Wording

/// The bytes of an answer that many ask for: made once for each look and language, and sent to all.
final class SeenAnswer: Sendable {
    private struct Made {
        let key: UInt64
        let response: HTTPResponse
    }

    private let made: Monitor<[Language: Made]> = Monitor([:])

    /// - Parameters:
    ///   - key: of what the answer is made from; another one where that is another.
    ///   - make: called by one thread at a time, while those that ask for the same wait.
    func response(
        _ key: UInt64, _ language: Language = .english, make: () throws -> HTTPResponse
    ) rethrows -> HTTPResponse {
        if let known = made.read({ $0[language] }), known.key == key { return known.response }
        return try made.withLock { made in
            if let known = made[language], known.key == key { return known.response }
            var response = try make()
            // Whoever reads slowly keeps what he was given: as long as nothing changed it is the same for all.
            if let known = made[language]?.response, known.isSame(as: response) {
                response = known
            } else {
                response = response.shared
            }
            made[language] = Made(key: key, response: response)
            return response
        }
    }
}

extension HTTPResponse {
    fileprivate func isSame(as other: HTTPResponse) -> Bool {
        guard case .shared(let old) = body, case .bytes(let new) = other.body, status == other.status else {
            return false
        }
        return headers.fields == other.headers.fields && old.holds(new)
    }

    /// The same with bytes that many answers share.
    fileprivate var shared: HTTPResponse {
        guard case .bytes(let bytes) = body else { return self }
        return HTTPResponse(status: status, headers: headers, body: .shared(SharedBytes(bytes)))
    }

    /// With a tag by which a client that has these bytes needs them not again.
    func tagged() -> HTTPResponse {
        guard case .bytes(let bytes) = body else { return self }
        guard let tag = EntityTag(bytes.withUnsafeBytes { SHA256.digest(of: $0) }.hex) else { return self }
        var response = self
        response.headers.set("ETag", tag.description)
        return response
    }
}
