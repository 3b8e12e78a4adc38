// SPDX-License-Identifier: Apache-2.0

/// The statement that fills a table, made anew and empty, from the one of the same name in an attached file.
struct TableCopy {
    let statement: String

    init(_ table: String, from schema: String, _ connection: SQLiteConnection) throws(SQLiteError) {
        let target = "main.\(table.sqliteQuoted)"
        let source = "\(schema.sqliteQuoted).\(table.sqliteQuoted)"
        let columns = try connection.run(
            "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?, ?)", [.text(table), .text(schema)])
        let indices = try connection.run("SELECT origin FROM pragma_index_list(?, ?)", [.text(table), .text(schema)])
        let list = try connection.run(
            "SELECT wr FROM pragma_table_list WHERE schema = ? AND name = ?", [.text(schema), .text(table)])
        let hasRowID = list.first?["wr"].integer != 1
        let isGenerated = columns.contains { $0["hidden"].integer != 0 }
        // OR ROLLBACK: what fails ends the whole exchange, and SQLite need not keep what each page was before the statement, too.
        // So written, and with equal tables, SQLite copies rows as they are, with their numbers, and their index entries in order.
        // It numbers them anew where the table has no index.
        if !isGenerated, !hasRowID || !indices.isEmpty || Self.rowIDIsColumn(columns) {
            statement = "INSERT OR ROLLBACK INTO \(target) SELECT * FROM \(source)"
            return
        }
        let names = columns.filter { $0["hidden"].integer == 0 }.compactMap(\.["name"].text)
        let taken = Set(names.map { $0.lowercased() })
        let number = hasRowID ? ["rowid", "_rowid_", "oid"].first { !taken.contains($0) } : nil
        let filled = (([number].compactMap { $0 }) + names.map(\.sqliteQuoted)).joined(separator: ", ")
        statement = "INSERT OR ROLLBACK INTO \(target) (\(filled)) SELECT \(filled) FROM \(source)"
    }

    /// `INTEGER PRIMARY KEY` is another name of a row's number.
    private static func rowIDIsColumn(_ columns: [SQLiteRow]) -> Bool {
        let key = columns.filter { ($0["pk"].integer ?? 0) > 0 }
        return key.count == 1 && key[0]["type"].text?.lowercased() == "integer"
    }
}
