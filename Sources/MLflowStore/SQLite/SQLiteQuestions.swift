// SPDX-License-Identifier: Apache-2.0

import Postgres
import SQLite
import SystemIO

/// Questions to a live database of SQLite, at one moment. Whoever ends a transaction meanwhile waits, where there is a rollback
/// journal: they have one time together.
struct SQLiteQuestions {
    let connection: SQLiteConnection
    private let columns: [String: Set<String>]

    /// Milliseconds that whoever holds the file is waited for.
    private static let patience: Int32 = 1000

    /// Opens the file, asks, and lets go.
    /// - Parameter seconds: for all answers together.
    /// - Throws: `SQLiteError`, `DatabaseFileError.silent` once the time is up.
    static func ask<Answer>(
        _ path: FilePath, atMost seconds: Double, _ body: (SQLiteQuestions) throws -> Answer
    ) throws -> Answer {
        let connection = try SQLiteConnection(path, as: .live, .readWrite, busyTimeout: patience)
        let limit = Cancellation(within: Cancellation(), atMost: seconds)
        do {
            return try connection.heeding(limit) {
                try connection.run("BEGIN")
                defer { connection.rollBack() }
                return try body(SQLiteQuestions(connection))
            }
        } catch is CancelledError {
            throw DatabaseFileError.silent(path: path.string, seconds: seconds)
        }
    }

    private init(_ connection: SQLiteConnection) throws {
        self.connection = connection
        var columns: [String: Set<String>] = [:]
        for table in try SQLiteShapes.tables(in: "main", of: connection) {
            let rows = try connection.run("SELECT name FROM pragma_table_xinfo(?, 'main')", [.text(table)])
            columns[table] = Set(rows.compactMap { $0["name"].text })
        }
        self.columns = columns
    }

    /// Whether MLflow set this database up.
    var isMLflows: Bool { has("alembic_version", "version_num") }

    func has(_ table: String, _ names: String...) -> Bool {
        guard let known = columns[table] else { return false }
        return names.allSatisfy(known.contains)
    }

    func rows(_ sql: String, _ bindings: [SQLiteValue] = []) throws(SQLiteError) -> [SQLiteRow] {
        try connection.run(sql, bindings)
    }

    func count(_ sql: String, _ bindings: [SQLiteValue] = []) throws(SQLiteError) -> Int64 {
        try rows(sql, bindings).first?[0].integer ?? 0
    }
}

extension SQLiteQuestions: StoreTables {
    func named(_ table: String) -> SQL { "\(identifier: table)" }
}
