// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupError {
    /// An older schema can be restored and then upgraded; a newer one needs another MLflow first.
    var schemaExplanation: BilingualText {
        switch self {
        case .schemaOlder(let backup, let revision, let live, _, true):
            BilingualText(
                zh: "\(backup) 的数据库结构（\(revision)）比当前 MLflow 的（\(live)）旧。强制恢复会先用当前 MLflow 升级恢复出的数据库，再切换。",
                en:
                    "\(backup) has an older schema (\(revision)) than the live MLflow (\(live)). A restore with force upgrades "
                    + "the restored database by that MLflow before it is put in place.")
        case .upgradeFailed(let backup, let revision, let live, let program, let reason, let lines):
            BilingualText(
                zh: "从 \(backup) 恢复出的数据库未能从结构 \(revision) 升级到 \(live)（\(program)：\(reason.chinese)），因此没有改动任何数据。"
                    + "请排除原因后再恢复；若清空 DATABASE_UPGRADE_PROGRAM，则恢复后需自行升级。\(Self.quoted(lines, "输出："))",
                en:
                    "The database restored from \(backup) could not be upgraded from schema \(revision) to \(live) (\(program): "
                    + "\(reason.english)), so nothing live was changed. Remove the cause and restore again; with "
                    + "DATABASE_UPGRADE_PROGRAM empty it is restored as it was, to be upgraded afterwards.\(Self.quoted(lines, " It said: "))"
            )
        case .schemaOlder(let backup, let revision, let live, let command, false):
            BilingualText(
                zh: "\(backup) 的数据库结构（\(revision)）比当前 MLflow 的（\(live)）旧：恢复后需要升级数据库，MLflow 才能使用它。",
                en: "\(backup) has an older schema (\(revision)) than the live MLflow (\(live)): after the restore the "
                    + "database must be upgraded before MLflow can use it.") + Self.upgradeAdvice(command)
        case .schemaNewer(let backup, let revision, let live, let install):
            BilingualText(
                zh: "\(backup) 的数据库结构（\(revision)）比当前 MLflow 的（\(live)）新，当前 MLflow 无法使用，因此拒绝恢复。"
                    + "请先安装 MLflow \(install ?? "（不低于生成该备份的版本）")，再恢复。",
                en:
                    "\(backup) has a newer schema (\(revision)) than the live MLflow (\(live)), which could not use it: "
                    + "refused. First install MLflow \(install ?? "(at least the version that made the backup)"), then restore."
            )
        default: BilingualText.empty
        }
    }

    private static func quoted(_ lines: [String], _ words: String) -> String {
        lines.isEmpty ? "" : words + lines.joined(separator: " | ")
    }

    /// What upgrades the database after a restore of an older revision: for this error, and for the warnings of a restore
    /// that was made all the same.
    /// - Parameter command: MLFLOW_UPGRADE_COMMAND; `nil` where nobody said how MLflow runs here.
    package static func upgradeAdvice(_ command: String?) -> BilingualText {
        guard let command else {
            return BilingualText(
                zh: "升级命令：在 MLflow 的环境中运行 mlflow db upgrade 数据库地址。",
                en: " To upgrade, run `mlflow db upgrade DATABASE-URI` where MLflow is installed.")
        }
        return BilingualText(zh: "升级命令：\(command)", en: " To upgrade, run: \(command)")
    }
}
