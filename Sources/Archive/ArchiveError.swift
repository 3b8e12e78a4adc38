// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Why an archive cannot be written, read or trusted.
package enum ArchiveError: ExplainedError, Equatable {
    /// The bytes do not say what they must. `offset` counts bytes of the file as stored.
    case damaged(archive: String, offset: UInt64, reason: BilingualText)
    /// The file ends before its archive does.
    case truncated(archive: String, expected: UInt64?, found: UInt64)
    /// Whole, but not one of our backups.
    case notABackup(archive: String, reason: BilingualText)
    /// A later version of this program made it.
    case newerFormat(archive: String, format: Int, known: Int)
    /// An entry that would be written outside its folder, or that is not a file, folder or link.
    case unsafeEntry(archive: String, path: String, reason: BilingualText)
    /// A source file that exists and cannot be read: a backup without it would only look whole.
    case unreadable(path: String, reason: BilingualText)
    case nothingToBackUp(folder: String)
    /// The archive that unchanged members were taken from is not what it was when it was verified.
    case previousDamaged(archive: String, offset: UInt64)
    /// The compressor broke its contract; nothing was published.
    case compression(reason: BilingualText)

    package var explanation: BilingualText {
        switch self {
        case .damaged(let archive, let offset, let reason):
            BilingualText(
                zh: "\(archive) 已损坏（偏移 \(offset)：\(reason.chinese)）。请改用其他备份；此备份没有写入任何数据。",
                en:
                    "\(archive) is damaged at byte \(offset): \(reason.english). Use another backup; nothing was written from this one."
            )
        case .truncated(let archive, let expected, let found):
            BilingualText(
                zh: "\(archive) 不完整：应为 \(expected.map { "\($0)" } ?? "更多") 字节，实际 \(found) 字节。请重新复制，或改用其他备份。",
                en: "\(archive) is cut short: \(found) bytes of \(expected.map { "\($0)" } ?? "more"). "
                    + "Copy it again, or use another backup.")
        case .notABackup(let archive, let reason):
            BilingualText(
                zh: "\(archive) 不是 MLflow 备份（\(reason.chinese)）。请选择由 mlflow-backup 生成的归档。",
                en: "\(archive) is not an MLflow backup (\(reason.english)). Choose an archive made by mlflow-backup.")
        case .newerFormat(let archive, let format, let known):
            BilingualText(
                zh: "\(archive) 的索引格式为 \(format)，本程序最高能读 \(known)。请用更新的 mlflow-backup 读取它。",
                en:
                    "The index of \(archive) is of format \(format), and this program reads up to \(known). Read it with a newer mlflow-backup."
            )
        case .unsafeEntry(let archive, let path, let reason):
            BilingualText(
                zh: "\(archive) 含有不安全的条目 \(path)（\(reason.chinese)），已拒绝恢复。请不要使用来历不明的归档。",
                en:
                    "\(archive) holds an unsafe entry, \(path) (\(reason.english)), and was refused. Do not use archives of unknown origin."
            )
        case .unreadable(let path, let reason):
            BilingualText(
                zh: "无法读取 \(path)（\(reason.chinese)），因此操作未完成。请修正权限或磁盘问题后重试。",
                en:
                    "\(path) cannot be read (\(reason.english)), so this was given up. Mend its permissions or the disk, then try again."
            )
        case .nothingToBackUp(let folder):
            BilingualText(
                zh: "找不到 artifacts 目录 \(folder)，因此没有生成备份。请检查 ARTIFACTS_DIR 和挂载。",
                en:
                    "The artifacts folder \(folder) is missing, so no backup was made. Check ARTIFACTS_DIR and its mount."
            )
        case .previousDamaged(let archive, let offset):
            BilingualText(
                zh: "上一个备份 \(archive) 在偏移 \(offset) 处已损坏，不能再用作增量来源。新的备份将完全从源数据生成。",
                en:
                    "The backup before, \(archive), is damaged at byte \(offset) and was not used again. The new backup is made wholly from the live data."
            )
        case .compression(let reason):
            BilingualText(
                zh: "压缩出错：\(reason.chinese)。没有生成备份；请检查内存并重试。",
                en: "Compression failed: \(reason.english). No backup was made; check the memory and try again.")
        }
    }
}

/// What several readers and writers find.
extension ArchiveError {
    static let nameTwice = BilingualText(zh: "同一名称出现两次", en: "the same name comes twice")
    static let hardLinkLeaving = BilingualText(zh: "指向目录之外的硬链接", en: "a hard link that leaves its folder")
    static let linkLeaving = BilingualText(zh: "指向目录之外的链接", en: "a link that leaves its folder")
    static let footerChanged = BilingualText(zh: "尾部已改变", en: "its footer has changed")
}
