// SPDX-License-Identifier: Apache-2.0

import CDocuments

/// `/docs` and `/openapi.json`: files of `Sources/CShims/CDocuments/documents`, and `docs/errors.md`, which the program carries in itself. The page loads nothing
/// from another host.
enum Documents {
    private static let all: [String: [UInt8]] = {
        var found: [String: [UInt8]] = [:]
        var place = 0
        while let document = cdocument_at(place) {
            let bytes = UnsafeBufferPointer(start: document.pointee.bytes, count: document.pointee.count)
            found[String(cString: document.pointee.name)] = Array(bytes)
            place += 1
        }
        return found
    }()

    /// - Returns: `nil` where there is none of that name.
    static func named(_ name: String) -> [UInt8]? { all[name] }

    /// The OpenAPI 3.1 description. `OpenAPITests` holds it against the routes and their answers.
    static func description(of version: String) -> [UInt8] {
        let text = String(decoding: all["openapi.json"] ?? [], as: UTF8.self)
        guard let place = text.firstRange(of: "@VERSION@") else { return Array(text.utf8) }
        return Array(text.replacingCharacters(in: place, with: version).utf8)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + self[range.upperBound...]
    }
}
