// SPDX-License-Identifier: Apache-2.0

import Postgres
import SQLite

/// The tables of a database of SQLite, as what a database of PostgreSQL has: one schema, called `public` as MLflow's there, so that
/// surveys and findings of both kinds say the same of the same rows.
enum SQLiteShapes {
    static let schema = "public"

    /// Tables that somebody made: SQLite's own, those that a module keeps elsewhere and ours are left out.
    /// - Parameter file: `main`, or the name of an attached file.
    static func all(in file: String, of connection: SQLiteConnection) throws -> [QualifiedTable: TableShape] {
        var shapes: [QualifiedTable: TableShape] = [:]
        for name in try tables(in: file, of: connection) {
            let table = QualifiedTable(schema: schema, name: name)
            var shape = TableShape(table: table)
            var key: [Int64: String] = [:]
            let columns = try connection.run(
                "SELECT name, pk FROM pragma_table_xinfo(?, ?)", [.text(name), .text(file)])
            for row in columns {
                let column = try row.name("name", file: connection)
                shape.columns.append(column)
                if let place = row["pk"].integer, place > 0 { key[place] = column }
            }
            shape.key = key.sorted { $0.key < $1.key }.map(\.value)
            shape.columns.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            shape.emptied = try emptied(name, file, connection)
            shapes[table] = shape
        }
        return shapes
    }

    static func tables(in file: String, of connection: SQLiteConnection) throws -> [String] {
        let rows = try connection.run(
            """
            SELECT name FROM \(file.sqliteQuoted).sqlite_schema
            WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> ? ORDER BY name
            """, [.text(ContentNumber.table)])
        return try rows.map { try $0.name("name", file: connection) }
    }

    private static func emptied(
        _ table: String, _ file: String, _ connection: SQLiteConnection
    ) throws -> [TableShape.EmptiedReference] {
        let rows = try connection.run(
            """
            SELECT "table", "from", "to" FROM pragma_foreign_key_list(?, ?) f WHERE on_delete = 'SET NULL'
            AND NOT EXISTS (SELECT 1 FROM pragma_foreign_key_list(?1, ?2) o WHERE o.id = f.id AND o.seq > 0)
            """, [.text(table), .text(file)])
        return try rows.compactMap { row in
            // Without a column it points to the key.
            guard !row["to"].isNull else { return nil }
            return TableShape.EmptiedReference(
                column: try row.name("from", file: connection),
                table: QualifiedTable(schema: schema, name: try row.name("table", file: connection)),
                target: try row.name("to", file: connection))
        }
    }
}

extension SQLiteRow {
    /// A name of the schema; one that is no text is damage.
    func name(_ column: String, file connection: SQLiteConnection) throws(SQLiteError) -> String {
        guard let name = self[column].text else { throw connection.damage("a name in the schema is no text") }
        return name
    }
}
