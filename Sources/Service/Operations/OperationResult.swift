// SPDX-License-Identifier: Apache-2.0

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
}
