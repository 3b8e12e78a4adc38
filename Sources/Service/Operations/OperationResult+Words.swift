// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import Backup
import Wording

/// What a person is told of each operation that ended well.
extension OperationResult {
    init(_ outcome: BackupOutcome) {
        let size = HumanUnits.size(outcome.size)
        let duration = HumanUnits.duration(seconds: outcome.seconds)
        let warnings = outcome.warnings
        self.init(
            message: Self.message(outcome),
            output: Self.lines(
                [
                    BilingualText(zh: "备份完成，位置: \(outcome.path)", en: "Backup completed: \(outcome.path)"),
                    BilingualText(
                        zh: "大小 \(size)，\(outcome.manifest.summary.files) 个文件，用时 \(duration)，",
                        en: "\(size), \(outcome.manifest.summary.files) files, \(duration), ")
                        + UnchangedText.of(outcome.unchanged),
                ] + warnings
                    + outcome.removed.map { BilingualText(zh: "已删除过期备份 \($0)", en: "Removed the expired backup \($0)") }
            ),
            backupName: outcome.name.string, size: outcome.size, seconds: outcome.seconds, warnings: warnings,
            removed: outcome.removed.map(\.string), sha256: outcome.digest.hex,
            isSuspicious: outcome.suspicious != nil, isPartial: !outcome.lack.isNothing,
            isVerified: outcome.unchanged == nil, unchanged: outcome.unchanged)
    }

    private static func message(_ outcome: BackupOutcome) -> BilingualText {
        if outcome.suspicious != nil {
            return BilingualText(
                zh: "备份已完成，但可疑，需要人工确认", en: "The backup was made, and is suspicious: somebody has to accept it")
        }
        if !outcome.lack.isNothing {
            return BilingualText(
                zh: "备份已完成，但不完整：数据库引用的部分 artifacts 不在其中",
                en: "The backup was made, and is partial: artifacts that the database names are not in it")
        }
        return BilingualText(zh: "备份成功完成", en: "The backup has been completed")
    }

    init(_ outcome: RestoreOutcome) {
        let duration = HumanUnits.duration(seconds: outcome.seconds)
        var parts: [BilingualText] = [
            BilingualText(
                zh: "已从 \(outcome.backup) 恢复（\(outcome.mode.rawValue)），用时 \(duration)",
                en: "Restored from \(outcome.backup) (\(outcome.mode.rawValue)), \(duration)")
        ]
        if outcome.mode != .artifacts {
            let runs = outcome.manifest.summary.runs ?? 0
            parts.append(
                BilingualText(zh: "数据库行数与备份一致，\(runs) 个运行", en: "Row counts agree with the backup; \(runs) runs"))
        }
        if outcome.mode != .database {
            let same = outcome.unchanged
            parts.append(
                BilingualText(
                    zh: "恢复了 \(outcome.files) 个 artifact 文件" + (same > 0 ? "（其中 \(same) 个本已正确，未重写）" : ""),
                    en: "\(outcome.files) artifact files" + (same > 0 ? ", \(same) of them right already" : "")))
        }
        if let before = outcome.backupBefore {
            parts.append(
                BilingualText(zh: "恢复前已备份现有数据: \(before)", en: "What was live is in the backup \(before), made before"))
        }
        parts += KeptText.lines(outcome.kept, replaced: outcome.replaced)
        self.init(
            message: BilingualText(zh: "恢复成功完成", en: "The restore has been completed"),
            output: Self.lines(parts + outcome.warnings), backupName: outcome.backup.string, size: nil,
            seconds: outcome.seconds, warnings: outcome.warnings, removed: [], sha256: nil)
    }

    init(_ outcome: ClaimJob.Outcome) {
        var texts: [BilingualText] = []
        if !outcome.stacks.isEmpty {
            let names = outcome.stacks.map(\.description)
            texts.append(
                BilingualText(
                    zh: "已接管 \(names.count) 套 MLflow 的备份：\(names.joined(separator: "、"))",
                    en: "Took over the backups of \(names.count) stacks: \(names.joined(separator: ", "))"))
        }
        if !outcome.kept.isEmpty {
            texts.append(
                BilingualText(
                    zh: "已重新登记恢复所保留的数据 \(outcome.kept.count) 份：\(outcome.kept.joined(separator: "、"))",
                    en: "Took up again what restores had kept, \(outcome.kept.count) in all: "
                        + outcome.kept.joined(separator: ", ")))
        }
        if texts.isEmpty {
            texts = [BilingualText(zh: "没有需要接管的备份。", en: "There was nothing to take over.")]
        }
        let message =
            outcome.stacks.isEmpty
            ? BilingualText(zh: "接管完成", en: "The claim has been completed")
            : BilingualText(zh: "接管完成", en: "The backups are this stack's now")
        self.init(
            message: message, output: Self.lines(texts + outcome.warnings), backupName: "", size: nil, seconds: 0,
            warnings: outcome.warnings, removed: [], sha256: nil)
    }

    /// - Parameter part: what a person named, and is gone.
    init(forgotten part: KeptPart) {
        self.init(
            message: BilingualText(zh: "保留数据已删除", en: "What was kept is removed"),
            output: BilingualText(
                zh: "已删除\(part.restoreText.chinese)所保留的数据 \(part.id)",
                en: "Removed what \(part.restoreText.english) had kept as \(part.id)"),
            backupName: part.backup, size: nil, seconds: 0, warnings: [], removed: [], sha256: nil)
    }

    init(_ outcome: UndoOutcome) {
        let undone = outcome.undone.takenBackText
        self.init(
            message: BilingualText(zh: "撤销成功完成", en: "The undo has been completed"),
            output: Self.lines([undone] + KeptText.lines(outcome.kept, replaced: outcome.replaced) + outcome.warnings),
            backupName: outcome.undone.backup, size: nil, seconds: outcome.seconds, warnings: outcome.warnings,
            removed: [], sha256: nil)
    }

    init(_ outcome: VerifyJob.Outcome, seconds: Double) {
        let item = outcome.item
        let digest = outcome.digest
        self.init(
            message: BilingualText(zh: "校验通过", en: "The backup is good"),
            output: Self.lines(
                [
                    BilingualText(
                        zh: "\(item.name) 校验通过：\(HumanUnits.size(item.size))，SHA-256 \(digest)",
                        en: "\(item.name) is good: \(HumanUnits.size(item.size)), SHA-256 \(digest)")
                ] + outcome.notes),
            backupName: item.name.string, size: item.size, seconds: seconds, warnings: outcome.notes, removed: [],
            sha256: digest, isVerified: true)
    }

    private static func lines(_ texts: [BilingualText]) -> BilingualText {
        BilingualText(
            zh: texts.map { $0[.chinese] }.joined(separator: "\n"),
            en: texts.map { $0[.english] }.joined(separator: "\n"))
    }
}
