// SPDX-License-Identifier: Apache-2.0

import Wording

/// How an operation ended well.
public struct OperationResult: Sendable {
    public let message: BilingualText
    /// One or a few lines with the numbers: `result.stdout` of the API.
    public let output: BilingualText
    /// `nil` for what is about no one backup.
    public let backupName: String?
    public let size: UInt64?
    public let seconds: Double
    public let warnings: [BilingualText]
    /// Names that retention removed.
    public let removed: [String]
    public let sha256: String?
    /// A backup with far less in it than those before: a person has to accept it.
    public var isSuspicious = false
}
