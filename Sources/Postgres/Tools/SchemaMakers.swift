// SPDX-License-Identifier: Apache-2.0

extension Connection {
    /// Who was let make tables in these schemas, by a grant to that very role: no superuser, who needs none, not everybody, and none of PostgreSQL's
    /// own, as `pg_database_owner` in each `public`.
    /// - Returns: the schemas of each such role.
    func makers(in schemas: Set<String>) throws(PostgresError) -> [String: Set<String>] {
        let rows = try rows(
            """
            select distinct n.nspname::text as schema, r.rolname::text as role
            from pg_catalog.pg_namespace n cross join pg_catalog.aclexplode(n.nspacl) a join pg_catalog.pg_roles r on r.oid = a.grantee
            where n.nspname = any (\(schemas.sorted())) and a.privilege_type = 'CREATE'
              and not r.rolsuper and not pg_catalog.starts_with(r.rolname::text, 'pg_')
            """)
        var makers: [String: Set<String>] = [:]
        for row in rows { makers[try row.string("role"), default: []].insert(try row.string("schema")) }
        return makers
    }
}
