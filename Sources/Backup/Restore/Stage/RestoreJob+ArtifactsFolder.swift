// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

extension RestoreJob {
    func provideArtifactsFolder(like item: CatalogueItem) throws {
        guard try RestoreJournal.identity(of: stack.artifacts) == nil else {
            return try giveEmptyArtifactsFolder(like: item)
        }
        try makeArtifactsFolder(like: item)
        if options.mode.includesArtifacts { try SwapObstacles.checkAbilities(workspace) }
    }

    /// Of a machine that has none yet. It belongs to whom it belonged: what is restored is given to whom its place belongs, and MLflow
    /// is to go on in it.
    func makeArtifactsFolder(like item: CatalogueItem) throws {
        let tree = options.mode.includesArtifacts ? try recordedFolder(item) : nil
        guard let tree, geteuid() == 0, ProcessPrivilege.mayWorkForOthers else {
            return try Directory.make(stack.artifacts)
        }
        try Directory.make(stack.artifacts.parent)
        guard let made = try Directory.makeOpen(stack.artifacts, mode: 0o755) else { return }
        // Closed to all but him it would else be closed to MLflow.
        guard try made.give(toUser: tree.owner, group: tree.group) else { return }
        let owner = (user: tree.owner, group: tree.group)
        try RestoredLooks(.recorded(placeOwner: owner), tree: tree).giveRights(tree, to: made, owner)
    }

    /// One that root has made for the restore to have a place is nobody's wish as to whose it is: empty, and root's, also where `claim` has
    /// marked it since. It is given to whom the one was that was backed up, as one that is made here.
    func giveEmptyArtifactsFolder(like item: CatalogueItem) throws {
        guard options.mode.includesArtifacts, geteuid() == 0, ProcessPrivilege.mayWorkForOthers else { return }
        let folder = try OpenFile(stack.artifacts, .directoryThroughLink)
        guard try folder.status().owner == 0, try stack.holdsNoArtifacts(),
            let tree = try recordedFolder(item), tree.owner != 0,
            try folder.give(toUser: tree.owner, group: tree.group)
        else { return }
        let owner = (user: tree.owner, group: tree.group)
        try RestoredLooks(.recorded(placeOwner: owner), tree: tree).giveRights(tree, to: folder, owner)
        log.info("the empty artifacts folder was root's and is given to whom it belonged", ["user": tree.owner])
    }

    /// - Returns: `nil` where only a whole reading would tell: of others than our own archives.
    private func recordedFolder(_ item: CatalogueItem) throws -> ArchiveEntry? {
        do { return try BackupContents(item).folder(at: stack.section) } catch ArchiveError.notABackup { return nil }
    }

    /// Tells a machine that has no artifacts yet from one whose disk is away. What this stack's backups carry of the folder is
    /// its mark: with a live database beside it, a folder that is missing, or without the mark, is not mounted, whatever was written
    /// into its place meanwhile.
    /// - Throws: `BackupError.artifactsMissing`, `.artifactsEmptied`.
    func refuseArtifactsAway(_ identity: StackIdentity, on databases: any DatabaseSet) throws {
        let isThere = try RestoreJournal.identity(of: stack.artifacts) != nil
        if isThere { try stack.checkArtifactsFolder() }
        guard identity.artifacts == nil, try databases.exists(stack.database.name),
            try identity.lostMark(among: Catalogue(folder).items()) != nil
        else { return }
        guard isThere else { return try stack.checkArtifactsFolder() }
        // One that is damaged is made anew, as what it was.
        if try FileStatus.ifPresent(stack.artifacts.appending(ArtifactsMark.fileName))?.kind == .file { return }
        let isEmpty = try stack.holdsNoArtifacts()
        // Files that came by a copy have no mark, which is no reason against a database.
        guard isEmpty || options.mode.includesArtifacts else { return }
        throw BackupError.artifactsEmptied(path: stack.artifacts.string, why: isEmpty ? .empty : .unmarked)
    }
}
