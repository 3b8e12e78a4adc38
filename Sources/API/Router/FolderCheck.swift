// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO

/// Whether the backup folder answers, asked before a request goes into it: a thread that hangs there never comes back.
final class FolderCheck: Sendable {
    private let folder: FilePath
    private let isSilent = Monitor(false)

    init(_ folder: FilePath) { self.folder = folder }

    /// Waits as long as a disk needs to awake, and once only: who comes while it is silent hears so at once.
    /// - Throws: `BackupError.folderSilent`.
    func callAsFunction() throws {
        let wasSilent = isSilent.read { $0 }
        if case .silent = FolderPulse.look(at: folder, atMost: wasSilent ? 0.2 : FolderPulse.awakening) {
            isSilent.withLock { $0 = true }
            throw BackupError.folderSilent(path: folder.string)
        }
        if wasSilent { isSilent.withLock { $0 = false } }
    }
}
