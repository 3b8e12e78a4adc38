// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Both locks: the folder's, and the stack's in its server. See docs/restore.md, "Locks, in this order".
package final class Hold {
    /// On what holds the stack's lock.
    private(set) var session: any StoreSession
    var databases: any DatabaseSet { session.databases }
    let identity: StackIdentity
    private let folderLock: OperationLock
    private var stackLock: any StoreLock
    /// `nil` before anything was settled.
    var footing: Footing?
    /// What an interrupted restore had prepared and could not be removed.
    var unfinished: BilingualText?

    fileprivate init(_ folderLock: OperationLock, _ stackLock: any StoreLock, _ identity: StackIdentity) {
        self.folderLock = folderLock
        self.stackLock = stackLock
        session = stackLock.session
        self.identity = identity
    }

    /// Whether the stack's lock is still had: a server that restarted gave it to whoever asked next.
    var isHeld: Bool { stackLock.isHeld }

    /// For an operation that writes a journal.
    /// - Throws: `BackupError.restoreLeftover`.
    func refuseWhileUnfinished() throws {
        if let unfinished { throw BackupError.restoreLeftover(reason: unfinished) }
    }

    /// Takes the stack's lock again where the session that held it was lost: it is had when the server has ended what that
    /// session was doing.
    func lockAgain(_ workspace: Workspace) throws {
        if stackLock.isHeld { return }
        // Not to wait for ourselves.
        stackLock.release()
        var patient = workspace
        // What is half done cannot be cancelled.
        patient.cancellation = Cancellation()
        stackLock = try patient.lockStack("settling")
        session = stackLock.session
    }
}

extension Hold {
    /// The stack's identity, after the artifacts folder was marked as one that is backed up to this folder.
    ///
    /// A folder without a mark, where a good backup was taken from one that had a mark, may be an empty one in the
    /// place of a disk that is not mounted. It gets none before a person said that it is right.
    func markingArtifacts(_ workspace: Workspace, claiming: Bool = false) throws -> StackIdentity {
        var marked = identity
        var known: String?
        if marked.artifacts == nil {
            known = identity.lostMark(among: try Catalogue(workspace.folder).items())
            // One that is there and damaged, or no file any more, is made anew, as what it was.
            let mark = workspace.stack.artifacts.appending(ArtifactsMark.fileName)
            if known != nil, !claiming, try FileStatus.ifPresent(mark) == nil { return identity }
            // What else is no file is written over. That it cannot be moved is no reason against a backup.
            do throws(SystemError) { try LiveStack.makeWay(for: mark) { $0 == .directory } } catch {
                // Who claims would hear that all is well, and the next restore would tell him to claim.
                if claiming, known != nil { throw error }
                workspace.log.warning("a folder is in the way of the mark", ["path": mark, "reason": error.reason])
            }
        }
        marked.artifacts =
            try ArtifactsMark.ensure(in: workspace.stack.artifacts, using: workspace.folder, known: known)?.id
        return marked
    }
}

/// What an operation does with the backup folder.
package enum FolderUse: Sendable {
    /// Reads backups. What it notes of them it can do without.
    case reading
    /// Makes, removes or marks backups.
    case writing
}

extension Workspace {
    /// Runs `body` as the only operation in this folder. For what needs no database.
    /// - Throws: `BackupError.folderNotUsable`, `.folderVanished`, `.writeProtected`, `.busy`, `CancelledError`, and what `body`
    ///   throws.
    func holdingFolder<Result>(_ purpose: String, for use: FolderUse = .writing, _ body: () throws -> Result) throws
        -> Result
    {
        try prepareFolder(for: use)
        let lock = try lockFolder(purpose)
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// Runs `body` as the only operation on this stack and in this folder, after settling what an earlier one left.
    /// - Parameter spared: `Settling.init(_:_:sparing:)`.
    func holdingStack<Result>(
        _ purpose: String, for use: FolderUse = .writing, sparing spared: String? = nil, _ body: (Hold) throws -> Result
    ) throws -> Result {
        try prepareFolder(for: use)
        try stack.refuseOutOfSight()
        let hold = try hold(purpose)
        defer { withExtendedLifetime(hold) {} }
        try Settling(self, hold, sparing: spared).run()
        try hold.standAnew(self)
        return try body(hold)
    }

    /// Both locks, and nothing settled yet.
    func hold(_ purpose: String) throws -> Hold {
        let folderLock = try lockFolder(purpose)
        let stackLock = try lockStack(purpose)
        return Hold(folderLock, stackLock, try StackIdentity(of: stack, on: stackLock.session.databases))
    }

    private func lockFolder(_ purpose: String) throws -> OperationLock {
        try OperationLock.take(
            in: folder, beside: stack.artifacts, for: purpose, atMost: waitSeconds, cancellation: cancellation,
            onWait: told)
    }

    func lockStack(_ purpose: String) throws -> any StoreLock {
        try stack.database.lock(for: purpose, atMost: waitSeconds, cancellation: cancellation, onWait: told)
    }

    private func told(_ holder: String) {
        log.info("waiting for another operation", ["holder": holder])
        progress(Progress(.waiting, detail: holder))
    }

    /// Makes the backup folder where it may be made, and finds out whether it can be used.
    ///
    /// A folder that this stack used before and that is not there, or has nothing of ours in it, is one whose disk is not
    /// mounted. Making it would fill the disk below and hide that every backup is out of reach.
    ///
    /// From a folder that nobody can write to one reads, and nothing is made in it.
    /// - Throws: `BackupError.folderSilent`, `.foldersOverlap`, `.folderVanished`, `.artifactsMissing`, `.writeProtected`,
    ///   `.folderNotUsable`.
    package func prepareFolder(for use: FolderUse = .reading) throws {
        try checkFolder(for: use)
        guard folder.writeProtection == nil else { return }
        try folder.prepare()
        // Who only reads needs neither, and the service has to start to tell of them.
        if use == .writing { try FolderTrial(folder).refuseOtherKinds() }
    }

    /// The same for who only looks: nothing is made.
    package func checkFolder(for use: FolderUse = .reading) throws {
        try FolderLayout(self).refuseOverlap()
        try folder.refuseVanished(usedBy: stack.artifacts)
        if use == .writing { try folder.refuseWriteProtected() }
        // The artifacts' mark tells whether an empty folder was used. Where they are not there either, nothing does: a machine
        // whose disks are not mounted looks like a new one.
        if try !folder.isOurs() { try stack.checkArtifactsFolder() }
    }

    /// The same for the operation through which a person says that an empty folder is right.
    /// - Throws: `BackupError.folderSilent`, `.foldersOverlap`, `.writeProtected`, `.folderNotUsable`.
    package func prepareFolderAnew() throws {
        try folder.refuseDeadLink()
        try FolderLayout(self).refuseOverlap()
        try folder.refuseWriteProtected()
        try folder.prepare()
        try folder.takePlace(in: stack.artifacts)
    }
}
