// SPDX-License-Identifier: Apache-2.0

import Wording

/// What a finished restore did.
public struct RestoreOutcome: Sendable {
    public let backup: BackupName
    public let mode: RestoreMode
    public let manifest: Manifest
    public let files: Int
    /// Of these, files that were right already and were not written again.
    public let unchanged: Int
    /// What was replaced, and can be brought back; `nil` where there was nothing.
    public let kept: KeptPart?
    /// What the live stack had and the backup has not; empty without force.
    public let replaced: NewerData
    /// The backup that was made before.
    public let backupBefore: BackupName?
    public let seconds: Double
    public let warnings: [BilingualText]
}
