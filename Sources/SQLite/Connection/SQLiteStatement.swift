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
