// SPDX-License-Identifier: Apache-2.0

/// What would keep a database from being renamed, known before anything slow is done.
package struct RenameObstacles: Sendable, Equatable {
    /// Sessions that this role may not end, each as one line for a person.
    package var sessions: [String] = []
    /// Transactions prepared for two-phase commit, by their identifiers: nobody can end them but their owner.
    package var preparedTransactions: [String] = []
    /// Who owns the database, where this role has not the owner's rights, which a rename needs.
    package var owner: String?

    package init() {}
}

extension Databases {
    /// - Throws: `PostgresError`.
    package func obstacles(toRenaming name: String) throws(PostgresError) -> RenameObstacles {
        let session = try connect()
        var obstacles = RenameObstacles()
        // pg_terminate_backend wants the rights of the session's role, or of pg_signal_backend for all but superusers
        // (has_privs_of_role): a member that does not inherit them has them not.
        let sessions = try session.rows(
            """
            select \(SessionText.columns) from pg_catalog.pg_stat_activity a
            join pg_catalog.pg_roles r on r.oid = a.usesysid
            join pg_catalog.pg_roles me on me.rolname = current_user
            where a.datname = \(name) and not me.rolsuper
              and (r.rolsuper
                   or not (pg_catalog.pg_has_role(r.oid, 'USAGE')
                           or pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')))
            order by a.pid
            """)
        obstacles.sessions = try SessionText.lines(sessions)
        for row in try session.rows(
            "select gid from pg_catalog.pg_prepared_xacts where database = \(name) order by prepared")
        {
            obstacles.preparedTransactions.append(try row.string("gid"))
        }
        obstacles.owner = try session.rows(
            """
            select pg_catalog.pg_get_userbyid(datdba)::text as owner from pg_catalog.pg_database
            where datname = \(name) and not pg_catalog.pg_has_role(datdba, 'USAGE')
            """
        ).first?.string("owner")
        return obstacles
    }

    /// The version of the server, and whether it takes no changes.
    package func server() throws(PostgresError) -> (version: Int, isReadOnly: Bool) {
        let session = try connect()
        let rows = try session.rows("select pg_catalog.pg_is_in_recovery() as standby")
        return (session.serverVersion, try rows.first?.bool("standby") ?? false)
    }

    /// What a database that is put aside keeps doing: subscriptions go on replicating, slots go on keeping WAL, and either keeps
    /// it from being dropped.
    package func staysBehind(in name: String) throws(PostgresError) -> [BeyondRestore] {
        let session = try connect()
        return try ObjectsBeyondRestore.subscriptions(of: name, on: session)
            + ObjectsBeyondRestore.slots(of: name, on: session)
    }

    /// As whom the server lets us work there.
    package func role() throws(PostgresError) -> String { try connect().role() }

    /// Whether this role may make databases, which every restore does.
    package func mayCreate() throws(PostgresError) -> Bool {
        try connect().rows(
            "select rolsuper or rolcreatedb as may from pg_catalog.pg_roles where rolname = current_user"
        ).first?.bool("may") ?? false
    }
}
