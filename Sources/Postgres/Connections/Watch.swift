// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A second session that looks at what a first one waits for.
///
/// Where it cannot be opened (no place is left on the server) or is lost, nothing is seen, and it is tried again later:
/// that must not be what the first one's statement fails of.
struct Watch {
    enum Sight {
        /// At its statement, and waits for nobody: that it reads, writes or computes is no waiting.
        case works
        /// It has not taken up the statement that it was sent.
        case isElsewhere
        /// For these processes; empty where that is not known (yet).
        case waits(Set<Int>)
        /// Nobody could look.
        case unseen
    }

    let pid: Int
    private let settings: ConnectionSettings
    private var session: Connection?
    private var triedAt: UInt64?

    init(_ settings: ConnectionSettings, _ pid: Int) {
        self.settings = settings
        self.pid = pid
    }

    mutating func close() {
        session?.close()
        session = nil
    }

    /// - Parameter notices: what the first session was told.
    mutating func look(_ notices: ServerNotices) -> Sight {
        guard let session = opened() else { return .unseen }
        do throws(PostgresError) { return try Self.look(at: pid, by: session, notices) } catch {
            close()
            return .unseen
        }
    }

    private mutating func opened() -> Connection? {
        if let session { return session }
        if let triedAt, MonotonicTime.seconds(since: triedAt) < Self.secondsBetweenTries { return nil }
        session = try? Connection(settings, applicationName: "mlflow-backup watch")
        triedAt = MonotonicTime.nanoseconds()
        return session
    }

    private static func look(
        at pid: Int, by session: Connection, _ notices: ServerNotices
    ) throws(PostgresError) -> Sight {
        let rows = try session.rows(
            """
            select coalesce(wait_event_type, '') as kind, coalesce(wait_event, '') as event,
                   coalesce(state, '') as state,
                   array_to_string(pg_catalog.pg_blocking_pids(pid), ' ') as blocking
            from pg_catalog.pg_stat_activity where pid = \(pid)
            """)
        guard let row = rows.first else { return .isElsewhere }
        let (state, event) = (try row.string("state"), try row.string("event"))
        if event == "ProcSignalBarrier" { return .waits(notices.processesWaitedFor) }
        if try row.string("kind") == "Lock" {
            return .waits(Set(try row.string("blocking").split(separator: " ").compactMap { Int($0) }))
        }
        // Idle, though we have sent a statement: it stands still, or nothing reaches it. By its wait alone where the server
        // keeps no states (track_activities).
        return state.hasPrefix("idle") || event == "ClientRead" ? .isElsewhere : .works
    }

    /// These processes, each as one line for a person; by their numbers alone where nobody can look any more.
    func lines(_ pids: Set<Int>) -> [String] {
        let lines = (try? session?.sessions(pids)) ?? []
        return lines.isEmpty ? pids.sorted().map { "pid \($0)" } : lines
    }

    /// A handshake may take its five seconds, and meanwhile nobody asks for the answer.
    private static let secondsBetweenTries = 5.0
}
