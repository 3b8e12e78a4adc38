// SPDX-License-Identifier: Apache-2.0

import Wording

/// Why the task store refused, other than what SQLite itself reports (`SQLiteError`).
package enum TaskStoreError: CodedError, Equatable {
    case noSuchTask(String)
    /// The database was written by a newer version of this program.
    case newerSchema(path: String, found: Int, known: Int)
    /// Another process is opening or replacing the database and does not come to an end.
    case openingBusy(path: String)
    /// A folder, a pipe or the like in the place of the database.
    case notAFile(path: String)

    package var errorCode: String {
        switch self {
        case .noSuchTask: "no-such-task"
        case .newerSchema: "task-database-newer"
        case .openingBusy: "task-database-busy"
        case .notAFile: "task-database-not-a-file"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .noSuchTask: .notFound
        case .newerSchema, .openingBusy, .notAFile: .unavailable
        }
    }

    package var explanation: BilingualText {
        switch self {
        case .noSuchTask(let id):
            BilingualText(
                zh: "没有任务 \(id)。结束超过 24 小时的任务记录可能已被清理。",
                en: "There is no task \(id). Finished ones may have been cleaned up.")
        case .newerSchema(let path, let found, let known):
            BilingualText(
                zh: "任务数据库 \(path) 由更新版本的程序写成（格式 \(found)，本程序认识 \(known)）。"
                    + "请使用新版本，或把该文件移走（只会丢失任务记录，不影响备份）。",
                en: "Task database \(path) was written by a newer version (format \(found), this one knows \(known)). "
                    + "Use the newer version, or move the file away: only task records are lost, no backup.")
        case .openingBusy(let path):
            BilingualText(
                zh: "另一个进程正在打开或修复任务数据库 \(path)，请稍后重试。",
                en: "Another process is opening or repairing the task database \(path): try again later.")
        case .notAFile(let path):
            BilingualText(
                zh: "\(path) 应为任务数据库，却不是文件。请将其移走，本服务会重新创建。",
                en: "\(path), where the task database must be, is no file. Move it away; it is made anew.")
        }
    }
}
