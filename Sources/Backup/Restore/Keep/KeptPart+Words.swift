// SPDX-License-Identifier: Apache-2.0

import Wording

extension KeptPart {
    /// The restore or the undo that made it, in the middle of a sentence. A record made by `claim` does not know which restore
    /// it was. Of an undo only the restore at the beginning is known: it may have been that of another undo.
    package var restoreText: BilingualText {
        let restore =
            backup.isEmpty
            ? BilingualText(zh: "某次恢复（记录已丢失）", en: "a restore whose record was lost")
            : BilingualText(zh: "对 \(backup) 的恢复", en: "the restore of \(backup)")
        guard isOfUndo == true else { return restore }
        return BilingualText(zh: "\(restore.chinese)之后的撤销", en: "the undo after \(restore.english)")
    }

    /// What is so once it is brought back, as a sentence.
    package var takenBackText: BilingualText {
        let text = restoreText
        return BilingualText(
            zh: "已撤销\(text.chinese)，\(isOfUndo == true ? "该次撤销" : "恢复")前的数据重新生效",
            en: text.english.prefix(1).uppercased() + text.english.dropFirst()
                + " is taken back: what was live before it is live again")
    }
}
