// SPDX-License-Identifier: Apache-2.0

import Backup
import Wording

/// What the engines came to, in the words and numbers of a task's record.
extension Operations {
    func backupResult(_ outcome: BackupOutcome) -> OperationResult {
        let size = HumanUnits.size(outcome.size)
        let duration = HumanUnits.duration(seconds: outcome.seconds)
        let warnings = outcome.warnings
        return OperationResult(
            message: outcome.suspicious == nil
                ? BilingualText(zh: "备份成功完成", en: "The backup has been completed")
                : BilingualText(
                    zh: "备份已完成，但可疑，需要人工确认", en: "The backup was made, and is suspicious: somebody has to accept it"),
            output: lines(
                [
                    BilingualText(zh: "备份完成，位置: \(outcome.path)", en: "Backup completed: \(outcome.path)"),
                    BilingualText(
                        zh: "大小 \(size)，\(outcome.manifest.artifacts.files) 个文件，用时 \(duration)，已校验",
                        en: "\(size), \(outcome.manifest.artifacts.files) files, \(duration), verified"),
                ] + warnings
                    + outcome.removed.map { BilingualText(zh: "已删除过期备份 \($0)", en: "Removed the expired backup \($0)") }
            ),
            backupName: outcome.name.string, size: outcome.size, seconds: outcome.seconds, warnings: warnings,
            removed: outcome.removed.map(\.string), sha256: outcome.digest.hex,
            isSuspicious: outcome.suspicious != nil)
    }

    func restoreResult(_ outcome: RestoreOutcome) -> OperationResult {
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
        return OperationResult(
            message: BilingualText(zh: "恢复成功完成", en: "The restore has been completed"),
            output: lines(parts + outcome.warnings), backupName: outcome.backup.string, size: nil,
            seconds: outcome.seconds, warnings: outcome.warnings, removed: [], sha256: nil)
    }

    func undoResult(_ outcome: UndoOutcome) -> OperationResult {
        let undone = BilingualText(
            zh: "已撤销对 \(outcome.undone.backup) 的恢复，恢复前的数据重新生效",
            en: "The restore of \(outcome.undone.backup) is taken back: what was live before is live again")
        return OperationResult(
            message: BilingualText(zh: "撤销成功完成", en: "The undo has been completed"),
            output: lines([undone] + KeptText.lines(outcome.kept, replaced: outcome.replaced) + outcome.warnings),
            backupName: outcome.undone.backup, size: nil, seconds: outcome.seconds, warnings: outcome.warnings,
            removed: [], sha256: nil)
    }

    func verifyResult(_ outcome: VerifyJob.Outcome, seconds: Double) -> OperationResult {
        let item = outcome.item
        let digest = item.sidecar?.sha256 ?? ""
        return OperationResult(
            message: BilingualText(zh: "校验通过", en: "The backup is good"),
            output: lines(
                [
                    BilingualText(
                        zh: "\(item.name) 校验通过：\(HumanUnits.size(item.size))，SHA-256 \(digest)",
                        en: "\(item.name) is good: \(HumanUnits.size(item.size)), SHA-256 \(digest)")
                ] + outcome.notes),
            backupName: item.name.string, size: item.size, seconds: seconds, warnings: outcome.notes, removed: [],
            sha256: digest)
    }

    func claimResult(_ taken: [StackIdentity]) -> OperationResult {
        plainResult(
            message: BilingualText(zh: "接管完成", en: "The backups have been taken over"),
            output: taken.isEmpty
                ? BilingualText(zh: "备份目录中没有属于其他 MLflow 的备份。", en: "The folder holds no backups of another MLflow.")
                : lines(
                    taken.map { other in
                        BilingualText(
                            zh: "已接管数据库 \(other.database)（系统标识 \(other.system)）的备份",
                            en:
                                "Took over the backups of database \(other.database) (system identifier \(other.system))"
                        )
                    }))
    }

    func forgetResult(_ part: KeptPart) -> OperationResult {
        plainResult(
            message: BilingualText(zh: "已清除", en: "What was kept has been removed"),
            output: BilingualText(
                zh: "已删除恢复 \(part.backup) 时保留的旧数据 \(part.id)",
                en: "Removed \(part.id), which the restore of \(part.backup) had kept"))
    }

    private func plainResult(message: BilingualText, output: BilingualText) -> OperationResult {
        OperationResult(
            message: message, output: output, backupName: nil, size: nil, seconds: 0, warnings: [], removed: [],
            sha256: nil)
    }

    private func lines(_ texts: [BilingualText]) -> BilingualText {
        BilingualText(
            zh: texts.map { $0[.chinese] }.joined(separator: "\n"),
            en: texts.map { $0[.english] }.joined(separator: "\n"))
    }
}
