// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Waiting for other sessions has an end. CREATE, DROP and ALTER DATABASE wait for locks, DROP DATABASE for every process
/// of the server to react (ProcSignalBarrier): one that stands still would hold us for ever. The server's own limits do not
/// help where it is our own server process that stands still, and statement_timeout would cut work as well as waiting:
/// work, as the removal of a large database's files or a commit on a slow disk, has a bound of its own.
extension Connection {
    /// From now on no statement of this session waits longer for others than `settings.patience`.
    func becomePatient() throws(PostgresError) {
        // Asked of the server: behind a pooler the handshake names another process.
        watchedProcess = try rows("select pg_catalog.pg_backend_pid() as pid").first?.int("pid")
        try execute("set client_min_messages = log")
    }

    /// As `execute`, for a statement that may work for minutes, a database made or removed: where nobody can look whether
    /// it works or waits, it has more time.
    func executeLong(_ sql: SQL) throws(PostgresError) {
        guard watchedProcess != nil else { return try execute(sql) }
        try send(sql)
        _ = try patientAnswer(isLong: true)
    }

    /// The answer to what was sent, waited for as long as the server works on it.
    /// - Throws: `PostgresError.processStuck` with whom it waited for, `.workUnfinished`; the statement was cancelled then.
    ///   Where the server did not react to that, the session is closed.
    func patientAnswer(isLong: Bool) throws(PostgresError) -> [Row] {
        notices.forget()
        if try isAnswered(within: Self.unwatchedSeconds) { return try takeAnswer() }
        let start = MonotonicTime.nanoseconds()
        var watch = Watch(settings, watchedProcess ?? Int(backendPID))
        defer { watch.close() }
        // Since when it is not seen at work, and since when it is not seen.
        var waiting: UInt64?
        var unseen: UInt64?
        while true {
            let now = MonotonicTime.nanoseconds()
            let sight = watch.look(notices)
            if case .unseen = sight { unseen = unseen ?? now } else { unseen = nil }
            switch sight {
            case .works:
                waiting = nil
                let limit = settings.patience * Self.workFactor
                if MonotonicTime.seconds(since: start) >= limit {
                    return try giveUp(
                        .workUnfinished(seconds: Int(limit), process: watch.lines([watch.pid]).joined()))
                }
            case .isElsewhere:
                waiting = waiting ?? now
                if MonotonicTime.seconds(since: waiting ?? now) >= settings.patience {
                    return try giveUp(stuck(settings.patience, watch.lines([watch.pid])))
                }
            case .waits(let others):
                waiting = waiting ?? now
                let limit = settings.patience + (others.isEmpty ? Self.noticeSeconds : 0)
                if MonotonicTime.seconds(since: waiting ?? now) >= limit {
                    return try giveUp(stuck(limit, watch.lines(others)))
                }
            case .unseen:
                let limit = settings.patience * (isLong ? Self.longFactor : 1)
                if MonotonicTime.seconds(since: unseen ?? now) >= limit { return try giveUp(stuck(limit, [])) }
            }
            if try isAnswered(within: 0.5) { return try takeAnswer() }
        }
    }

    private func stuck(_ seconds: Double, _ processes: [String]) -> PostgresError {
        .processStuck(seconds: Int(seconds), processes: processes)
    }

    /// Cancels the statement. One that ended well in that moment has ended well.
    private func giveUp(_ reason: PostgresError) throws(PostgresError) -> [Row] {
        guard try cancelStatement() else { throw reason }
        do throws(PostgresError) { return try takeAnswer() } catch {
            if case .query("57014", _) = error { throw reason }
            throw error
        }
    }

    /// Nearly every statement is answered within this.
    private static let unwatchedSeconds = 1.0
    /// The server names whom its barrier waits for every five seconds.
    private static let noticeSeconds = 6.0
    /// For a statement that nobody can look at: it may be one that works.
    private static let longFactor = 15.0
    /// Copying and removing a database's files takes its time, with a checkpoint before it: an hour, where a minute is
    /// waited for others.
    private static let workFactor = 60.0
}
