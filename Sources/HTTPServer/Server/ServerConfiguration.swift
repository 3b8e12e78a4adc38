// SPDX-License-Identifier: Apache-2.0

/// Where a server listens, and its bounds.
package struct ServerConfiguration: Sendable {
    /// A numeric address (`127.0.0.1`, `0.0.0.0`, `::1`, `::`) or a host name; the first address of a name is taken.
    package var address = "127.0.0.1"
    /// 0 lets the kernel choose; `HTTPServer.port` tells.
    package var port: UInt16 = 0
    /// The largest request content kept, in bytes; more is answered with 413.
    package var maximumBodyBytes = 64 << 10
    /// The same of all requests together, in bytes; more is answered with 503.
    package var maximumContentBytes = 4 << 20
    /// Bytes that are read and dropped of a client that goes on sending when it was refused.
    package var maximumDiscardedBytes = 16 << 20
    /// Connections served at once, a thread each. Others wait in the kernel's queue until one ends.
    package var maximumConnections = 1024
    /// Connections at once of one address (of one /64 of IPv6), those of this machine not counted.
    package var maximumConnectionsOfClient = 256
    /// Files sent at once, each of which keeps a thread and a disk busy, and requests that wait for one of them to end.
    package var maximumFiles = 64
    /// After so many answers a connection ends, so that nobody queues a place's work for hours at once.
    package var answersOfConnection = 100
    package var deadlines = Deadlines()
    /// Bytes for a connection's heads and buffers. A request whose head leaves no room for an answer's (`HeadRoom`) gets 431, or 414.
    package var perConnectionMemory = 16 << 10
    /// Bytes of stack for each thread that runs a handler.
    package var threadStackBytes = 1 << 20

    /// How long a connection may take for each thing, in seconds, however steadily its bytes drip.
    package struct Deadlines: Sendable {
        /// From its beginning to the first request line.
        package var firstRequest = 10.0
        /// Between two requests.
        package var nextRequest = 30.0
        /// In place of these two while more than nine of ten places are taken.
        package var crowded = 1.0
        /// For a place among the files; 503 then.
        package var filePlace = 2.0
        /// Bytes a second that whoever is being sent something takes in at least, while so many places are taken (in all, of his address, or for
        /// files). A link that is slower than a modem's of old is waited for only while there is room.
        package var leastRate = 16_384.0
        /// From a request line to the end of the head.
        package var head = 10.0
        /// From the head to the end of the content.
        package var content = 30.0
        /// While a response is sent, without one byte that the client acknowledges.
        package var stalledSending = 30.0
        /// While a response is sent and its source gives nothing: a disk that sleeps.
        package var silentSource = 120.0

        package init() {}
    }

    /// The same with no more connections, and files, than a process of so many descriptors can have: one each, and some for all else that it does.
    func fitting(descriptors: Int) -> ServerConfiguration {
        var fitting = self
        let places = max(descriptors - Self.otherDescriptors - 2 * min(maximumFiles, descriptors / 8), 8)
        fitting.maximumConnections = min(maximumConnections, places)
        fitting.maximumFiles = min(maximumFiles, max(places / 8, 1))
        return fitting
    }

    /// Databases, archives, children, locks, the log.
    private static let otherDescriptors = 64

    package init(address: String = "127.0.0.1", port: UInt16 = 0) {
        self.address = address
        self.port = port
    }
}
