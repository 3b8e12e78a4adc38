// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// How many sessions this role may still open in a database.
package struct ConnectionRoom: Sendable, Equatable {
    private struct Limit: Sendable, Equatable {
        let left: Int
        /// `max_connections 100`, `ALTER ROLE ... CONNECTION LIMIT 10`.
        let text: String
        /// Whether it counts the sessions in this database alone.
        let isOfDatabase: Bool
    }

    /// That of which least is left first.
    private let limits: [Limit]

    /// A pooler has a limit of its own, which cannot be asked (`Connection.requirePooled`).
    private let isPooled: Bool

    package var free: Int { limits.first?.left ?? 0 }
    /// Of which limit that is what is left.
    package var limit: String { limits.first?.text ?? "" }

    /// - Parameter isEnding: the session that asks is closed before others are opened, and its place counts as free.
    /// - Throws: `PostgresError`.
    package init(on session: Connection, isEnding: Bool = false) throws(PostgresError) {
        // The server's own workers have places of their own, and no user; of a stranger's session we do not see what it is. The reserve of `pg_use_reserved_connections` came with 16.
        let rows = try session.rows(
            """
            with me as (select * from pg_catalog.pg_roles where rolname = session_user),
              sessions as (select * from pg_catalog.pg_stat_activity where usesysid is not null
                and coalesce(backend_type, 'client backend') = 'client backend')
            select pg_catalog.current_setting('max_connections')::int
                     - case when me.rolsuper then 0
                       else pg_catalog.current_setting('superuser_reserved_connections')::int
                         + coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::int end
                     - (select count(*) from sessions)::int as left, 'max_connections '
                     || pg_catalog.current_setting('max_connections') as limit, false as here
            from me
            union all
            select me.rolconnlimit - (select count(*) from sessions where usesysid = me.oid)::int,
              'ALTER ROLE ... CONNECTION LIMIT ' || me.rolconnlimit, false
            from me where me.rolconnlimit >= 0 and not me.rolsuper
            union all
            select d.datconnlimit - (select count(*) from sessions where datid = d.oid)::int,
              'ALTER DATABASE ... CONNECTION LIMIT ' || d.datconnlimit, true from pg_catalog.pg_database d, me
            where d.datname = pg_catalog.current_database() and d.datconnlimit >= 0 and not me.rolsuper
            order by 1
            """)
        var found: [Limit] = []
        for row in rows {
            found.append(
                Limit(
                    left: max(0, try row.int("left").adding(clamped: isEnding ? 1 : 0)), text: try row.string("limit"),
                    isOfDatabase: try row.bool("here")))
        }
        if found.isEmpty { throw .unexpectedValue(column: "left", found: "no row") }
        limits = found
        isPooled = try session.isPooled()
    }

    /// - Parameter here: how many of them are in this database; `nil` for all.
    /// - Throws: `tooManyConnections`, with the numbers.
    package func require(_ needed: Int, here: Int? = nil) throws(PostgresError) {
        for limit in limits {
            let needed = limit.isOfDatabase ? here ?? needed : needed
            if limit.left < needed {
                throw .tooManyConnections(reason: "\(needed) needed, \(limit.left) free, \(limit.text)")
            }
        }
    }

    /// What a dump or a load needs beside its jobs: the snapshot, the leader, and one that watches.
    package static let besideJobs = 3

    /// So many as are wanted, or as there is room for; behind a pooler one.
    package func jobs(atMost wanted: Int) -> Int { isPooled ? 1 : max(1, min(wanted, free - Self.besideJobs)) }
}
