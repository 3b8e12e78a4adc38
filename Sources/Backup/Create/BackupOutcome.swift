// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO
import Wording

/// What a finished backup is.
package struct BackupOutcome: Sendable {
    package let name: BackupName
    package let path: FilePath
    package let size: UInt64
    package let digest: Digest
    /// What was taken over from the backup before.
    package let sharing: ArchiveSummary.Sharing
    package let manifest: Manifest
    package let seconds: Double
    /// Names that retention removed after this one was verified.
    package let removed: [BackupName]
    /// What a person should know although the backup is good.
    package let warnings: [BilingualText]
    /// Why it is suspicious; `nil` where it is not. It is in the warnings, too.
    package let suspicious: BilingualText?
    /// Places with artifacts that the database names and it does not hold. What they are is in the warnings, too.
    package var lack: Lack { manifest.lack ?? .nothing }
    /// Of what it is another name; `nil` where this run read its bytes.
    package let unchanged: Unchanged?

    /// Nothing had changed, and nobody read the bytes in this run.
    package struct Unchanged: Sendable, Equatable {
        /// The backup before, whose file it is another name of.
        package let since: BackupName
        /// When the bytes were last read; `nil` where nobody knows.
        package let lastRead: LocalTime?
    }
}
