// SPDX-License-Identifier: Apache-2.0

import Postgres
import SQLite

/// The rows in which a table of a live database of SQLite differs from that of the restored one: one query over both files, whose
/// answer is in the order of the keys.
///
/// A restored database mostly has its rows under the numbers that they have in the live one, and those are compared first: what is the same there
/// need not be looked for by its key.
struct SQLiteDifferences {
    private let table: ComparedTable
    private let live: SQLiteSource
    private let statement: SQLiteStatement

    init(_ table: ComparedTable, live: SQLiteSource, restored: SQLiteSource) throws {
        self.table = table
        self.live = live
        let name = table.live.table.name
        let source = (
            live: "\(live.file.sqliteQuoted).\(name.sqliteQuoted)",
            restored: "\(restored.file.sqliteQuoted).\(name.sqliteQuoted)"
        )
        let number = try Self.rowNumber(table, live, restored)
        statement = try live.connection.prepare(
            table.key.isEmpty ? Self.byContent(table, source, number) : Self.byKey(table, source, number))
    }

    func next() throws -> RowDifference? {
        guard let row = try statement.next() else { return nil }
        let name = table.live.table.name
        guard !table.key.isEmpty else {
            let texts = table.compared.indices.map { place in
                SQLiteText.of(row[place], isTruth: false).map { $0.contains(" ") || $0.isEmpty ? "\"\($0)\"" : $0 }
                    ?? ""
            }
            return RowDifference(live: ["row": "(\(texts.joined(separator: ",")))"], restored: nil)
        }
        var (values, others, columns) = ([String: String](), [String: String](), Set<String>())
        let count = table.columns.count
        let isThere = row[3 * count].integer == 1
        for (place, column) in table.columns.enumerated() {
            let isTruth = try live.isTruth(column, of: name)
            values[column] = SQLiteText.of(row[place], isTruth: isTruth)
            others[column] = SQLiteText.of(row[count + place], isTruth: isTruth)
            if isThere, row[2 * count + place].integer == 1, table.compared.contains(column) { columns.insert(column) }
        }
        return RowDifference(live: values, restored: isThere ? others : nil, columns: columns)
    }

    /// Values are the same where their bytes and their storage classes are. `+` takes a column's type away, by which a text would
    /// be compared with a number as one.
    private static func differs(_ one: String, _ other: String) -> String {
        "(+\(one) COLLATE BINARY IS NOT +\(other) COLLATE BINARY OR typeof(\(one)) <> typeof(\(other)))"
    }

    private static func anyDiffers(_ columns: [String], _ one: String, _ other: String) -> String {
        let each = columns.map { differs("\(one).\($0.sqliteQuoted)", "\(other).\($0.sqliteQuoted)") }
        return each.isEmpty ? "0" : each.joined(separator: " OR ")
    }

    /// The name of a row's number; `nil` where rows have none, or columns have all its names.
    private static func rowNumber(
        _ table: ComparedTable, _ live: SQLiteSource, _ restored: SQLiteSource
    ) throws(SQLiteError) -> String? {
        for source in [live, restored] {
            let list = try source.connection.run(
                "SELECT wr FROM pragma_table_list WHERE schema = ? AND name = ?",
                [.text(source.file), .text(table.live.table.name)])
            if list.first?["wr"].integer == 1 { return nil }
        }
        let taken = Set((table.live.columns + table.restored.columns).map { $0.lowercased() })
        return ["rowid", "_rowid_", "oid"].first { !taken.contains($0) }
    }

    /// That a row `a` is not in the other table, as it is and under the same number.
    private static func moved(_ table: ComparedTable, in other: String, _ number: String?) -> String {
        guard let number else { return "" }
        return """
            WHERE NOT EXISTS (SELECT 1 FROM \(other) s WHERE s.\(number) = a.\(number)
                AND NOT (\(anyDiffers(table.compared, "a", "s"))))
            """
    }

    private static func byKey(
        _ table: ComparedTable, _ source: (live: String, restored: String), _ number: String?
    ) -> String {
        let columns = table.columns.map(\.sqliteQuoted)
        let values = ["a", "b"].flatMap { side in columns.map { SQLiteText.shortened("\(side).\($0)") } }
        let flags = columns.map { differs("a.\($0)", "b.\($0)") }
        let key = table.live.key.map(\.sqliteQuoted)
        let order = table.key.map { "CAST(a.\($0.sqliteQuoted) AS TEXT) COLLATE BINARY" }
        // A row's number is never NULL, and without one no column of the key is.
        let isThere = "b.\(number ?? key[0]) IS NOT NULL"
        return """
            SELECT \((values + flags + [isThere]).joined(separator: ", "))
            FROM (SELECT * FROM \(source.live) a \(moved(table, in: source.restored, number))) a
            LEFT JOIN \(source.restored) b ON \(key.map { "b.\($0) IS a.\($0)" }.joined(separator: " AND "))
            WHERE NOT (\(isThere)) OR \(anyDiffers(table.compared, "a", "b"))
            ORDER BY \(order.joined(separator: ", "))
            """
    }

    /// Rows without a key: each content, where the live table has it more often than the restored one.
    private static func byContent(
        _ table: ComparedTable, _ source: (live: String, restored: String), _ number: String?
    ) -> String {
        let columns = table.compared.map(\.sqliteQuoted)
        let list = columns.map { "a.\($0) AS \($0)" }.joined(separator: ", ")
        let grouped = columns.map { "+q.\($0) COLLATE BINARY" } + columns.map { "typeof(q.\($0))" }
        return """
            SELECT \(columns.map { SQLiteText.shortened("q.\($0)") }.joined(separator: ", "))
            FROM (SELECT \(list), 1 AS " n" FROM \(source.live) a \(moved(table, in: source.restored, number))
                  UNION ALL
                  SELECT \(list), -1 FROM \(source.restored) a \(moved(table, in: source.live, number))) q
            GROUP BY \(grouped.joined(separator: ", ")) HAVING sum(q." n") > 0
            ORDER BY \(columns.map { "CAST(q.\($0) AS TEXT) COLLATE BINARY" }.joined(separator: ", "))
            """
    }
}
