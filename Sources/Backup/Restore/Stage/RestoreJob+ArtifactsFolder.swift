// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension RestoreJob {
    /// Tells a machine that has no artifacts yet from one whose disk is away. What this stack's backups carry of the folder is
    /// its mark: with a live database beside it, a folder that is missing, or empty and without the mark, is not mounted.
    /// - Throws: `BackupError.artifactsMissing`, `.artifactsEmptied`.
    func refuseArtifactsAway(_ hold: Hold) throws {
        let isThere = try RestoreJournal.identity(of: stack.artifacts) != nil
        if isThere {
            try stack.checkArtifactsFolder()
            guard try Directory.names(in: stack.artifacts).allSatisfy({ LiveStack.notArtifacts.contains($0) }) else {
                return
            }
        }
        guard try hold.databases.exists(stack.database.database),
            try hold.identity.lostMark(among: Catalogue(folder).items()) != nil
        else { return }
        guard isThere else { return try stack.checkArtifactsFolder() }
        throw BackupError.artifactsEmptied(path: stack.artifacts.string)
    }
}
