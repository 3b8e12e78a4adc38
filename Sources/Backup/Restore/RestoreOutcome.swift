// SPDX-License-Identifier: Apache-2.0

import Wording

/// What a finished restore did.
package struct RestoreOutcome: Sendable {
    package let backup: BackupName
    package let mode: RestoreMode
    package let manifest: Manifest
    package let files: Int
    /// Of these, files that were right already and were not written again.
    package let unchanged: Int
    /// What was replaced, and can be brought back; `nil` where there was nothing.
    package let kept: KeptPart?
    /// What the live stack had and the backup has not; empty without force.
    package let replaced: NewerData
    /// The backup that was made before.
    package let backupBefore: BackupName?
    package let seconds: Double
    package let warnings: [BilingualText]
}
