// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension ExportedSnapshot {
    /// Runs `body`, which may last for hours, and ends it where somebody waits for a table that this snapshot keeps: behind
    /// a migration that waits for us all of MLflow waits, too.
    /// - Parameter body: is to end when the cancellation that it is given is set.
    /// - Throws: `tablesInUse` with who waited, once `body` was ended for that; `CancelledError`; what `body` throws.
    package func givingWay<Result>(
        cancellation: Cancellation, _ body: (Cancellation) throws -> Result
    ) throws -> Result {
        let inner = Cancellation(within: cancellation)
        let watch = Monitor(WaitersWatch.State())
        let thread = try WorkerThread("dump-watch") { [settings, processID] in
            WaitersWatch(settings, holder: processID).run(watch, telling: inner)
        }
        defer {
            watch.withLock { $0.isOver = true }
            thread.join()
        }
        do { return try body(inner) } catch is CancelledError {
            try cancellation.check()
            let waiters = watch.withLock { $0.waiters }
            throw PostgresError.tablesInUse(seconds: Int(WaitersWatch.seconds), holders: waiters)
        }
    }
}

/// Looks who waits for what a session holds.
private struct WaitersWatch {
    struct State {
        /// The work that is watched has ended.
        var isOver = false
        /// Who waited too long, each as one line.
        var waiters: [String] = []
    }

    /// How long somebody may have to wait.
    static let seconds = 3.0

    private let settings: ConnectionSettings
    private let holder: Int

    init(_ settings: ConnectionSettings, holder: Int) {
        self.settings = settings
        self.holder = holder
    }

    func run(_ state: Monitor<State>, telling inner: Cancellation) {
        var session: Connection?
        defer { session?.close() }
        var since: [Int: UInt64] = [:]
        while !inner.isCancelled, state.wait(atMost: 0.5, until: { $0.isOver ? true : nil }) == nil {
            // Where the server has no place for a second session nobody is seen waiting.
            if session?.isOpen != true { session = try? Connection(settings, applicationName: "mlflow-backup watch") }
            guard let session, let seen = try? waiters(session) else { continue }
            let now = MonotonicTime.nanoseconds()
            since = Dictionary(seen.map { ($0.pid, since[$0.pid] ?? now) }) { first, _ in first }
            let late = seen.filter { MonotonicTime.seconds(since: since[$0.pid] ?? now) >= Self.seconds }
            if late.isEmpty { continue }
            state.withLock { $0.waiters = late.map(\.line) }
            return inner.cancel()
        }
    }

    private func waiters(_ session: Connection) throws(PostgresError) -> [(pid: Int, line: String)] {
        var found: [(pid: Int, line: String)] = []
        try session.send(
            """
            select \(SessionText.columns) from pg_catalog.pg_stat_activity a
            where a.pid in (select l.pid from pg_catalog.pg_locks l where l.locktype = 'relation' and not l.granted)
              and \(holder) = any(pg_catalog.pg_blocking_pids(a.pid))
            """)
        // What stands still must not keep the dump from ending.
        guard try session.isAnswered(within: 5) else {
            session.close()
            return []
        }
        let rows = try session.takeAnswer()
        for row in rows { found.append((try row.int("pid"), try SessionText.line(row))) }
        return found
    }
}
