// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Materialized views are filled by their owners, with what policies let those see (PostgreSQL manual, REFRESH MATERIALIZED VIEW). Whatever
/// a client has put into a function is run there: not as this role, not for ever, and what it ends with is no fault of the server's.
extension RestoreAfterwards {
    mutating func fillAll(_ entries: [DumpEntry]) throws {
        let began = MonotonicTime.nanoseconds()
        // A session of its own: the client's function can end it, and may have to be ended with it.
        var filling: Connection?
        defer { filling?.close() }
        for entry in entries {
            let left = fillingTime - MonotonicTime.seconds(since: began)
            var reason: PostgresError?
            if notMade.isDisjoint(with: entry.needs), withheld.isDisjoint(with: entry.needs), left > 0 {
                do {
                    let session = try filling ?? newSession()
                    filling = session
                    try fill(entry, on: session, within: left)
                    continue
                } catch let error as PostgresError {
                    // What a transaction that failed has left goes with its session. What is wrong with the server itself shows in ours.
                    reason = error
                    filling?.close()
                    filling = nil
                }
            } else if entry.isOfAnother {
                notMade.insert(entry.id)
                continue
            }
            refused.append(entry.object.because(reason?.refusal))
            notMade.insert(entry.id)
        }
    }

    private func newSession() throws -> Connection {
        let other = try Connection(session.settings)
        try other.liftTimeouts()
        return other
    }

    /// - Throws: `PostgresError`, whatever it ended with, also that the session was lost; `CancelledError`.
    private func fill(_ entry: DumpEntry, on filling: Connection, within seconds: Double) throws {
        try filling.begin(for: list.contents)
        // Asked of the server: behind a pooler the handshake names another process.
        let process = try filling.rows("select pg_catalog.pg_backend_pid() as pid").first?.int("pid")
        try filling.execute("set local row_security = on")
        try filling.execute("set local statement_timeout = \(literal: "\(max(1, Int(seconds * 1000)))")")
        try filling.run(
            entry.statementsButOwner, of: process ?? Int(filling.backendPID), within: seconds + Self.grace,
            cancellation)
        try filling.execute("commit")
    }

    /// Seconds in which the server's own limit should have ended it: a function may take a cancellation for any other error and go on.
    private static let grace = 2.0
}

extension Connection {
    /// Runs what may let itself not be cancelled. Past its time the server process is ended by another session, which no function can take for an
    /// error of its own; where not even that helps, the session is closed and nobody waits for it.
    /// - Throws: `PostgresError`; `connectionLost` past its time. `CancelledError`.
    fileprivate func run(
        _ script: [UInt8], of process: Int, within seconds: Double, _ cancellation: Cancellation
    ) throws {
        try cancellation.check()
        try send(script: script)
        let began = MonotonicTime.nanoseconds()
        while try !isAnswered(within: 0.2) {
            let isLate = MonotonicTime.seconds(since: began) >= seconds
            guard isLate || cancellation.isCancelled else { continue }
            endProcess(process)
            close()
            try cancellation.check()
            throw PostgresError.connectionLost(reason: "not filled within \(Int(seconds)) s, and ended")
        }
        _ = try takeAnswer()
    }

    private func endProcess(_ process: Int) {
        // Where there is no place for another session closing this one is all that is left.
        guard let other = try? Connection(settings) else { return requestCancel() }
        defer { other.close() }
        // As whom the server lets us work may be another role than that of the process.
        try? other.execute("set role none")
        try? other.execute("select pg_catalog.pg_terminate_backend(\(number: process))")
        _ = try? isAnswered(within: min(30, 2 * settings.patience))
        // It answers before it is gone, and nobody may be in the database when it is renamed.
        let began = MonotonicTime.nanoseconds()
        while MonotonicTime.seconds(since: began) < 10,
            (try? other.rows("select from pg_catalog.pg_stat_activity where pid = \(number: process)").isEmpty) == false
        { _ = try? other.execute("select pg_catalog.pg_sleep(0.1)") }
    }
}
