// SPDX-License-Identifier: Apache-2.0

import Backup
import Wording

/// How an operation ended well.
public struct OperationResult: Sendable {
    public let message: BilingualText
    /// One or a few lines with the numbers: `result.stdout` of the API.
    public let output: BilingualText
    public let backupName: String
    public let size: UInt64?
    public let seconds: Double
    public let warnings: [BilingualText]
    /// Names that retention removed.
    public let removed: [String]
    public let sha256: String?
    /// Whether a backup that was made has to be accepted by a person before it counts.
    public var isSuspicious = false
    /// Whether this run read the bytes of the backup it made or looked at; `nil` where that is not what was asked.
    public var isVerified: Bool?
    /// Of what backup this one is another name, unread in this run; `nil` where its bytes were read, and for all else.
    public var unchanged: BackupOutcome.Unchanged?
}
