// SPDX-License-Identifier: Apache-2.0

/// What pg_dump reads and this role may not.
package struct UnreadableObjects: Sendable, Equatable {
    package private(set) var schemas: [String] = []
    package private(set) var tables: [QualifiedTable] = []
    package private(set) var sequences: [QualifiedTable] = []
    /// Tables of which a policy hides rows from this role.
    package private(set) var hidden: [QualifiedTable] = []
    /// By their oids.
    package private(set) var largeObjects: [String] = []

    package var isEmpty: Bool {
        schemas.isEmpty && tables.isEmpty && sequences.isEmpty && hidden.isEmpty && largeObjects.isEmpty
    }

    /// None yet.
    init() {}

    init(on session: Connection) throws(PostgresError) {
        try readTables(session)
        try readLargeObjects(session)
    }

    /// Of an extension's relations a dump has those that the extension registers (`pg_extension.extconfig`).
    private mutating func readTables(_ session: Connection) throws(PostgresError) {
        let rows = try session.rows(
            """
            select n.nspname::text as schema, c.relname::text as name, c.relkind = 'S' as sequence,
                   pg_catalog.has_schema_privilege(n.oid, 'USAGE') as usage,
                   pg_catalog.has_table_privilege(c.oid, 'SELECT') as readable
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'S') and \(Connection.isUsers)
              and not exists (
                select from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e'
                  and not (c.oid = any(coalesce(e.extconfig, '{}'))))
              and not (pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                       and pg_catalog.has_table_privilege(c.oid, 'SELECT')
                       and not (c.relkind <> 'S' and pg_catalog.row_security_active(c.oid)))
            order by n.nspname collate "C", c.relname collate "C"
            """)
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            let (usage, readable) = (try row.bool("usage"), try row.bool("readable"))
            if !usage, !schemas.contains(table.schema) { schemas.append(table.schema) }
            if !readable {
                if try row.bool("sequence") { sequences.append(table) } else { tables.append(table) }
            } else if usage {
                hidden.append(table)
            }
        }
    }

    /// `has_largeobject_privilege` came with 18: its own answer from owner and grants.
    private mutating func readLargeObjects(_ session: Connection) throws(PostgresError) {
        let rows = try session.rows(
            """
            select m.oid::text as oid from pg_catalog.pg_largeobject_metadata m
            join pg_catalog.pg_roles me on me.rolname = current_user
            where not me.rolsuper and pg_catalog.current_setting('lo_compat_privileges') = 'off'
              and not pg_catalog.pg_has_role(m.lomowner, 'USAGE')
              and not exists (
                select from pg_catalog.aclexplode(m.lomacl) a where a.privilege_type = 'SELECT'
                  and (a.grantee = 0 or pg_catalog.pg_has_role(a.grantee, 'USAGE')))
            order by m.oid limit 1000
            """)
        for row in rows { largeObjects.append(try row.string("oid")) }
    }

    /// What is named, the first five of each kind.
    var named: [String] {
        var lines: [String] = []
        func add(_ word: String, _ names: [String]) {
            guard !names.isEmpty else { return }
            let more = names.count > 5 ? " (+\(names.count - 5))" : ""
            lines.append("\(word) \(names.prefix(5).joined(separator: ", "))\(more)")
        }
        add("SCHEMA", schemas.map(\.asIdentifier))
        add("TABLE", tables.map(\.description))
        add("SEQUENCE", sequences.map(\.description))
        add("ROW LEVEL SECURITY", hidden.map(\.description))
        add("LARGE OBJECT", largeObjects)
        return lines
    }

    /// What their owner or a superuser runs.
    func remedies(for role: String) -> [String] {
        let role = role.asQuotedIdentifier
        var statements: [String] = []
        func grant(_ right: String, _ names: [String]) {
            if !names.isEmpty {
                statements.append("GRANT \(right) \(names.prefix(20).joined(separator: ", ")) TO \(role);")
            }
        }
        grant("USAGE ON SCHEMA", schemas.map(\.asIdentifier))
        grant("SELECT ON TABLE", tables.map(\.description))
        grant("SELECT ON SEQUENCE", sequences.map(\.description))
        grant("SELECT ON LARGE OBJECT", largeObjects)
        if !hidden.isEmpty { statements.append("ALTER ROLE \(role) BYPASSRLS;") }
        return statements
    }
}

extension String {
    /// Quoted where it has to be.
    var asIdentifier: String { QualifiedTable.shown(self) }
}
