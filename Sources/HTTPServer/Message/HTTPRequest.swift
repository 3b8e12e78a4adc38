// SPDX-License-Identifier: Apache-2.0

/// A request, received whole.
public struct HTTPRequest: Sendable {
    /// As sent; methods are case-sensitive (RFC 9110 §9.1).
    public let method: String
    /// The path and query asked for.
    public let target: RequestTarget
    public let headers: HTTPHeaders
    /// The content, chunks joined. Empty while a request is being rejected.
    public internal(set) var body: [UInt8]
    /// The peer's numeric address without the port; an IPv4 peer on a dual-stack socket reads as IPv4.
    public let remoteAddress: String
    /// `HTTP/1.1` or `HTTP/1.0`.
    public let version: String
    /// Whether the client has closed the connection, or its side of it: who does that before an answer waits for none. Asked of the
    /// kernel each time.
    public let isAbandoned: @Sendable () -> Bool

    public init(
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
    public var rawPath: String { target.rawPath }
    /// The path's segments, decoded one by one.
    public var pathSegments: [PathSegment] { target.segments }
    public var query: HTTPQuery { target.query }
}
