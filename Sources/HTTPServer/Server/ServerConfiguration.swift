// SPDX-License-Identifier: Apache-2.0

/// Where a server listens, and its bounds.
public struct ServerConfiguration: Sendable {
    /// A numeric address (`127.0.0.1`, `0.0.0.0`, `::1`, `::`) or a host name; the first address of a name is taken.
    public var address = "127.0.0.1"
    /// 0 lets the kernel choose; `HTTPServer.port` tells.
    public var port: UInt16 = 0
    /// The largest request content kept, in bytes; more is answered with 413.
    public var maximumBodyBytes = 1 << 20
    /// A client that sends more content than this after all, in bytes, is cut off without an answer.
    public var maximumDiscardedBytes = 16 << 20
    /// Connections served at once, a thread each. Others wait in the kernel's queue until one ends.
    public var maximumConnections = 64
    /// Seconds a connection may take to send its first or next request line, and seconds without progress while a
    /// response is sent.
    public var idleTimeoutSeconds = 30
    /// Seconds from the request line to the end of the content, however steadily the bytes drip.
    public var receiveTimeoutSeconds = 60
    /// Bytes for a connection's request head and buffers; a larger head gets 431 or 414.
    public var perConnectionMemory = 64 << 10
    /// Bytes of stack for each thread that runs a handler.
    public var threadStackBytes = 1 << 20

    public init(address: String = "127.0.0.1", port: UInt16 = 0) {
        self.address = address
        self.port = port
    }
}
