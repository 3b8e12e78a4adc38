// SPDX-License-Identifier: Apache-2.0

/// How long a store is waited for. All in seconds.
package struct RequestPatience: Sendable, Equatable {
    /// For a connection.
    package var connecting: Double
    /// Without a byte, in either direction, before a try is given up.
    package var stall: Double
    /// From the first failure of an object's request to giving it up; each piece that comes begins it anew.
    package var retrying: Double
    /// The same while the store has answered nothing at all: settings are wrong then more often than a store is busy.
    package var firstContact: Double
    /// Before the second try. Each one after doubles it.
    package var pause: Double
    package var longestPause: Double

    package init(
        connecting: Double = 15, stall: Double = 60, retrying: Double = 300, firstContact: Double = 10,
        pause: Double = 0.25, longestPause: Double = 20
    ) {
        (self.connecting, self.stall, self.retrying) = (connecting, stall, retrying)
        (self.firstContact, self.pause, self.longestPause) = (firstContact, pause, longestPause)
    }
}
