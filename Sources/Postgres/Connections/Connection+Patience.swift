// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Waiting for other sessions has an end. CREATE, DROP and ALTER DATABASE wait for locks, DROP DATABASE for every process
/// of the server to react (ProcSignalBarrier): one that stands still would hold us for ever. The server's own limits do not
/// help where it is our own server process that stands still, and statement_timeout would cut work as well as waiting.
extension Connection {
    /// From now on no statement of this session waits longer for others than `settings.patience`.
    func becomePatient() throws(PostgresError) {
        // Asked of the server: behind a pooler the handshake names another process.
        watchedProcess = try rows("select pg_catalog.pg_backend_pid() as pid").first?.int("pid")
        try execute("set client_min_messages = log")
    }

    /// As `execute`, for a statement that may take minutes although it waits for nobody: a database made or removed.
    func executeLong(_ sql: SQL) throws(PostgresError) {
        guard watchedProcess != nil else { return try execute(sql) }
        try send(sql)
        _ = try patientAnswer(isLong: true)
    }

    /// The answer to what was sent, waited for as long as the server works on it.
    /// - Throws: `PostgresError.processStuck` with whom it waited for, after the statement was cancelled.
    func patientAnswer(isLong: Bool) throws(PostgresError) -> [Row] {
        notices.forget()
        if try isAnswered(within: Self.unwatchedSeconds) { return try takeAnswer() }
        let start = MonotonicTime.nanoseconds()
        let limit = settings.patience * (isLong ? Self.longFactor : 1)
        var watch = Watch(settings, watchedProcess ?? Int(backendPID))
        defer { watch.close() }
        var waiting: UInt64?
        while true {
            switch watch.look(notices) {
            case .waits(let others):
                waiting = waiting ?? MonotonicTime.nanoseconds()
                let seconds = MonotonicTime.seconds(since: waiting ?? start)
                if seconds >= settings.patience + (others.isEmpty ? Self.noticeSeconds : 0) {
                    return try giveUp(because: watch.lines(others))
                }
            case .works:
                waiting = nil
                if MonotonicTime.seconds(since: start) >= limit {
                    return try giveUp(because: watch.lines([watch.pid]))
                }
            case .unseen:
                if MonotonicTime.seconds(since: start) >= limit { return try giveUp(because: []) }
            }
            if try isAnswered(within: 0.5) { return try takeAnswer() }
        }
    }

    /// Cancels the statement. One that ended well in that moment has ended well.
    private func giveUp(because others: [String]) throws(PostgresError) -> [Row] {
        let seconds = Int(settings.patience)
        guard try cancelStatement() else { throw .processStuck(seconds: seconds, processes: others) }
        do throws(PostgresError) { return try takeAnswer() } catch {
            if case .query("57014", _) = error { throw .processStuck(seconds: seconds, processes: others) }
            throw error
        }
    }

    /// Nearly every statement is answered within this.
    private static let unwatchedSeconds = 1.0
    /// The server names whom its barrier waits for every five seconds.
    private static let noticeSeconds = 6.0
    /// Copying and removing a database's files takes its time, with a checkpoint before it.
    private static let longFactor = 15.0
}
