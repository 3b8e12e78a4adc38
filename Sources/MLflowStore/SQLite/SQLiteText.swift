// SPDX-License-Identifier: Apache-2.0

import SystemIO
import SQLite

/// Values of SQLite as PostgreSQL writes those of MLflow's columns: what names rows and decides rules is text.
enum SQLiteText {
    /// - Parameter isTruth: of a column declared BOOLEAN, which holds 0 and 1.
    static func of(_ value: SQLiteValue, isTruth: Bool) -> String? {
        switch value {
        case .null: nil
        case .integer(let number):
            isTruth && (number == 0 || number == 1) ? (number == 1 ? "true" : "false") : "\(number)"
        case .real(let number): "\(number)"
        case .text(let text): text
        // Neither of them is MLflow's. For a person it is enough, and it is equal only to itself.
        case .otherText(let bytes): "\\t" + HexDigits.text(bytes)
        case .blob(let bytes): "\\x" + HexDigits.text(bytes)
        }
    }

    /// Which columns of a table are declared BOOLEAN.
    static func truths(_ table: String, _ file: String, _ connection: SQLiteConnection) throws(SQLiteError) -> Set<
        String
    > {
        let rows = try connection.run(
            "SELECT name FROM pragma_table_xinfo(?, ?) WHERE type LIKE 'bool%'", [.text(table), .text(file)])
        return Set(rows.compactMap { $0["name"].text })
    }

    /// SQL for a column whose long values are only read at their beginning.
    static func shortened(_ column: String) -> String {
        // Of text with a NUL in it the length would be that before it.
        "CASE WHEN length(CAST(\(column) AS BLOB)) > 300 THEN substr(\(column), 1, 60) || '…' ELSE \(column) END"
    }
}
