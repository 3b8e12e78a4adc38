// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension RestoreJob {
    /// What the restored database speaks of and this restore did not bring: looked up in what is live now, as a backup of
    /// 0.1.0 does not say. Whether there were users is known of the moment of the backup: the server may be stopped now.
    func elsewhere(_ manifest: Manifest) -> [BilingualText] {
        guard options.mode.includesDatabase else { return [] }
        var found = manifest.elsewhere
        var verdicts: [ServerKey: KeyVerdict] = [:]
        do {
            found = try stack.coverage(asksForLogin: found?.users ?? false).elsewhere
            verdicts = stack.keyVerdicts(found)
        } catch {
            log.warning("what is elsewhere is told by the backup's manifest", ["reason": error.bilingual.english])
        }
        return found?.notices(.restore, artifacts: stack.artifacts, keys: verdicts) ?? []
    }
}
