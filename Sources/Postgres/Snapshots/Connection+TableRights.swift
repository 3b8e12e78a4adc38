// SPDX-License-Identifier: Apache-2.0

extension Connection {
    /// As whom the server lets us work: what `ALTER ROLE … SET role` says, else the role that logged in.
    /// - Throws: `PostgresError`.
    package func role() throws(PostgresError) -> String {
        guard let row = try rows("select current_user::text as role").first else {
            throw .unexpectedValue(column: "role", found: "no row")
        }
        return try row.string("role")
    }

    /// Whether this role may make a role the owner of what is its own.
    /// - Parameter oid: SQL for the role's.
    func mayGive(to oid: SQL) -> SQL {
        "pg_catalog.pg_has_role(\(oid), \(serverVersion >= 160_000 ? "'SET'" : "'MEMBER'" as SQL))"
    }

    /// The ordinary tables (see `rowCounts`) that this role may not read and lock by LOCK TABLE … IN SHARE MODE, which wants
    /// one of these rights (PostgreSQL manual, LOCK). Sorted.
    /// - Throws: `PostgresError`.
    package func tablesNotLockable() throws(PostgresError) -> [QualifiedTable] {
        let rights = "UPDATE, DELETE, TRUNCATE" + (serverVersion >= 170_000 ? ", MAINTAIN" : "")
        return try ordinaryTables(
            where: """
                not (pg_catalog.has_schema_privilege(n.oid, 'USAGE') and pg_catalog.has_table_privilege(c.oid, 'SELECT')
                     and pg_catalog.has_table_privilege(c.oid, \(rights)))
                """)
    }
}
