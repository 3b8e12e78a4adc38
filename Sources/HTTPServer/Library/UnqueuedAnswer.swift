// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// An answer past libmicrohttpd, which has no memory left for its head. Nothing of its own is on its way then: it answers one request after the other.
enum UnqueuedAnswer {
    /// As far as the kernel takes it without a wait. The connection has to end after it.
    /// - Parameter isOfHead: whether the method is HEAD, whose answer has no content (RFC 9110 section 9.3.2). Of a target that has too many
    ///   arguments the method is not known yet.
    static func send(_ response: HTTPResponse, toHead isOfHead: Bool, to socket: Int32) {
        guard case .bytes(let body) = response.body, socket >= 0 else { return }
        let fields = response.headers.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        let head =
            "HTTP/1.1 \(response.status) Request refused\r\nDate: \(date())\r\n\(fields)Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        let bytes = Array(head.utf8) + (isOfHead ? [] : body)
        _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }

    /// IMF-fixdate (RFC 9110 section 5.6.7).
    private static func date() -> String {
        var (now, parts) = (time(nil), tm())
        gmtime_r(&now, &parts)
        return parts.formatted("%a, %d %b %Y %H:%M:%S GMT")
    }
}
