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
    ///   - leave: ends the spared sessions; called once, when nobody else is inside.
    /// - Throws: `databaseMissing(replacement)`, `databaseExists(old)`, `databaseInUse`, `insufficientPrivilege`. After
    ///   `connectionLost` only the oids tell whether the swap was made, and only under the stack's lock.
    public func swap(
        live: String, replacement: String, keepingOldAs old: String, sparing spared: [Int] = [],
        leave: () -> Void = {}
    ) throws(PostgresError) {
        let renaming = try connect()
        let ending = try Self.maintenanceSession(settings)
        defer { ending.close() }
        let liveExists = try exists(live, on: renaming)
        guard try exists(replacement, on: renaming) else { throw .databaseMissing(name: replacement) }
        if liveExists, try exists(old, on: renaming) { throw .databaseExists(name: old) }
        let renames = (liveExists ? [(live, old)] : []) + [(replacement, live)]

        try renaming.execute("set lock_timeout = '30s'")
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
                case .query("55006", let message): throw .databaseInUse(name: live, holders: [message])
                case .query("42P04", _): throw .databaseExists(name: old)
                case .query("3D000", _): throw .databaseMissing(name: replacement)
                default: throw error
                }
            }
        }
    }

    /// Renames one database, ending the sessions in it.
    public func rename(_ name: String, to new: String) throws(PostgresError) {
        if try exists(new) { throw .databaseExists(name: new) }
        try swap(live: new, replacement: name, keepingOldAs: "")
    }

    private func rename(
        _ renames: [(from: String, to: String)], on renaming: Connection, _ usher: inout Usher, _ leave: () -> Void
    ) throws(PostgresError) {
        try renaming.execute("begin")
        do throws(PostgresError) {
            for (from, to) in renames {
                try renaming.send("alter database \(identifier: from) rename to \(identifier: to)")
                var staying: [String] = []
                while try !renaming.isAnswered(within: 0.02) {
                    let inside = try usher.showOut(of: from)
                    staying = inside.staying
                    if inside.isEmpty, !usher.hasLeft, try usher.isDoorShut(from) {
                        usher.hasLeft = true
                        leave()
                    }
                }
                do throws(PostgresError) { _ = try renaming.takeAnswer() } catch {
                    if case .query("55006", _) = error, !staying.isEmpty {
                        throw PostgresError.databaseInUse(name: from, holders: staying)
                    }
                    throw error
                }
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

/// Ends the sessions in a database while another session waits to rename it.
private struct Usher {
    struct Inside {
        /// Those that we may not end, each as one line for a person.
        var staying: [String] = []
        /// Nobody but the spared ones.
        var isEmpty = true
    }

    let session: Connection
    let spared: Set<Int>
    /// The server process that renames.
    let doorkeeper: Int
    /// The spared sessions were told to go: from then on the tables are not locked any more.
    var hasLeft = false

    func showOut(of database: String) throws(PostgresError) -> Inside {
        // The server's own workers have no user; of a stranger's session, we see nothing but user and pid.
        let rows = try session.rows(
            """
            select pid, usename as who, concat_ws(', ', nullif(application_name, ''), client_addr::text) as origin
            from pg_catalog.pg_stat_activity
            where datname = \(database) and usename is not null and pid <> pg_catalog.pg_backend_pid()
            """)
        var inside = Inside()
        for row in rows {
            let pid = try row.int("pid")
            if spared.contains(pid) { continue }
            inside.isEmpty = false
            do throws(PostgresError) {
                try session.execute("select pg_catalog.pg_terminate_backend(\(pid))")
            } catch {
                guard case .insufficientPrivilege = error else { throw error }
                let origin = try row.string("origin")
                inside.staying.append("\(try row.string("who")) (pid \(pid)\(origin.isEmpty ? "" : ", \(origin)"))")
            }
        }
        return inside
    }

    /// Whether the rename has its lock on the database: nobody enters any more (`InitPostgres` locks the database, too).
    func isDoorShut(_ database: String) throws(PostgresError) -> Bool {
        try !session.rows(
            """
            select from pg_catalog.pg_locks l join pg_catalog.pg_database d on d.oid = l.objid
            where l.locktype = 'object' and l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
              and d.datname = \(database) and l.pid = \(doorkeeper) and l.mode = 'AccessExclusiveLock' and l.granted
            """
        ).isEmpty
    }
}

/// Each lasts up to the five seconds for which the server waits.
private let swapAttempts = 4
