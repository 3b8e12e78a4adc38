// SPDX-License-Identifier: Apache-2.0

import Wording

/// What a finished restore did.
public struct RestoreOutcome: Sendable {
    public let backup: BackupName
    public let mode: RestoreMode
    public let manifest: Manifest
    public let files: Int
    /// Of these, files that were right already and were not written again.
    public let kept: Int
    public let seconds: Double
    public let warnings: [BilingualText]
}
