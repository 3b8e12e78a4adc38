// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Wording

/// What a file of SQLite is, for whoever reads that something is wrong with it.
package enum SQLiteFile: Sendable, Equatable {
    /// The records of our own tasks.
    case taskRecords
    /// A database that MLflow writes to.
    case live
    /// What a backup holds of one, or what was made of that for a restore.
    case copy

    var name: BilingualText {
        switch self {
        case .taskRecords: BilingualText(zh: "任务数据库", en: "Task database")
        case .live: BilingualText(zh: "MLflow 的 SQLite 数据库", en: "MLflow's SQLite database")
        case .copy: BilingualText(zh: "数据库副本", en: "Copy of a database")
        }
    }
}

/// What SQLite reported: its extended result code and its own words.
package struct SQLiteError: CodedError, Equatable {
    /// An extended result code (sqlite.org/rescode.html).
    package let code: Int32
    package let message: String
    package let path: String
    package let file: SQLiteFile

    package init(code: Int32, message: String, path: String, file: SQLiteFile) {
        (self.code, self.message, self.path, self.file) = (code, message, path, file)
    }

    /// The low byte names the family of an extended code.
    private var family: Int32 { code & 0xff }

    /// The file's content is not a sound database.
    package var isCorrupt: Bool { family == SQLITE_CORRUPT || family == SQLITE_NOTADB }
    /// A row with that key is there already.
    package var isDuplicate: Bool { family == SQLITE_CONSTRAINT }
    /// The statement does not fit the tables: of a statement of ours, these are not what they were made as.
    package var isOfSchema: Bool { family == SQLITE_ERROR }
    /// Somebody else held the lock longer than the busy time-out.
    package var isBusy: Bool { family == SQLITE_BUSY }
    /// There is no room for what was to be written.
    package var isFull: Bool { family == SQLITE_FULL }
    var isInterrupted: Bool { family == SQLITE_INTERRUPT }

    package var errorCode: String {
        switch (file, family) {
        case (_, SQLITE_FULL): "disk-full"
        case (.taskRecords, _): "task-database-error"
        case (_, SQLITE_BUSY), (_, SQLITE_LOCKED): "sqlite-locked"
        case (_, SQLITE_CORRUPT), (_, SQLITE_NOTADB): "sqlite-damaged"
        case (_, SQLITE_CANTOPEN), (_, SQLITE_PERM), (_, SQLITE_READONLY), (_, SQLITE_AUTH): "sqlite-not-usable"
        default: "sqlite-error"
        }
    }

    /// The store is opened anew until it is well.
    package var failureKind: FailureKind { isFull ? .noRoom : .unavailable }

    package var explanation: BilingualText {
        BilingualText(
            zh: "\(file.name.chinese) \(path) 出错：\(message)（代码 \(code)）。",
            en: "\(file.name.english) \(path): \(message) (code \(code)). ") + advice
    }

    private var advice: BilingualText {
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
            file == .taskRecords
                ? BilingualText(
                    zh: "另一个进程长时间占用了任务数据库，请稍后重试。",
                    en: "Another process held the task database for too long: try again later.")
                : BilingualText(
                    zh: "另一个进程长时间占用了它，请稍后重试，或先停止 MLflow。",
                    en: "Another process held it for too long: try again later, or stop MLflow first.")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            switch file {
            case .taskRecords: BilingualText.empty
            case .live:
                BilingualText(
                    zh: "该文件已损坏或不是数据库：请从较早的备份恢复，或用 sqlite3 的 .recover 取出可读的内容。",
                    en:
                        "It is damaged, or no database: restore an earlier backup, or see what sqlite3's .recover can save."
                )
            case .copy:
                BilingualText(zh: "请使用另一个备份。", en: "Use another backup.")
            }
        default: BilingualText.empty
        }
    }
}
