// SPDX-License-Identifier: Apache-2.0

/// What a server reports while it runs, from any of its threads.
package enum HTTPServerEvent: Sendable {
    /// A request ended.
    case finished(HTTPExchangeRecord)
    /// A body source threw or ended early, so the client got a short body.
    case bodyFailed(reason: String)
    /// A connection was closed at once: its client has as many as one may have.
    case refused(remoteAddress: String)
    /// At the start: there is room for fewer connections than there should be.
    case fewerPlaces(Int, descriptors: Int)
    /// A diagnostic of libmicrohttpd, mostly about what a client did.
    case note(String)
}

/// One request and how it ended, for a log line. `target` is what the client sent: escape it.
package struct HTTPExchangeRecord: Sendable {
    package enum Outcome: Sendable {
        /// The response went out whole.
        case completed
        /// The client left, broke the protocol, or a body source failed.
        case aborted
        /// The client was too slow.
        case timedOut
        /// The server stopped meanwhile.
        case stopped
    }

    /// Empty where the request never had a valid head.
    package let method: String
    package let target: String
    /// `nil` where the handler did not answer.
    package let status: Int?
    package let remoteAddress: String
    /// From the request line to the end of the response.
    package let seconds: Double
    package let outcome: Outcome
}
