// SPDX-License-Identifier: Apache-2.0

import Wording

extension KeptPart {
    /// The restore that made it, in the middle of a sentence. A record made by `claim` does not know which it was.
    public var restoreText: BilingualText {
        backup.isEmpty
            ? BilingualText(zh: "某次恢复（记录已丢失）", en: "a restore whose record was lost")
            : BilingualText(zh: "对 \(backup) 的恢复", en: "the restore of \(backup)")
    }
}
