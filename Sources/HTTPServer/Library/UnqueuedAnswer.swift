// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An answer past libmicrohttpd, which has no memory left for its head. Nothing of its own is on its way then: it answers one request after the other.
enum UnqueuedAnswer {
    /// As far as the kernel takes it without a wait. The connection has to end after it.
    static func send(_ response: HTTPResponse, to socket: Int32) {
        guard case .bytes(let body) = response.body, socket >= 0 else { return }
        let fields = response.headers.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        let head =
            "HTTP/1.1 \(response.status) Request refused\r\n\(fields)Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        let bytes = Array(head.utf8) + body
        _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }
}
