// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupPreflight {
    /// Notices alone: a backup of what is here is worth having whatever is elsewhere.
    func noteElsewhere(_ findings: inout Findings) {
        // A database that does not answer is told of already.
        guard findings.first(.database) == nil else { return }
        do {
            // Who asks every few seconds does not have a bucket listed each time, and a backup asks when it has made its dump.
            let found = try stack.coverage(atMost: isHasty ? 2 : 10, asksServer: !isHasty && !isFollowed).elsewhere
            findings.noteGaps(.artifacts, found?.gaps(.backup, artifacts: stack.artifacts) ?? [])
            // Nor does he wait for a key to be derived.
            let verdicts = isHasty ? [:] : stack.keyVerdicts(found)
            findings.note(.artifacts, found?.beside(.backup, keys: verdicts) ?? [])
            findings.elsewhere = found.map { ($0, verdicts) }
        } catch {
            // A backup that could not tell it either would be partial.
            findings.noteGaps(
                .artifacts,
                [
                    BilingualText(zh: "未能查明哪些内容不在备份中：", en: "It could not be told what is not in a backup: ")
                        + error.bilingual
                ])
        }
    }
}
