// SPDX-License-Identifier: Apache-2.0

import CSQLite
import SystemIO

/// One connection to one database file. Not Sendable: its owner keeps it behind a lock.
///
/// Nothing outside this folder sees SQLite's handles or codes.
package final class SQLiteConnection {
    package enum Access: Sendable {
        /// Makes the file where it is not there.
        case create
        /// A file that is there.
        case readWrite
        /// A file that nobody writes to: no lock is taken, and nothing is made beside it (sqlite.org/uri.html, immutable).
        case finished
    }

    let handle: OpaquePointer
    package let path: FilePath
    let file: SQLiteFile
    /// What long work on this connection looks at; kept here because SQLite holds it unretained.
    private var cancellation: Cancellation?

    /// Opens the file.
    /// - Parameters:
    ///   - file: what it is, for the words of errors.
    ///   - busyTimeout: milliseconds to wait for another process's lock before SQLITE_BUSY.
    package init(
        _ path: FilePath, as file: SQLiteFile, _ access: Access = .create, busyTimeout: Int32
    ) throws(SQLiteError) {
        var opened: OpaquePointer?
        let (query, flags): (String, Int32) =
            switch access {
            case .create: ("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
            case .readWrite: ("", SQLITE_OPEN_READWRITE)
            case .finished: ("?immutable=1", SQLITE_OPEN_READONLY)
            }
        let code = sqlite3_open_v2(
            path.sqliteURI + query, &opened, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            // SQLite gives a handle even for a failed open; it carries the message and must be closed.
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLiteError(code: code, message: message, path: path.string, file: file)
        }
        handle = opened
        self.path = path
        self.file = file
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, busyTimeout)
        // A file of others' may hold anything.
        if file != .taskRecords { try check(csqlite_distrust(handle)) }
    }

    deinit { sqlite3_close_v2(handle) }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    package var changedRows: Int { Int(sqlite3_changes(handle)) }

    /// Rows that this connection has changed since it was opened.
    package var allChangedRows: Int { Int(sqlite3_total_changes(handle)) }

    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Milliseconds to wait for another process's lock from now on.
    package func wait(atMost milliseconds: Int32) { sqlite3_busy_timeout(handle, milliseconds) }

    /// Runs one statement to its end. Values are bound, never joined into the text.
    @discardableResult
    package func run(_ sql: String, _ bindings: [SQLiteValue] = []) throws(SQLiteError) -> [SQLiteRow] {
        guard let statement = try SQLiteStatement(sql, on: self) else { return [] }
        try statement.bind(bindings)
        var rows: [SQLiteRow] = []
        while let row = try statement.next() { rows.append(row) }
        return rows
    }

    /// - Throws: `SQLiteError`, also for a text without a statement.
    package func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        guard let statement = try SQLiteStatement(sql, on: self) else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "no statement", path: path.string, file: file)
        }
        return statement
    }

    /// Runs `body` in a write transaction that is rolled back when it throws.
    package func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        // IMMEDIATE: a transaction that begins by reading and then writes could fail with BUSY at once, unwaited.
        try run("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    /// Some errors (disk full, I/O) have rolled back already; what failed before is what the caller hears.
    package func rollBack() {
        if isInTransaction { _ = try? run("ROLLBACK") }
    }

    /// Runs `body`, whose statements end with `CancelledError` once this is cancelled.
    package func heeding<Result>(_ cancellation: Cancellation, _ body: () throws -> Result) throws -> Result {
        self.cancellation = cancellation
        sqlite3_progress_handler(
            handle, 20_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Cancellation>.fromOpaque(context).takeUnretainedValue().isCancelled ? 1 : 0
            }, Unmanaged.passUnretained(cancellation).toOpaque())
        defer {
            sqlite3_progress_handler(handle, 0, nil, nil)
            self.cancellation = nil
        }
        do { return try body() } catch let error as SQLiteError where error.isInterrupted { throw CancelledError() }
    }

    /// Makes the tables of another file, which is there, those of `name`. Not for reading alone (`mode=ro`, `immutable`): from such a file
    /// SQLite copies no table as it is, but row by row into each index (measured on 3.40 with 574 MiB: 20 s instead of 6).
    package func attach(_ other: FilePath, as name: String) throws(SQLiteError) {
        try run("ATTACH DATABASE ? AS \(name.sqliteQuoted)", [.text(other.sqliteURI + "?mode=rw")])
    }

    package func detach(_ name: String) throws(SQLiteError) { try run("DETACH DATABASE \(name.sqliteQuoted)") }

    /// Whether somebody has begun to write to the file, of a database with a rollback journal.
    package func hasWriter() throws(SQLiteError) -> Bool {
        var reserved: Int32 = 0
        try check(csqlite_is_reserved(handle, "main", &reserved))
        return reserved != 0
    }

    /// Whether the file was renamed or removed since it was opened, so that what is written goes where nobody looks.
    package func hasMoved() throws(SQLiteError) -> Bool {
        var moved: Int32 = 0
        try check(csqlite_has_moved(handle, "main", &moved))
        return moved != 0
    }

    /// The number that a pragma answers with.
    package func number(_ pragma: String) throws(SQLiteError) -> Int64 {
        try run("PRAGMA \(pragma)").first?[0].integer ?? 0
    }

    /// What is in the file is not what a sound database has.
    package func damage(_ message: String) -> SQLiteError {
        SQLiteError(code: SQLITE_CORRUPT, message: message, path: path.string, file: file)
    }

    func check(_ code: Int32) throws(SQLiteError) {
        if code != SQLITE_OK { throw failure() }
    }

    func failure() -> SQLiteError {
        SQLiteError(
            code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)),
            path: path.string, file: file)
    }
}

extension String {
    /// As SQL names it, whatever it is.
    package var sqliteQuoted: String { "\"" + escaped("\"") + "\"" }

    /// As a text of SQL.
    package var sqliteLiteral: String { "'" + escaped("'") + "'" }

    /// By scalar: a combining mark behind a quote makes one `Character` of both.
    private func escaped(_ quote: Unicode.Scalar) -> String {
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            text.append(scalar)
            if scalar == quote { text.append(scalar) }
        }
        return String(text)
    }
}

extension FilePath {
    /// `file:/a/b%20c.db` (sqlite.org/uri.html).
    var sqliteURI: String { "file:" + PercentText.encoded(bytes, keeping: [UInt8(ascii: "/")]) }
}
