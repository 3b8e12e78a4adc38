// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// How fast a client takes in what it is sent: what its kernel has acknowledged, looked at a few times a second.
struct SendingPace {
    private struct Mark {
        let acknowledged: UInt64
        let at: UInt64
    }

    /// Seconds after which what was before counts no more.
    private static let span = 5.0
    /// Seconds before which nothing is said: the first round trips carry little.
    private static let least = 1.0

    private let connection: ObjectIdentifier
    private var acknowledged: UInt64
    /// Since when nothing was acknowledged, as nanoseconds of `MonotonicTime`.
    private(set) var unchangedSince: UInt64
    private var older: Mark
    private var newer: Mark

    init(of connection: ClientConnection, acknowledged: UInt64, at now: UInt64) {
        self.connection = ObjectIdentifier(connection)
        self.acknowledged = acknowledged
        unchangedSince = now
        older = Mark(acknowledged: acknowledged, at: now)
        newer = older
    }

    func isOf(_ connection: ClientConnection) -> Bool { self.connection == ObjectIdentifier(connection) }

    mutating func note(_ acknowledged: UInt64, at now: UInt64) {
        if acknowledged != self.acknowledged { (self.acknowledged, unchangedSince) = (acknowledged, now) }
        guard Self.seconds(from: newer.at, to: now) >= Self.span else { return }
        (older, newer) = (newer, Mark(acknowledged: acknowledged, at: now))
    }

    /// Bytes a second over the last five to ten; infinite where it is too early to say.
    func rate(at now: UInt64) -> Double {
        let seconds = Self.seconds(from: older.at, to: now)
        guard seconds >= Self.least else { return .infinity }
        return Double(acknowledged &- older.acknowledged) / seconds
    }

    private static func seconds(from start: UInt64, to now: UInt64) -> Double {
        now > start ? Double(now - start) / 1e9 : 0
    }
}
