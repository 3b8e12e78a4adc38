// SPDX-License-Identifier: Apache-2.0

/// The rules of RFC 9112 that libmicrohttpd 0.9.75 leaves to its user. All are about requests that two parsers could
/// read as different requests, which matters as soon as a proxy stands in front.
enum HeadCheck {
    static func rejection(_ exchange: Exchange, versionAddress: UInt, limit: Int) -> HTTPRejection? {
        guard let target = exchange.target else { return .malformed(reason: "the request target is malformed") }
        // The version stands one space behind the target. Farther away means a NUL hid the rest of the target.
        guard versionAddress == exchange.targetAddress + UInt(exchange.targetBytes.count) + 1 else {
            return .malformed(reason: "the request line holds a NUL or stray spaces")
        }
        guard ASCII.isToken(exchange.method.utf8) else { return .malformed(reason: "the method is malformed") }
        guard target.rawPath != "*" || exchange.method == "OPTIONS" else {
            return .malformed(reason: "the target * goes with OPTIONS only")
        }
        let headers = exchange.headers
        guard headers.fields.allSatisfy({ ASCII.isToken($0.name.utf8) }) else {
            return .malformed(reason: "a header name is malformed")
        }
        let hosts = headers.values("Host").count
        guard hosts == 1 || (hosts == 0 && exchange.version == "HTTP/1.0") else {
            return .malformed(reason: "a request has one Host header")
        }
        return framing(headers, version: exchange.version, limit: limit)
    }

    /// RFC 9112 §6: how long the content is must be beyond doubt.
    private static func framing(_ headers: HTTPHeaders, version: String, limit: Int) -> HTTPRejection? {
        let codings = headers.values("Transfer-Encoding")
        let lengths = headers.values("Content-Length")
        if !codings.isEmpty {
            guard lengths.isEmpty, version != "HTTP/1.0" else {
                return .malformed(reason: "Transfer-Encoding excludes Content-Length and HTTP/1.0")
            }
            return codings.count == 1 && ASCII.equalIgnoringCase(codings[0], "chunked")
                ? nil : .unsupportedTransferCoding
        }
        guard let length = lengths.first else { return nil }
        guard lengths.count == 1, let bytes = UInt64(length), length.utf8.allSatisfy(ASCII.isDigit) else {
            return .malformed(reason: "Content-Length is one number")
        }
        return bytes > UInt64(limit) ? .bodyTooLarge(limit: limit) : nil
    }
}
