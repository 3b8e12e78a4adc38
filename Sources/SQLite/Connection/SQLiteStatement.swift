// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// A prepared statement that is run as often as needed, row by row: no more than one row is in memory.
package final class SQLiteStatement {
    private let handle: OpaquePointer
    /// Kept open as long as its statements are.
    private let connection: SQLiteConnection
    private let columns: [String: Int]

    /// - Returns: `nil` for an empty text, and for a comment.
    init?(_ sql: String, on connection: SQLiteConnection) throws(SQLiteError) {
        var prepared: OpaquePointer?
        try connection.check(sqlite3_prepare_v2(connection.handle, sql, -1, &prepared, nil))
        guard let prepared else { return nil }
        handle = prepared
        self.connection = connection
        var columns: [String: Int] = [:]
        for index in 0..<sqlite3_column_count(prepared) {
            if let name = sqlite3_column_name(prepared, index) { columns[String(cString: name)] = Int(index) }
        }
        self.columns = columns
    }

    deinit { sqlite3_finalize(handle) }

    /// Begins anew, with other values. Values are bound, never joined into the text.
    package func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        // It repeats the error of the step before, which was thrown then.
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        for (index, value) in values.enumerated() { try bind(value, at: Int32(clamping: index + 1)) }
    }

    /// - Returns: `nil` at the end.
    package func next() throws(SQLiteError) -> SQLiteRow? {
        let code = sqlite3_step(handle)
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else {
            // Its locks go with it.
            defer { sqlite3_reset(handle) }
            throw connection.failure()
        }
        return SQLiteRow(columns: columns, values: (0..<sqlite3_column_count(handle)).map(column))
    }

    /// Adds the next row as bytes that only this row gives: of each column its class, and the length of what has one, before its content.
    /// - Returns: whether there was one.
    package func appendNext(to bytes: inout [UInt8]) throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_DONE { return false }
        guard code == SQLITE_ROW else {
            defer { sqlite3_reset(handle) }
            throw connection.failure()
        }
        for index in 0..<sqlite3_column_count(handle) { append(index, to: &bytes) }
        return true
    }

    private func append(_ index: Int32, to bytes: inout [UInt8]) {
        func add(_ number: UInt64) { withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) } }
        let type = sqlite3_column_type(handle, index)
        bytes.append(UInt8(truncatingIfNeeded: type))
        switch type {
        case SQLITE_INTEGER: add(UInt64(bitPattern: sqlite3_column_int64(handle, index)))
        case SQLITE_FLOAT: add(sqlite3_column_double(handle, index).bitPattern)
        case SQLITE_TEXT, SQLITE_BLOB:
            // In this order: the length is that of what was converted.
            let first =
                type == SQLITE_TEXT
                ? UnsafeRawPointer(sqlite3_column_text(handle, index)) : sqlite3_column_blob(handle, index)
            let count = Int(sqlite3_column_bytes(handle, index))
            add(UInt64(count))
            if let first { bytes.append(contentsOf: UnsafeRawBufferPointer(start: first, count: count)) }
        default: break
        }
    }

    /// Lets go of the rows that were not read.
    package func reset() { sqlite3_reset(handle) }

    private func bind(_ value: SQLiteValue, at index: Int32) throws(SQLiteError) {
        let code: Int32
        switch value {
        case .null: code = sqlite3_bind_null(handle, index)
        case .integer(let integer): code = sqlite3_bind_int64(handle, index, integer)
        case .real(let real): code = sqlite3_bind_double(handle, index, real)
        case .text(let text): code = csqlite_bind_text(handle, index, text, UInt64(text.utf8.count))
        case .otherText(let bytes): code = csqlite_bind_text(handle, index, bytes, UInt64(bytes.count))
        case .blob(let bytes): code = csqlite_bind_blob(handle, index, bytes, UInt64(bytes.count))
        }
        try connection.check(code)
    }

    private func column(_ index: Int32) -> SQLiteValue {
        switch sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, index))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, index))
        case SQLITE_TEXT:
            guard let first = sqlite3_column_text(handle, index) else { return .null }
            let bytes = UnsafeBufferPointer(start: first, count: Int(sqlite3_column_bytes(handle, index)))
            return String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .otherText(Array(bytes))
        case SQLITE_BLOB:
            guard let first = sqlite3_column_blob(handle, index) else { return .blob([]) }
            let count = Int(sqlite3_column_bytes(handle, index))
            return .blob(Array(UnsafeRawBufferPointer(start: first, count: count)))
        default: return .null
        }
    }
}
