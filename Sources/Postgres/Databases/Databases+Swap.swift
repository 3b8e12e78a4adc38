// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

extension Databases {
    /// Puts `replacement` in the place of `live`, and keeps what was there as `old`: two renames in one transaction,
    /// so either both are done or neither. Where `live` does not exist, only `replacement` is renamed.
    ///
    /// To go back, call it with the names exchanged: `swap(live: live, replacement: old, keepingOldAs: failed)`.
    ///
    /// ALTER DATABASE … RENAME locks the database first, which holds new sessions at the door, then waits five seconds for
    /// those inside to leave; meanwhile a second session shows them out. A session in `live` that holds table locks
    /// (the caller's last comparison) is spared until all others have ended, so that nobody it kept waiting writes after
    /// it. The database is never closed by ALLOW_CONNECTIONS: a crash would leave it so.
    /// - Parameters:
    ///   - spared: server processes of the caller's own sessions in `live`.
    ///   - leave: ends the spared sessions; called once, when nobody else is inside. What it throws ends the swap before
    ///     anything is renamed: a session that somebody ended kept nobody waiting.
    /// - Throws: `databaseMissing(replacement)`, `databaseExists(old)`, `databaseInUse`, `insufficientPrivilege`. After
    ///   `connectionLost` only the oids tell whether the swap was made, and only under the stack's lock.
    package func swap(
        live: String, replacement: String, keepingOldAs old: String, sparing spared: [Int] = [],
        leave: () throws(PostgresError) -> Void = { () throws(PostgresError) in }
    ) throws(PostgresError) {
        let renaming = try connect()
        let ending = try Self.maintenanceSession(settings)
        defer { ending.close() }
        let liveExists = try exists(live, on: renaming)
        guard try exists(replacement, on: renaming) else { throw .databaseMissing(name: replacement) }
        if liveExists, try exists(old, on: renaming) { throw .databaseExists(name: old) }
        let renames = (liveExists ? [(live, old)] : []) + [(replacement, live)]

        // Asked of the server: behind a pooler the handshake names another process.
        let doorkeeper = try renaming.rows("select pg_catalog.pg_backend_pid() as pid").first?.int("pid") ?? 0
        var usher = Usher(session: ending, spared: Set(spared), doorkeeper: doorkeeper)
        var attempt = 1
        while true {
            do throws(PostgresError) {
                try rename(renames, on: renaming, &usher, leave)
                return
            } catch {
                switch error {
                case .query("55006", _) where attempt < swapAttempts && !usher.hasLeft: attempt += 1
                case .query("55006", let message):
                    // They were told to end, or are not ours to end, and did not.
                    let inside = try sessions(
                        in: [live, replacement], sparing: usher.hasLeft ? [] : usher.spared, on: ending)
                    throw inside.isEmpty
                        ? .databaseInUse(name: live, holders: [message])
                        : .processStuck(seconds: swapAttempts * 5, processes: inside)
                case .query("55P03", _):
                    throw .processStuck(seconds: Int(min(settings.patience, 30)), processes: usher.blocking)
                case .query("42P04", _): throw .databaseExists(name: old)
                case .query("3D000", _): throw .databaseMissing(name: replacement)
                default: throw error
                }
            }
        }
    }

    /// Renames one database, ending the sessions in it.
    package func rename(_ name: String, to new: String) throws(PostgresError) {
        if try exists(new) { throw .databaseExists(name: new) }
        try swap(live: new, replacement: name, keepingOldAs: "")
    }

    private func rename(
        _ renames: [(from: String, to: String)], on renaming: Connection, _ usher: inout Usher,
        _ leave: () throws(PostgresError) -> Void
    ) throws(PostgresError) {
        try renaming.execute("begin")
        do throws(PostgresError) {
            // For this transaction only: the session goes on afterwards, and has limits of its own.
            try renaming.execute("set local lock_timeout = '\(number: Int(min(settings.patience, 30) * 1000))ms'")
            for (from, to) in renames {
                try renaming.send("alter database \(identifier: from) rename to \(identifier: to)")
                var staying: [String] = []
                let start = MonotonicTime.nanoseconds()
                while try !renaming.isAnswered(within: 0.02) {
                    // The server gives up within seconds, unless it is the process that renames which stands still.
                    if MonotonicTime.seconds(since: start) > settings.patience + 40 {
                        throw PostgresError.processStuck(
                            seconds: Int(settings.patience + 40),
                            processes: try usher.session.sessions([usher.doorkeeper]))
                    }
                    try usher.noteBlocking()
                    // The door first: a client on its way in holds a lock on the database before it is in any list.
                    // Once it is shut, whoever got in is in the list, and nobody comes after.
                    let isShut = try usher.isDoorShut(from)
                    let inside = try usher.showOut(of: from)
                    staying = inside.staying
                    if isShut, inside.isEmpty, !usher.hasLeft {
                        usher.hasLeft = true
                        try leave()
                    }
                }
                do throws(PostgresError) { _ = try renaming.takeAnswer() } catch {
                    if case .query("55006", _) = error, !staying.isEmpty {
                        throw PostgresError.databaseInUse(name: from, holders: staying)
                    }
                    throw error
                }
            }
            if !usher.hasLeft {
                // They were gone before they were asked to go.
                usher.hasLeft = true
                try leave()
            }
            try renaming.execute("commit")
        } catch {
            // The rename may still wait for others to leave, where it was the session that shows them out that failed.
            renaming.abandonStatement()
            // On a session that is lost the server rolls back by itself; the first error is the one to tell.
            try? renaming.execute("rollback")
            throw error
        }
    }
}

/// Each lasts up to the five seconds for which the server waits.
private let swapAttempts = 4
