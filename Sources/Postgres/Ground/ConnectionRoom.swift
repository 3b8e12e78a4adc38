// SPDX-License-Identifier: Apache-2.0

/// How many sessions this role may still open in a database.
public struct ConnectionRoom: Sendable, Equatable {
    public let free: Int
    /// Of which limit that is what is left: `max_connections 100`, `CONNECTION LIMIT 10`.
    public let limit: String

    /// - Throws: `PostgresError`.
    public init(on session: Connection) throws(PostgresError) {
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
                     || pg_catalog.current_setting('max_connections') as limit
            from me
            union all
            select me.rolconnlimit - (select count(*) from sessions where usesysid = me.oid)::int,
              'ALTER ROLE ... CONNECTION LIMIT ' || me.rolconnlimit from me where me.rolconnlimit >= 0 and not me.rolsuper
            union all
            select d.datconnlimit - (select count(*) from sessions where datid = d.oid)::int,
              'ALTER DATABASE ... CONNECTION LIMIT ' || d.datconnlimit from pg_catalog.pg_database d, me
            where d.datname = pg_catalog.current_database() and d.datconnlimit >= 0 and not me.rolsuper
            order by 1 limit 1
            """)
        guard let row = rows.first else { throw .unexpectedValue(column: "left", found: "no row") }
        free = max(0, try row.int("left"))
        limit = try row.string("limit")
    }

    /// - Throws: `tooManyConnections`, with the numbers.
    public func require(_ needed: Int) throws(PostgresError) {
        if free < needed { throw .tooManyConnections(reason: "\(needed) needed, \(free) free, \(limit)") }
    }

    /// What a dump or a load needs beside its jobs: the snapshot, the leader, and one that watches.
    public static let besideJobs = 3

    /// So many as are wanted, or as there is room for.
    public func jobs(atMost wanted: Int) -> Int { max(1, min(wanted, free - Self.besideJobs)) }
}
