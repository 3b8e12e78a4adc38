// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The rows of a query a batch at a time, so that a table of any length fits into memory. Lives inside the
/// transaction that is open on the session, and ends with it.
package struct RowCursor {
    private let connection: Connection
    private let name: String
    private let batch: Int
    private let cancellation: Cancellation
    private var fetched: ArraySlice<Row> = []
    private var isAtEnd = false

    /// - Parameters:
    ///   - connection: has a transaction open.
    ///   - name: of the cursor; no other that is open on this session may have it.
    ///   - batch: rows fetched at once, at least 1; that many are held in memory.
    /// - Throws: `PostgresError`, or `CancelledError`.
    package init(
        on connection: Connection, named name: String, batch: Int = 1000, cancellation: Cancellation = Cancellation(),
        _ query: SQL
    ) throws {
        self.connection = connection
        self.name = name
        self.batch = max(1, batch)
        self.cancellation = cancellation
        _ = try connection.rows(
            "declare \(identifier: name) no scroll cursor for \(query)", cancellation: cancellation)
    }

    /// - Returns: `nil` after the last row.
    /// - Throws: `PostgresError`, or `CancelledError`.
    package mutating func next() throws -> Row? {
        if fetched.isEmpty, !isAtEnd {
            let rows = try connection.rows(
                "fetch forward \(number: batch) from \(identifier: name)", cancellation: cancellation)
            isAtEnd = rows.count < batch
            fetched = rows[...]
        }
        return fetched.popFirst()
    }

    /// Lets the server forget the query; a new cursor may have the name then.
    package func close() throws(PostgresError) { try connection.execute("close \(identifier: name)") }
}
