// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Why a database file of MLflow's could not be named, copied or exchanged, other than what SQLite itself reports (`SQLiteError`).
package enum DatabaseFileError: CodedError, Equatable {
    /// What was given names no file that can be backed up.
    case locationUnusable(uri: String, reason: BilingualText)
    /// The file that says which database this is, and locks it, cannot be made or read where it must lie.
    case identityNotUsable(path: String, reason: BilingualText)
    /// Another operation of ours works on the database.
    case busy(path: String, holder: String?)
    /// Somebody writes so often, to a database with a rollback journal, that no copy came to its end.
    case writersInTheWay(path: String, attempts: Int, seconds: Double)
    /// Somebody held the database longer than was waited.
    case inUse(path: String, seconds: Double, holders: [String])
    /// It did not answer in time.
    case silent(path: String, seconds: Double)
    /// Another file was put in its place while we had it open, or it was removed.
    case moved(path: String)
    /// What SQLite's own check says of a copy: the database it was made of is damaged.
    case damaged(path: String, findings: [String])
    /// The file holds what cannot be exchanged row by row.
    case notExchangeable(path: String, reason: BilingualText)
    /// The file system has no room for what an exchange writes beside the database while it lasts.
    case noRoom(path: String, needed: UInt64, available: UInt64)

    package var errorCode: String {
        switch self {
        case .locationUnusable: "sqlite-location-unusable"
        case .identityNotUsable: "sqlite-identity-not-usable"
        case .busy: "busy"
        case .writersInTheWay: "sqlite-writers-in-the-way"
        case .inUse: "sqlite-in-use"
        case .silent: "sqlite-silent"
        case .moved: "sqlite-moved"
        case .damaged: "sqlite-copy-damaged"
        case .notExchangeable: "sqlite-not-exchangeable"
        case .noRoom: "no-room-for-exchange"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .locationUnusable: .usage
        case .busy: .busy
        case .noRoom: .noRoom
        case .identityNotUsable, .writersInTheWay, .inUse, .silent, .moved, .damaged, .notExchangeable: .unavailable
        }
    }

    package var explanation: BilingualText {
        switch self {
        case .locationUnusable(let uri, let reason):
            BilingualText(
                zh: "无法使用数据库地址 \(uri)：\(reason.chinese)。请写成 sqlite:////绝对路径/mlflow.db。",
                en:
                    "The database URI \(uri) cannot be used: \(reason.english). Write it as sqlite:////absolute/path/mlflow.db."
            )
        case .identityNotUsable(let path, let reason):
            BilingualText(
                zh: "无法使用 \(path)：\(reason.chinese)。该文件标识数据库并用作锁，必须能写在数据库旁边。",
                en:
                    "\(path) cannot be used: \(reason.english). It says which database this is, and is its lock; it must be beside it."
            )
        case .busy(let path, let holder):
            BilingualText(
                zh: "另一个备份或恢复操作正在使用数据库 \(path)\(holder.map { "（\($0)）" } ?? "")，请稍后重试。",
                en:
                    "Another backup or restore works on the database \(path)\(holder.map { " (\($0))" } ?? ""): try again later."
            )
        case .writersInTheWay(let path, let attempts, let seconds):
            BilingualText(
                zh: "无法复制数据库 \(path)：写入过于频繁，\(attempts) 次尝试中每次都已让写入者等待 \(Self.shown(seconds)) 秒而放弃。"
                    + "改用 WAL 模式后写入者不再等待：sqlite3 \(path.shellWord) 'PRAGMA journal_mode=WAL'。",
                en:
                    "The database \(path) could not be copied: of \(attempts) attempts each was given up, because a writer had "
                    + "waited \(Self.shown(seconds)) s. In WAL mode none waits: "
                    + "sqlite3 \(path.shellWord) 'PRAGMA journal_mode=WAL'")
        case .inUse(let path, let seconds, let holders):
            BilingualText(
                zh: "数据库 \(path) 在 \(Self.shown(seconds)) 秒内一直被占用"
                    + (holders.isEmpty ? "。" : "（\(holders.joined(separator: "、"))）。") + "请停止 MLflow 后重试。",
                en: "The database \(path) was in use for \(Self.shown(seconds)) s"
                    + (holders.isEmpty ? ". " : " (\(holders.joined(separator: ", "))). ")
                    + "Stop MLflow, then try again.")
        case .silent(let path, let seconds):
            BilingualText(
                zh: "数据库 \(path) 在 \(Self.shown(seconds)) 秒内没有给出答复。请检查其磁盘，稍后重试。",
                en:
                    "The database \(path) gave no answer within \(Self.shown(seconds)) s. Check its disk, then try again later."
            )
        case .moved(let path):
            BilingualText(
                zh: "数据库文件 \(path) 在此期间被移走或替换，因此未写入任何内容。请确认该文件是 MLflow 正在使用的，再重试。",
                en:
                    "The database file \(path) was moved away, or another one put in its place, meanwhile, so nothing was written. Make sure "
                    + "that it is the one that MLflow uses, then try again.")
        case .damaged(let path, let findings):
            BilingualText(
                zh: "数据库 \(path) 已损坏：\(findings.joined(separator: "；"))。请从较早的备份恢复，或用 sqlite3 的 .recover 取出可读的内容。",
                en:
                    "The database \(path) is damaged: \(findings.joined(separator: "; ")). Restore an earlier backup, or see what "
                    + "sqlite3's .recover can save.")
        case .notExchangeable(let path, let reason):
            BilingualText(
                zh: "无法就地替换数据库 \(path)：\(reason.chinese)。请停止 MLflow，并用恢复出的文件替换它。",
                en:
                    "The database \(path) cannot be exchanged in place: \(reason.english). Stop MLflow, and put the restored file in "
                    + "its place.")
        case .noRoom(let path, let needed, let available):
            Self.noRoom(path, HumanUnits.sizes(needed: needed, available: available))
        }
    }

    private static func noRoom(_ path: String, _ sizes: (needed: String, available: String)) -> BilingualText {
        BilingualText(
            zh: "替换数据库 \(path) 需要 \(sizes.needed) 的空闲空间，该文件系统只有 \(sizes.available)。请释放空间后重试。",
            en:
                "Exchanging the database \(path) needs \(sizes.needed) of free room, and its file system has \(sizes.available): "
                + "free some, then try again.")
    }

    /// With one decimal.
    private static func shown(_ seconds: Double) -> String {
        let tenths = Int(nearest: seconds * 10)
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
