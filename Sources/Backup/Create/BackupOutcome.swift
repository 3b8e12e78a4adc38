// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// What a finished backup is.
public struct BackupOutcome: Sendable {
    public let name: BackupName
    public let path: FilePath
    public let size: UInt64
    public let digest: Digest
    /// What was taken over from the backup before.
    public let sharing: ArchiveSummary.Sharing
    public let manifest: Manifest
    public let seconds: Double
    /// Names that retention removed after this one was verified.
    public let removed: [BackupName]
    /// What a person should know although the backup is good.
    public let warnings: [BilingualText]
    /// Why it is suspicious; `nil` where it is not. It is in the warnings, too.
    public let suspicious: BilingualText?
    /// Of what it is another name; `nil` where this run read its bytes.
    public let unchanged: Unchanged?

    /// Nothing had changed, and nobody read the bytes in this run.
    public struct Unchanged: Sendable, Equatable {
        /// The backup before, whose file it is another name of.
        public let since: BackupName
        /// When the bytes were last read; `nil` where nobody knows.
        public let lastRead: LocalTime?
    }
}
