// SPDX-License-Identifier: Apache-2.0

/// MLflow makes tables when it is upgraded. Where its role owned the backup's database and does not own this one, no grant of the backup lets it.
struct CreateRight {
    /// Where the application's tables are.
    let schemas: Set<String>
    let tables: Set<QualifiedTable>
    /// Whose they were in the dump.
    let formerOwner: String?
    /// In the restored database.
    let session: Connection

    init(schemas: Set<String>, of tables: Set<QualifiedTable>, formerOwner: String?, session: Connection) {
        (self.schemas, self.tables, self.formerOwner, self.session) = (schemas, tables, formerOwner, session)
    }

    /// To whom the tables have come: what he had in the live database. Of the role that had them in the backup the grants are the backup's,
    /// and what he had since and lacks now is told of; so it is of each other role that was let make tables there.
    func giveBack(asIn live: String) throws -> [BeyondRestore] {
        guard let role = try session.owner(ofMost: tables) else { return [] }
        let before: Set<String>
        let makers: [String: Set<String>]
        do throws(PostgresError) {
            let old = try Connection(session.settings.naming(database: live))
            defer { old.close() }
            before = try open(to: role, on: old)
            makers = try old.makers(in: schemas)
        } catch {
            // It may be damaged, or away.
            return []
        }
        var told = try giveBack(before, to: role).map { Self.shutOut(role, of: $0) }
        for (other, could) in makers.sorted(by: { $0.key < $1.key }) where other != role {
            told += try could.subtracting(open(to: other, on: session)).sorted().map { Self.shutOut(other, of: $0) }
        }
        return told
    }

    /// - Returns: in which schemas that was not possible.
    private func giveBack(_ before: Set<String>, to role: String) throws -> [String] {
        var lost: [String] = []
        for schema in try before.subtracting(open(to: role, on: session)).sorted() {
            guard role != formerOwner else {
                lost.append(schema)
                continue
            }
            try session.execute("begin")
            let refusal = try session.attempt {
                try session.execute("grant usage, create on schema \(identifier: schema) to \(identifier: role)")
            }
            try session.execute("commit")
            // Who may not grant it is only warned.
            if try refusal != nil || !open(to: role, on: session).contains(schema) { lost.append(schema) }
        }
        return lost
    }

    private static func shutOut(_ role: String, of schema: String) -> BeyondRestore {
        BeyondRestore(kind: "role", name: role, fate: .shutOut).because("CREATE ON SCHEMA \(schema.asIdentifier)")
    }

    private func open(to role: String, on session: Connection) throws(PostgresError) -> Set<String> {
        try session.names(
            """
            select n.nspname::text as name from pg_catalog.pg_namespace n, pg_catalog.pg_roles r
            where r.rolname = \(role) and not r.rolsuper and n.nspname = any (\(schemas.sorted()))
              and pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')
            """)
    }
}

extension Connection {
    /// Whose most of these tables are here; of several the first by name.
    func owner(ofMost tables: Set<QualifiedTable>) throws(PostgresError) -> String? {
        let rows = try rows(
            """
            select n.nspname::text as schema, c.relname::text as name, pg_catalog.pg_get_userbyid(c.relowner)::text as owner
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and c.relname = any (\(tables.map(\.name)))
            """)
        var owners: [String: Int] = [:]
        for row in rows
        where tables.contains(QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))) {
            owners[try row.string("owner"), default: 0] += 1
        }
        return owners.min { ($1.value, $0.key) < ($0.value, $1.key) }?.key
    }
}
