// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension Databases {
    /// Puts `replacement` in the place of `live`, and keeps what was there as `old`: two renames in one transaction,
    /// so either both are done or neither. Where `live` does not exist, only `replacement` is renamed.
    ///
    /// To go back, call it with the names exchanged: `swap(live: live, replacement: old, keepingOldAs: failed)`.
    ///
    /// Sessions in both databases are ended. ALTER DATABASE … RENAME locks the database first, which holds new
    /// sessions at the door, then waits five seconds for those inside to leave; meanwhile a second session shows
    /// them out. The database is never closed by ALLOW_CONNECTIONS: a crash would leave it so.
    /// - Throws: `databaseMissing(replacement)`, `databaseExists(old)`, `databaseInUse`, `insufficientPrivilege`.
    public func swap(live: String, replacement: String, keepingOldAs old: String) throws(PostgresError) {
        let renaming = try connect()
        let ending = try connect()
        let liveExists = try exists(live, on: renaming)
        guard try exists(replacement, on: renaming) else { throw .databaseMissing(name: replacement) }
        if liveExists, try exists(old, on: renaming) { throw .databaseExists(name: old) }
        let renames = (liveExists ? [(live, old)] : []) + [(replacement, live)]

        try renaming.execute("set lock_timeout = '30s'")
        var attempt = 1
        while true {
            do throws(PostgresError) {
                return try rename(renames, on: renaming, endingSessionsFrom: ending)
            } catch {
                switch error {
                case .query("55006", _) where attempt < swapAttempts: attempt += 1
                case .query("55006", let message): throw .databaseInUse(name: live, holders: [message])
                case .query("42P04", _): throw .databaseExists(name: old)
                case .query("3D000", _): throw .databaseMissing(name: replacement)
                case .connectionLost:
                    // The commit may have been done before the session broke: the names tell.
                    if try !exists(replacement), try exists(live) { return }
                    throw error
                default: throw error
                }
            }
        }
    }

    private func rename(
        _ renames: [(from: String, to: String)], on renaming: Connection, endingSessionsFrom ending: Connection
    ) throws(PostgresError) {
        try renaming.execute("begin")
        do throws(PostgresError) {
            for (from, to) in renames {
                try renaming.send("alter database \(identifier: from) rename to \(identifier: to)")
                var holders: [String] = []
                while try !renaming.isAnswered(within: 0.05) {
                    holders = try endSessions(of: from, on: ending)
                }
                do throws(PostgresError) { _ = try renaming.takeAnswer() } catch {
                    if case .query("55006", _) = error, !holders.isEmpty {
                        throw PostgresError.databaseInUse(name: from, holders: holders)
                    }
                    throw error
                }
            }
            try renaming.execute("commit")
        } catch {
            // On a session that is lost the server rolls back by itself; the first error is the one to tell.
            try? renaming.execute("rollback")
            throw error
        }
    }

    /// - Returns: the sessions that we may not end, each as one line for a person.
    private func endSessions(of database: String, on session: Connection) throws(PostgresError) -> [String] {
        // The server's own workers have no user; of a stranger's session, we see nothing but user and pid.
        let rows = try session.rows(
            """
            select pid, usename as who, concat_ws(', ', nullif(application_name, ''), client_addr::text) as origin
            from pg_catalog.pg_stat_activity
            where datname = \(database) and usename is not null and pid <> pg_catalog.pg_backend_pid()
            """)
        var staying: [String] = []
        for row in rows {
            let pid = try row.int("pid")
            do throws(PostgresError) {
                try session.execute("select pg_catalog.pg_terminate_backend(\(pid))")
            } catch {
                guard case .insufficientPrivilege = error else { throw error }
                let origin = try row.string("origin")
                staying.append("\(try row.string("who")) (pid \(pid)\(origin.isEmpty ? "" : ", \(origin)"))")
            }
        }
        return staying
    }
}

/// Each lasts up to the five seconds for which the server waits.
private let swapAttempts = 4
