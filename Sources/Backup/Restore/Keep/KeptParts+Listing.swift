// SPDX-License-Identifier: Apache-2.0

extension KeptParts {
    /// All of them, newest first, with the bytes that each holds alone. Walks their trees and asks the server.
    /// - Throws: `BackupError.folderVanished`: the records are in the backup folder.
    package func listing() throws -> [(part: KeptPart, bytes: UInt64)] {
        try backups.refuseVanished(usedBy: stack.artifacts)
        let parts = try identified().all()
        let sizes = try KeptSizes(self, stack.database.session().databases, parts)
        return parts.map { ($0, sizes[$0].all) }
    }
}
