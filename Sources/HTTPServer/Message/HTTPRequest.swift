// SPDX-License-Identifier: Apache-2.0

/// A request, received whole.
package struct HTTPRequest: Sendable {
    /// As sent; methods are case-sensitive (RFC 9110 §9.1).
    package let method: String
    /// The path and query asked for.
    package let target: RequestTarget
    package let headers: HTTPHeaders
    /// The content, chunks joined. Empty while a request is being rejected.
    package internal(set) var body: [UInt8]
    /// The peer's numeric address without the port; an IPv4 peer on a dual-stack socket reads as IPv4.
    package let remoteAddress: String
    /// `HTTP/1.1` or `HTTP/1.0`.
    package let version: String
    /// Whether the client has closed the connection, or its side of it: who does that before an answer waits for none. Asked of the
    /// kernel each time.
    package let isAbandoned: @Sendable () -> Bool

    package init(
        method: String, target: RequestTarget, headers: HTTPHeaders = [:], body: [UInt8] = [],
        remoteAddress: String = "127.0.0.1", version: String = "HTTP/1.1",
        isAbandoned: @escaping @Sendable () -> Bool = { false }
    ) {
        self.isAbandoned = isAbandoned
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.version = version
    }

    /// The path as sent, percent-encoded.
    package var rawPath: String { target.rawPath }
    /// The path's segments, decoded one by one.
    package var pathSegments: [PathSegment] { target.segments }
    package var query: HTTPQuery { target.query }
}
