// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupName {
    /// What a person is told of a partial backup, with what to do.
    package func partial(_ lack: Lack) -> BilingualText {
        BilingualText(
            zh: "备份 \(self) 不完整：\(lack.text.chinese)。它不会挤掉完整的备份。",
            en: "The backup \(self) is partial: \(lack.text.english). It pushes no whole one out.")
            + BilingualText(
                zh: "请让这些位置可以被备份，或另行备份并写入 ARTIFACT_ROOTS_IGNORED。",
                en:
                    " Make these places reachable, or back them up by themselves and name them in ARTIFACT_ROOTS_IGNORED."
            )
    }
}

extension Lack {
    /// Alone, with a capital.
    var sentence: BilingualText {
        BilingualText(zh: "备份不完整：\(text.chinese)。", en: "The backup is partial: \(text.english).")
    }

    /// `it does not hold s3://bucket/mlflow and 2 more`.
    package var text: BilingualText {
        if self == .unknown {
            return BilingualText(
                zh: "无法查明数据库引用的 artifacts 是否都在其中",
                en: "it could not be told whether all artifacts are in it that the database names")
        }
        let shown = names.prefix(3).map(\.shown)
        let more = names.count - shown.count
        return BilingualText(
            zh: "数据库引用的 \(shown.joined(separator: "、"))\(more > 0 ? " 等 \(names.count) 处" : "")的 artifacts 不在其中",
            en: "it has no artifacts of \(shown.joined(separator: ", "))\(more > 0 ? " and \(more) more places" : "")")
    }
}
