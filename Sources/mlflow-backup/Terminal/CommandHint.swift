// SPDX-License-Identifier: Apache-2.0

import Service
import Wording

/// What a person at a shell can do about an error, in commands and options. The engines that throw the errors know no
/// options; the API has words of its own.
enum CommandHint {
    /// - Returns: an empty text where there is nothing to say.
    static func of(_ remedy: Remedy?) -> BilingualText {
        switch remedy {
        case .listBackups:
            BilingualText(zh: "用 mlflow-backup list 查看可用的备份。", en: " `mlflow-backup list` shows those there are.")
        case .listContents(let backup):
            BilingualText(
                zh: "用 mlflow-backup list \(backup.shellWord) 查看其内容。",
                en: " `mlflow-backup list \(backup.shellWord)` shows what is in it.")
        case .waitLonger: BilingualText(zh: "可用 --wait 延长等待。", en: " --wait waits longer.")
        case .force: BilingualText(zh: "确定要恢复时使用 --force。", en: " To restore all the same, use --force.")
        case .skipBackup:
            BilingualText(
                zh: "不需要事先备份时使用 --no-backup。", en: " To go on without that backup, use --no-backup.")
        case .verify(let backup):
            BilingualText(
                zh: "重新校验：mlflow-backup verify \(backup.shellWord)。",
                en: " To verify it: `mlflow-backup verify \(backup.shellWord)`.")
        // Of tasks the service alone knows more.
        case .listTasks, .follow, nil: BilingualText.empty
        }
    }
}

extension Error {
    /// The explanation, and what to type next where there is something.
    var atTheTerminal: BilingualText { bilingual + CommandHint.of(Remedy(self)) }
}
