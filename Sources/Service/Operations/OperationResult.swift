// SPDX-License-Identifier: Apache-2.0

import Backup
import Wording

/// How an operation ended well.
package struct OperationResult: Sendable {
    package let message: BilingualText
    /// One or a few lines with the numbers: `result.stdout` of the API.
    package let output: BilingualText
    package let backupName: String
    package let size: UInt64?
    package let seconds: Double
    package let warnings: [BilingualText]
    /// Names that retention removed.
    package let removed: [String]
    package let sha256: String?
    /// Whether a backup that was made has to be accepted by a person before it counts.
    package var isSuspicious = false
    /// Whether it lacks artifacts that its database names.
    package var isPartial = false
    /// Whether this run read the bytes of the backup it made or looked at; `nil` where that is not what was asked.
    package var isVerified: Bool?
    /// Of what backup this one is another name, unread in this run; `nil` where its bytes were read, and for all else.
    package var unchanged: BackupOutcome.Unchanged?
}
