// SPDX-License-Identifier: Apache-2.0

import Postgres
import SQLite

/// A database of SQLite, on a connection that may hold several.
final class SQLiteSource: RowSource {
    let connection: SQLiteConnection
    /// `main`, or the name of an attached file.
    let file: String
    let shapes: [QualifiedTable: TableShape]
    private var truths: [String: Set<String>] = [:]

    init(_ connection: SQLiteConnection, _ file: String) throws {
        self.connection = connection
        self.file = file
        shapes = try SQLiteShapes.all(in: file, of: connection)
    }

    func isTruth(_ column: String, of table: String) throws(SQLiteError) -> Bool {
        if let known = truths[table] { return known.contains(column) }
        let found = try SQLiteText.truths(table, file, connection)
        truths[table] = found
        return found.contains(column)
    }

    func rows(
        of table: QualifiedTable, by columns: [String], _ keys: Set<[String]>, reading wanted: [String]
    ) throws -> [[String]: [String: String]] {
        guard let read = columnsToRead(of: table, by: columns, keys, reading: wanted) else { return [:] }
        let selected = read.map { SQLiteText.shortened("t.\($0.sqliteQuoted)") }.joined(separator: ", ")
        // The column decides how it is compared with a text: the number 7 is found by "7".
        let tested = columns.map { "t.\($0.sqliteQuoted) = ?" }.joined(separator: " AND ")
        let statement = try connection.prepare(
            """
            SELECT \(selected) FROM \(file.sqliteQuoted).\(table.name.sqliteQuoted) t WHERE \(tested) LIMIT 1
            """)
        var found: [[String]: [String: String]] = [:]
        for key in keys {
            try statement.bind(key.map { .text($0) })
            guard let row = try statement.next() else { continue }
            var values: [String: String] = [:]
            for (place, column) in read.enumerated() {
                values[column] = SQLiteText.of(row[place], isTruth: try isTruth(column, of: table.name))
            }
            found[key] = values
        }
        statement.reset()
        return found
    }
}
