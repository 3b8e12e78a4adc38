// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Ends the sessions in a database while another session waits to rename it.
struct Usher {
    struct Inside {
        /// Those that we may not end, each as one line for a person.
        var staying: [String] = []
        /// Nobody but the spared ones, as long as they have not left.
        var isEmpty = true
    }

    let session: Connection
    let spared: Set<Int>
    /// The server process that renames.
    let doorkeeper: Int
    /// Whom the rename waited for when it was looked at last, each as one line.
    private(set) var blocking: [String] = []
    private var lookedAt = MonotonicTime.nanoseconds()
    /// The spared sessions were told to go: from then on the tables are not locked any more.
    var hasLeft = false

    init(session: Connection, spared: Set<Int>, doorkeeper: Int) {
        self.session = session
        self.spared = spared
        self.doorkeeper = doorkeeper
    }

    func showOut(of database: String) throws(PostgresError) -> Inside {
        // The server's own workers have no user; of a stranger's session, we see nothing but user and pid.
        let rows = try session.rows(
            """
            select \(SessionText.columns) from pg_catalog.pg_stat_activity a
            where a.datname = \(database) and a.usename is not null and a.pid <> pg_catalog.pg_backend_pid()
            """)
        var inside = Inside()
        for row in rows {
            let pid = try row.int("pid")
            // A pooler keeps the server process of a session that has left.
            if !hasLeft, spared.contains(pid) { continue }
            inside.isEmpty = false
            do throws(PostgresError) {
                try session.execute("select pg_catalog.pg_terminate_backend(\(pid))")
            } catch {
                guard case .insufficientPrivilege = error else { throw error }
                inside.staying.append(try SessionText.line(row))
            }
        }
        return inside
    }

    /// Looks once a second whom the rename waits for, to name them when it gives up.
    mutating func noteBlocking() throws(PostgresError) {
        guard MonotonicTime.seconds(since: lookedAt) >= 1 else { return }
        lookedAt = MonotonicTime.nanoseconds()
        let rows = try session.rows("select unnest(pg_catalog.pg_blocking_pids(\(doorkeeper))) as pid")
        var pids: Set<Int> = []
        for row in rows { pids.insert(try row.int("pid")) }
        if !pids.isEmpty { blocking = try session.sessions(pids) }
    }

    /// Whether the rename has its lock on the database: nobody enters any more. `InitPostgres` locks the database, too, and
    /// shows the session in `pg_stat_activity` before it lets go. So only who is looked for after this said yes was there.
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
