// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import Wording

/// What a person at a shell can do about an error, in commands and options. The engines that throw the errors know none.
enum CommandHint {
    static func of(_ error: any Error) -> BilingualText? {
        switch error {
        case BackupError.noSuchBackup:
            BilingualText(zh: "用 mlflow-backup list 查看可用的备份。", en: " `mlflow-backup list` shows those there are.")
        case BackupError.noSuchEntry(let backup, _):
            BilingualText(
                zh: "用 mlflow-backup list \(backup) 查看其内容。", en: " `mlflow-backup list \(backup)` shows what is in it.")
        case BackupError.busy:
            BilingualText(zh: "可用 --wait 延长等待。", en: " --wait waits longer.")
        case BackupError.newerData, BackupError.schemaOlder, BackupError.schemaDiffers:
            BilingualText(zh: "确定要恢复时使用 --force。", en: " To restore all the same, use --force.")
        case BackupError.markedCorrupt(let name, _):
            BilingualText(
                zh: "重新校验：mlflow-backup verify \(name)。", en: " To verify it: `mlflow-backup verify \(name)`.")
        default: nil
        }
    }
}

extension Error {
    /// The explanation, and what to type next where there is something.
    var atTheTerminal: BilingualText { bilingual + (CommandHint.of(self) ?? BilingualText(zh: "", en: "")) }
}
