// SPDX-License-Identifier: Apache-2.0

import Postgres

/// The tables of MLflow that a role may read as a whole, with their columns: they differ between versions.
struct StoreColumns {
    let schema: String
    private let columns: [String: Set<String>]

    /// - Returns: `nil` where MLflow never set this database up.
    init?(of session: Connection) throws(PostgresError) {
        guard let schema = try StoreSchema(on: session).name else { return nil }
        self.schema = schema
        let rows = try session.rows(
            """
            select c.relname as name, a.attname as part from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where n.nspname = \(schema) and c.relkind in ('r', 'p') and \(Connection.isReadable)
            """)
        var columns: [String: Set<String>] = [:]
        for row in rows { columns[try row.string("name"), default: []].insert(try row.string("part")) }
        self.columns = columns
    }

    func has(_ table: String, _ names: String...) -> Bool {
        guard let known = columns[table] else { return false }
        return names.allSatisfy(known.contains)
    }

    func table(_ name: String) -> QualifiedTable { QualifiedTable(schema: schema, name: name) }
}
