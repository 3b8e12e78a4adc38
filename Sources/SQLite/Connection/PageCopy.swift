// SPDX-License-Identifier: Apache-2.0

import CSQLite
import SystemIO

/// Copies a database page by page from one connection to another (sqlite.org/c3ref/backup_finish.html).
///
/// As long as the source connection is in a transaction nobody changes what it sees, and no step begins anew.
final class PageCopy {
    private var handle: OpaquePointer?
    private let source: SQLiteConnection
    private let target: SQLiteConnection

    init(from source: SQLiteConnection, to target: SQLiteConnection) throws(SQLiteError) {
        guard let begun = sqlite3_backup_init(target.handle, "main", source.handle, "main") else {
            throw target.failure()
        }
        handle = begun
        self.source = source
        self.target = target
    }

    deinit { sqlite3_backup_finish(handle) }

    /// - Parameter pages: how many at most.
    /// - Returns: whether all have been copied.
    func step(_ pages: Int32) throws(SQLiteError) -> Bool {
        let code = sqlite3_backup_step(handle, pages)
        switch code {
        case SQLITE_DONE: return true
        case SQLITE_OK: return false
        default:
            // The words are only with the target once it is finished.
            throw SQLiteError(
                code: code, message: String(cString: sqlite3_errstr(code)),
                path: (Self.isOfTarget(code) ? target : source).path.string,
                file: (Self.isOfTarget(code) ? target : source).file)
        }
    }

    /// Pages that are still to be copied, and all.
    var remaining: (pages: Int64, all: Int64) {
        (Int64(sqlite3_backup_remaining(handle)), Int64(sqlite3_backup_pagecount(handle)))
    }

    /// - Throws: what a step reported.
    func finish() throws(SQLiteError) {
        let code = sqlite3_backup_finish(handle)
        handle = nil
        if code != SQLITE_OK { throw target.failure() }
    }

    /// A disk without room is that of what is written.
    private static func isOfTarget(_ code: Int32) -> Bool { code & 0xff == SQLITE_FULL }
}
