// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Which content a database file holds. It lies in a table of ours in the file, is written by the transaction that brings the content
/// in, and goes where the content goes: after a crash it says what became of an exchange.
package struct ContentNumber: Sendable, Hashable {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    /// A table of ours among MLflow's. It is in no survey and no comparison, and no exchange carries it.
    package static let table = "mlflow_backup_content"

    /// - Returns: `nil` where nothing was ever brought into it.
    package static func read(_ connection: SQLiteConnection) throws(SQLiteError) -> ContentNumber? {
        let known = try connection.run(
            "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?", [.text(table)])
        guard !known.isEmpty else { return nil }
        let row = try connection.run("SELECT number FROM main.\(table)").first
        return row?["number"].integer.flatMap(UInt32.init(exactly:)).map(ContentNumber.init)
    }

    /// Gives it to a file of ours that nobody else has open.
    /// - Throws: `SQLiteError`, `SystemError`.
    package func give(to path: FilePath) throws {
        try Self.alone(path) { connection in try connection.transaction { try write(connection) } }
    }

    /// Takes it out of a file of ours that nobody else has open.
    /// - Throws: `SQLiteError`.
    package static func remove(from path: FilePath) throws {
        try alone(path) { try $0.run("DROP TABLE IF EXISTS main.\(table)") }
    }

    /// One that no other content has.
    package static func fresh(but taken: Set<UInt32>) -> ContentNumber {
        var number = UInt32.random(in: 1 ... .max)
        while taken.contains(number) { number = .random(in: 1 ... .max) }
        return ContentNumber(number)
    }

    /// Of a live file, which gets one where nothing was ever brought into it.
    /// - Parameter taken: those of other contents.
    /// - Throws: `SQLiteError`, `DatabaseFileError`.
    package static func given(to live: LiveDatabase, but taken: Set<UInt32> = []) throws -> ContentNumber {
        if let known = try read(live.connection), !taken.contains(known.value) { return known }
        try live.waiting("BEGIN IMMEDIATE", atMost: 10, Cancellation())
        do {
            let number = fresh(but: taken)
            try number.write(live.connection)
            try live.waiting("COMMIT", atMost: 10, Cancellation())
            return number
        } catch {
            live.connection.rollBack()
            throw error
        }
    }

    /// What is in the log is in the file afterwards: the file alone is what is looked at, renamed and kept.
    /// - Throws: `SQLiteError`.
    package static func settle(_ path: FilePath) throws { try alone(path) { _ in } }

    private static func alone(_ path: FilePath, _ body: (SQLiteConnection) throws -> Void) throws {
        let connection = try SQLiteConnection(path, as: .copy, .readWrite, busyTimeout: 0)
        // Nothing is made beside it for a log's sake.
        try connection.run("PRAGMA locking_mode = EXCLUSIVE")
        try connection.run("PRAGMA synchronous = FULL")
        try body(connection)
        guard try connection.run("PRAGMA journal_mode").first?[0].text == "wal" else { return }
        // Closing does it, too, and does not say where it could not.
        let done = try connection.run("PRAGMA wal_checkpoint(TRUNCATE)").first
        guard done?[0].integer == 0, done?[1] == done?[2] else {
            throw connection.damage("what is in its log cannot be brought into the file")
        }
    }

    /// In the transaction that is under way.
    func write(_ connection: SQLiteConnection) throws(SQLiteError) {
        try connection.run("DROP TABLE IF EXISTS main.\(Self.table)")
        try connection.run("CREATE TABLE main.\(Self.table) (number INTEGER NOT NULL)")
        try connection.run("INSERT INTO main.\(Self.table) VALUES (?)", [.integer(Int64(value))])
    }
}
