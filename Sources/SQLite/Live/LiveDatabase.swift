// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// One connection to a database that MLflow may write to meanwhile. One thread at a time.
///
/// Nothing else of this process may open the file itself: closing it would drop the locks that SQLite has for this connection
/// (fcntl(2), sqlite.org/howtocorrupt.html 2.2).
package final class LiveDatabase {
    package enum Journal: Sendable, Equatable {
        /// Who reads keeps writers from ending (DELETE, TRUNCATE, PERSIST).
        case rollback
        /// Readers and writers go on side by side.
        case wal
    }

    package let path: FilePath
    package let connection: SQLiteConnection

    /// Opens the file.
    /// - Parameter makes: whether it is made where it is not there.
    /// - Throws: `SQLiteError`.
    package init(_ path: FilePath, makes: Bool = false) throws(SQLiteError) {
        self.path = path
        connection = try SQLiteConnection(path, as: .live, makes ? .create : .readWrite, busyTimeout: Self.pause)
    }

    /// Milliseconds after which whoever waits looks whether it is told to end.
    static let pause: Int32 = 200

    package func journal() throws(SQLiteError) -> Journal {
        try connection.run("PRAGMA main.journal_mode").first?[0].text == "wal" ? .wal : .rollback
    }

    /// Another number once somebody else has written; only numbers of this connection can be compared.
    package func dataVersion() throws(SQLiteError) -> Int64 { try connection.number("main.data_version") }

    /// Bytes of the database, without what a log beside it holds.
    package func size() throws(SQLiteError) -> UInt64 {
        UInt64(clamping: try connection.number("main.page_count"))
            .multiplied(clamped: UInt64(clamping: try connection.number("main.page_size")))
    }

    /// - Returns: one that a module keeps elsewhere, and that cannot be exchanged; `nil` for none.
    package func virtualTable() throws(SQLiteError) -> String? {
        try SchemaObject.all(in: "main", of: connection).first(where: \.isVirtual)?.name
    }

    /// Runs `statement` as soon as nobody's lock stands in its way.
    /// - Throws: `DatabaseFileError.inUse` once the time is up, with who holds it where that can be known.
    func waiting(_ statement: String, atMost seconds: Double, _ cancellation: Cancellation) throws {
        let start = MonotonicTime.nanoseconds()
        while true {
            try cancellation.check()
            do {
                try connection.run(statement)
                return
            } catch let error where error.isBusy {
                let waited = MonotonicTime.seconds(since: start)
                if waited >= seconds {
                    throw DatabaseFileError.inUse(
                        path: path.string, seconds: waited, holders: LockHolders.of(database: path))
                }
            }
        }
    }

    /// Sleeps in pieces.
    static func sleep(_ seconds: Double, _ cancellation: Cancellation) throws {
        let start = MonotonicTime.nanoseconds()
        while MonotonicTime.seconds(since: start) < seconds {
            try cancellation.check()
            usleep(50_000)
        }
    }
}
