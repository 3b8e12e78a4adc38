// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Wording

/// What SQLite reported: its extended result code and its own words.
package struct SQLiteError: CodedError, Equatable {
    /// An extended result code (sqlite.org/rescode.html).
    package let code: Int32
    package let message: String
    package let path: String

    /// The low byte names the family of an extended code.
    private var family: Int32 { code & 0xff }

    /// The file's content is not a sound database.
    package var isCorrupt: Bool { family == SQLITE_CORRUPT || family == SQLITE_NOTADB }
    /// A row with that key is there already.
    package var isDuplicate: Bool { family == SQLITE_CONSTRAINT }
    /// The statement does not fit the tables: of a statement of ours, these are not what they were made as.
    var isOfSchema: Bool { family == SQLITE_ERROR }
    /// Somebody else held the lock longer than the busy time-out.
    package var isBusy: Bool { family == SQLITE_BUSY }

    package var errorCode: String { family == SQLITE_FULL ? "disk-full" : "task-database-error" }

    /// The store is opened anew until it is well.
    package var failureKind: FailureKind { family == SQLITE_FULL ? .noRoom : .unavailable }

    package var explanation: BilingualText {
        let advice: BilingualText =
            switch family {
            case SQLITE_FULL:
                BilingualText(zh: "磁盘已满：请释放空间后重试。", en: "The disk is full: free some room, then try again.")
            // So SQLite says where the memory that its processes share has no room (SQLITE_IOERR_SHMSIZE).
            case SQLITE_IOERR:
                BilingualText(
                    zh: "请检查磁盘是否已满或损坏。", en: "Check whether the disk is full, or broken.")
            case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY:
                BilingualText(
                    zh: "请检查该文件夹是否存在、是否可写。", en: "Check that its folder exists and is writable.")
            case SQLITE_BUSY:
                BilingualText(
                    zh: "另一个进程长时间占用了任务数据库，请稍后重试。",
                    en: "Another process held the task database for too long: try again later.")
            default: BilingualText.empty
            }
        return BilingualText(
            zh: "任务数据库 \(path) 出错：\(message)（代码 \(code)）。", en: "Task database \(path): \(message) (code \(code)). ")
            + advice
    }
}

extension SQLiteError {
    /// For a database that opens but does not pass its own integrity check.
    static let corruptCode = SQLITE_CORRUPT
}
