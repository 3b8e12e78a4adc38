// SPDX-License-Identifier: Apache-2.0

/// Where a server listens, and its bounds.
public struct ServerConfiguration: Sendable {
    /// A numeric address (`127.0.0.1`, `0.0.0.0`, `::1`, `::`) or a host name; the first address of a name is taken.
    public var address = "127.0.0.1"
    /// 0 lets the kernel choose; `HTTPServer.port` tells.
    public var port: UInt16 = 0
    /// The largest request content kept, in bytes; more is answered with 413.
    public var maximumBodyBytes = 64 << 10
    /// A client that sends more content than this after all, in bytes, is cut off without an answer.
    public var maximumDiscardedBytes = 16 << 20
    /// Connections served at once, a thread each. Others wait in the kernel's queue until one ends.
    public var maximumConnections = 1024
    /// Connections at once of one address (of one /64 of IPv6), those of this machine not counted.
    public var maximumConnectionsOfClient = 256
    public var deadlines = Deadlines()
    /// Bytes for a connection's request head and buffers; a larger head gets 431 or 414.
    public var perConnectionMemory = 16 << 10
    /// Bytes of stack for each thread that runs a handler.
    public var threadStackBytes = 1 << 20

    /// How long a connection may take for each thing, in seconds, however steadily its bytes drip.
    public struct Deadlines: Sendable {
        /// From its beginning to the first request line.
        public var firstRequest = 10.0
        /// Between two requests.
        public var nextRequest = 30.0
        /// In place of these two while more than nine of ten places are taken.
        public var crowded = 1.0
        /// From a request line to the end of the head.
        public var head = 10.0
        /// From the head to the end of the content.
        public var content = 30.0
        /// While a response is sent, without one byte that the client acknowledges.
        public var stalledSending = 30.0
        /// While a response is sent and its source gives nothing: a disk that sleeps, or a file that became shorter, for which one thread
        /// spins until then.
        public var silentSource = 120.0

        public init() {}
    }

    public init(address: String = "127.0.0.1", port: UInt16 = 0) {
        self.address = address
        self.port = port
    }
}
