// SPDX-License-Identifier: Apache-2.0

/// A table, index, view or trigger, as `sqlite_schema` has it.
struct SchemaObject {
    enum Kind: String { case table, index, view, trigger }

    let kind: Kind
    let name: String
    /// What makes it anew; `nil` of an index that a constraint of its table makes.
    let sql: String?
    /// A table that a module keeps elsewhere has no page.
    let isVirtual: Bool

    /// In the order in which they were made, without SQLite's own (`sqlite_…`) and ours.
    /// - Parameter schema: `main`, or the name of an attached file.
    static func all(in schema: String, of connection: SQLiteConnection) throws(SQLiteError) -> [SchemaObject] {
        var found: [SchemaObject] = []
        let rows = try connection.run(
            """
            SELECT type, name, tbl_name, sql, rootpage FROM \(schema.sqliteQuoted).sqlite_schema
            WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid
            """)
        for row in rows {
            guard let kind = row["type"].text.flatMap(Kind.init), let name = row["name"].text,
                let table = row["tbl_name"].text, !row["sql"].isNull || kind == .index,
                row["sql"].isNull || row["sql"].text != nil
            else {
                throw connection.damage("malformed schema")
            }
            if table == ContentNumber.table { continue }
            found.append(
                SchemaObject(
                    kind: kind, name: name, sql: row["sql"].text,
                    isVirtual: kind == .table && (row["rootpage"].integer ?? 0) == 0))
        }
        return found
    }
}
