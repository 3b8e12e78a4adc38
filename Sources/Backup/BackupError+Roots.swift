// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupError {
    /// Of `rootsOverlap`, `rootsUnknown`, `rootLeft`.
    var rootsExplanation: BilingualText {
        switch self {
        case .rootsOverlap(let inner, let outer):
            BilingualText(
                zh: "artifacts 目录 \(inner) 位于 \(outer) 之内，或就是它：其中的内容会备份两次、恢复两次，因此未做任何操作。"
                    + "请在 ARTIFACTS_DIR 和 ARTIFACT_ROOTS 中只保留外层的目录。",
                en:
                    "The artifacts folder \(inner) is, or lies in, \(outer): what is in it would be backed up twice, and swapped twice by a "
                    + "restore, so nothing was done. Leave only the outer one in ARTIFACTS_DIR and ARTIFACT_ROOTS.")
        case .rootsUnknown(let names):
            BilingualText(
                zh: "该备份还有 artifacts 目录 \(names.joined(separator: "、"))，而 ARTIFACT_ROOTS 中没有它们的位置。"
                    + "请加入 \(Self.line(names))，再恢复。",
                en:
                    "The backup has the artifacts folders \(names.joined(separator: ", ")), too, and ARTIFACT_ROOTS does not say where they are. "
                    + "Add \(Self.line(names)) to it, then restore.")
        case .rootLeft(let name, let journal):
            BilingualText(
                zh: "中断的恢复涉及 artifacts 目录 \(name)（日志 \(journal)），而 ARTIFACT_ROOTS 中已没有它：请加回 \(Self.line([name]))，"
                    + "再运行 mlflow-backup recover。",
                en:
                    "A restore that was interrupted is about the artifacts folder \(name), too (journal \(journal)), and ARTIFACT_ROOTS does "
                    + "not name it any more: add \(Self.line([name])) again, then run `mlflow-backup recover`.")
        default: .empty
        }
    }

    private static func line(_ names: [String]) -> String {
        names.map { "\($0)=/path/of/\($0)" }.joined(separator: " ")
    }
}
