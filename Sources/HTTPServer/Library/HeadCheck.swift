// SPDX-License-Identifier: Apache-2.0

/// The rules of RFC 9112 that libmicrohttpd 0.9.75 leaves to its user. All are about requests that two parsers could
/// read as different requests, which matters as soon as a proxy stands in front.
enum HeadCheck {
    static func rejection(_ exchange: Exchange, versionAddress: UInt, limit: Int) -> HTTPRejection? {
        guard let target = exchange.target else { return .malformed(.target) }
        // The target stands one space behind the method, and the version one behind the target. Farther away means that a NUL hid something.
        guard exchange.targetAddress == exchange.methodEnd + 1,
            versionAddress == exchange.targetAddress + UInt(exchange.targetBytes.count) + 1
        else {
            return .malformed(.requestLine)
        }
        guard exchange.method.utf8.count <= longestMethod else { return .methodTooLong }
        guard ASCII.isToken(exchange.method.utf8) else { return .malformed(.method) }
        guard target.rawPath != "*" || exchange.method == "OPTIONS" else {
            return .malformed(.asterisk)
        }
        guard exchange.hasPlainLines else {
            return .malformed(.lines)
        }
        let headers = exchange.headers
        guard headers.fields.allSatisfy({ ASCII.isToken($0.name.utf8) }) else {
            return .malformed(.fieldName)
        }
        // RFC 9110 §5.5. What a proxy before us reads as the end of a line must not be part of a value here.
        guard headers.fields.allSatisfy({ $0.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } }) else {
            return .malformed(.fieldValue)
        }
        let hosts = headers.values("Host")
        guard hosts.count == 1 || (hosts.isEmpty && exchange.version == "HTTP/1.0") else {
            return .malformed(.host)
        }
        // RFC 9112 §3.2.2 lets the target win; who sends two different names wants two readers to differ.
        if let authority = target.authority, !ASCII.equalIgnoringCase(authority, hosts.first ?? authority) {
            return .misdirected(authority: authority)
        }
        return framing(headers, version: exchange.version, limit: limit)
    }

    /// In bytes. The longest of IANA's registry has seventeen.
    private static let longestMethod = 32

    /// RFC 9112 §6: how long the content is must be beyond doubt. Chunks are not read (§6.1 leaves that to the server): no call needs them, and
    /// libmicrohttpd takes a bare LF for the end of a chunk's line, as a proxy before us does not.
    private static func framing(_ headers: HTTPHeaders, version: String, limit: Int) -> HTTPRejection? {
        let codings = headers.values("Transfer-Encoding")
        let lengths = headers.values("Content-Length")
        if !codings.isEmpty {
            guard lengths.isEmpty, version != "HTTP/1.0" else {
                return .malformed(.framing)
            }
            return codings.count == 1 && ASCII.equalIgnoringCase(codings[0], "chunked")
                ? .lengthRequired : .unsupportedTransferCoding
        }
        guard let length = lengths.first else { return nil }
        guard lengths.count == 1, let bytes = UInt64(length), length.utf8.allSatisfy(ASCII.isDigit) else {
            return .malformed(.contentLength)
        }
        return bytes > UInt64(limit) ? .bodyTooLarge(limit: limit) : nil
    }
}
