// SPDX-License-Identifier: Apache-2.0

import Backup
import Wording

/// What a restore replaced, in a few lines: where it is, what of it no backup restored has, and what came in late.
enum KeptText {
    /// Names in one line; the kept part's record has them all.
    private static let shown = 12

    static func lines(_ kept: KeptPart?, replaced: NewerData) -> [BilingualText] {
        var lines: [BilingualText] = []
        if let kept {
            lines.append(
                BilingualText(
                    zh: "被替换的数据保留为 \(kept.id)，可用 mlflow-backup restore --undo 撤销",
                    en: "What was replaced is kept as \(kept.id); mlflow-backup restore --undo brings it back"))
        }
        if !replaced.isEmpty {
            let names = list(replaced.findings.map(\.chinese), replaced.findings.map(\.english), of: replaced.total)
            lines.append(
                BilingualText(
                    zh: "备份中没有而被替换的 \(replaced.total) 项：",
                    en: "Replaced although not in the backup, \(replaced.total): ")
                    + names)
        }
        if let carried = kept?.carried, !carried.isEmpty {
            lines.append(
                BilingualText(zh: "切换期间写入、已并入线上数据的文件：", en: "Files that came in during the swap, now live: ")
                    + list(carried, carried, of: carried.count))
        }
        if let aside = kept?.aside, !aside.isEmpty {
            lines.append(
                BilingualText(zh: "切换期间写入、留在保留数据中的文件：", en: "Files that came in during the swap, kept aside: ")
                    + list(aside, aside, of: aside.count))
        }
        return lines
    }

    private static func list(_ chinese: [String], _ english: [String], of total: Int) -> BilingualText {
        let more = total - min(shown, english.count)
        return BilingualText(
            zh: chinese.prefix(shown).joined(separator: "；") + (more > 0 ? "；另有 \(more) 项" : ""),
            en: english.prefix(shown).joined(separator: "; ") + (more > 0 ? "; and \(more) more" : ""))
    }
}
