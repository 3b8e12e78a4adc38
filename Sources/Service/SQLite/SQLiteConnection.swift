// SPDX-License-Identifier: Apache-2.0

import CSQLite
import SystemIO

/// One connection to one database file. Not Sendable: its owner keeps it behind a lock.
///
/// Nothing outside this folder sees SQLite's handles or codes.
final class SQLiteConnection {
    private let handle: OpaquePointer
    private let path: String

    /// Opens or creates the file.
    /// - Parameter busyTimeout: milliseconds to wait for another process's lock before SQLITE_BUSY.
    init(_ path: FilePath, busyTimeout: Int32) throws(SQLiteError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = path.withCString { sqlite3_open_v2($0, &opened, flags, nil) }
        guard code == SQLITE_OK, let opened else {
            // SQLite gives a handle even for a failed open; it carries the message and must be closed.
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLiteError(code: code, message: message, path: path.string)
        }
        handle = opened
        self.path = path.string
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, busyTimeout)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    var changedRows: Int { Int(sqlite3_changes(handle)) }

    /// Rows that this connection has changed since it was opened.
    var allChangedRows: Int { Int(sqlite3_total_changes(handle)) }

    /// Runs one statement to its end. Values are bound, never joined into the text.
    @discardableResult
    func run(_ sql: String, _ bindings: [SQLiteValue] = []) throws(SQLiteError) -> [SQLiteRow] {
        var prepared: OpaquePointer?
        try check(sqlite3_prepare_v2(handle, sql, -1, &prepared, nil))
        // An empty statement prepares to nothing.
        guard let prepared else { return [] }
        defer { sqlite3_finalize(prepared) }
        for (index, value) in bindings.enumerated() { try bind(value, at: Int32(index + 1), to: prepared) }

        var columns: [String: Int] = [:]
        for index in 0..<sqlite3_column_count(prepared) {
            if let name = sqlite3_column_name(prepared, index) { columns[String(cString: name)] = Int(index) }
        }
        var rows: [SQLiteRow] = []
        while true {
            let code = sqlite3_step(prepared)
            if code == SQLITE_DONE { return rows }
            guard code == SQLITE_ROW else { throw failure(code) }
            let values = (0..<sqlite3_column_count(prepared)).map { column($0, of: prepared) }
            rows.append(SQLiteRow(columns: columns, values: values))
        }
    }

    /// Runs `body` in a write transaction that is rolled back when it throws.
    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        // IMMEDIATE: a transaction that begins by reading and then writes could fail with BUSY at once, unwaited.
        try run("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            // Some errors (disk full, I/O) have rolled back already; the first failure is what the caller hears.
            if sqlite3_get_autocommit(handle) == 0 { _ = try? run("ROLLBACK") }
            throw error
        }
    }

    private func bind(_ value: SQLiteValue, at index: Int32, to statement: OpaquePointer) throws(SQLiteError) {
        let code: Int32
        switch value {
        case .null: code = sqlite3_bind_null(statement, index)
        case .integer(let integer): code = sqlite3_bind_int64(statement, index, integer)
        case .real(let real): code = sqlite3_bind_double(statement, index, real)
        case .text(let text): code = csqlite_bind_text(statement, index, text, Int32(clamping: text.utf8.count))
        }
        try check(code)
    }

    private func column(_ index: Int32, of statement: OpaquePointer) -> SQLiteValue {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, index))
        case SQLITE_TEXT:
            guard let bytes = sqlite3_column_text(statement, index) else { return .null }
            let count = Int(sqlite3_column_bytes(statement, index))
            return .text(String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self))
        default: return .null
        }
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        if code != SQLITE_OK { throw failure(code) }
    }

    private func failure(_ code: Int32) -> SQLiteError {
        SQLiteError(
            code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)), path: path)
    }
}
