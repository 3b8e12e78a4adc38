// SPDX-License-Identifier: Apache-2.0

import Wording

extension KeptParts {
    /// What a person has to decide on: kept parts that stay because no backup holds all of them.
    public func warnings() throws -> [BilingualText] {
        try all().compactMap { part in
            guard let missing = part.missing, !missing.isEmpty else { return nil }
            return BilingualText(
                zh: "恢复 \(part.backup) 时保留的数据 \(part.id) 中有备份里没有的内容：\(missing.shown(.chinese))。"
                    + "可用 mlflow-backup restore --undo 取回；不需要时运行 mlflow-backup forget \(part.id)。",
                en:
                    "What the restore of \(part.backup) replaced, kept as \(part.id), has something that no backup holds: "
                    + "\(missing.shown(.english)). mlflow-backup restore --undo brings it back; if it is not needed, run "
                    + "`mlflow-backup forget \(part.id)`.")
        }
    }
}
