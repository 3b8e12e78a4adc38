// SPDX-License-Identifier: Apache-2.0

import Archive
import Backup
import Glibc
import Postgres
import SystemIO
import Wording

/// Carries requests out with the engines. It keeps no record: `TaskRunner` and the command line do.
package struct Operations: Sendable {
    package let stack: LiveStack
    package let folder: BackupFolder
    package let log: Log
    /// Slows verification down; `nil` for no limit.
    package var readRate: ReadRate?
    /// What restores go by beside their request.
    package var restoring = RestoreSettings()
    /// Told how a restore ended that an earlier process left unfinished; whoever keeps records sets it.
    package var settled: @Sendable (RestoreRecovery.Outcome) -> Void = { _ in }
    private let compressionLevel: UInt32
    private let fullEvery: Int
    private let scrubs: Bool

    /// - Parameters:
    ///   - compressionLevel: ISA-L's, 0 to 3.
    ///   - fullEvery: every so many backups one takes nothing over from the one before.
    ///   - scrubs: whether a backup reads old copies again.
    package init(
        _ stack: LiveStack, _ folder: BackupFolder, compressionLevel: Int = 2, fullEvery: Int = 7, scrubs: Bool = true,
        log: Log
    ) {
        self.scrubs = scrubs
        self.stack = stack
        self.compressionLevel = UInt32(max(compressionLevel, 0))
        self.fullEvery = fullEvery
        self.folder = folder
        self.log = log
    }

    private func backupOptions(_ kind: BackupName.Kind, _ retention: RetentionRule) -> BackupJob.Options {
        .init(
            kind: kind, retention: retention, compressionLevel: compressionLevel, fullEvery: fullEvery,
            scrubSeconds: scrubs ? 1800 : 0)
    }

    /// Whether a backup could be made now, and what it would leave out.
    /// - Parameters: `BackupPreflight.init`.
    package func backupPreflight(
        _ kind: BackupName.Kind, _ retention: RetentionRule, patience: Double = 60, isFollowed: Bool = false
    ) -> BackupPreflight {
        BackupPreflight(
            workspace, options: backupOptions(kind, retention), patience: patience, isFollowed: isFollowed)
    }

    /// What a forced restore makes of the live stack before it begins.
    private var backupFirst: RestoreJob.Options.BackupFirst {
        .init(options: backupOptions(.compressed, .default), version: ServiceVersion.current)
    }

    package var catalogue: Catalogue { Catalogue(folder, usedBy: stack.artifacts) }

    /// What a job of the engine is made of.
    package var workspace: Workspace { workspace(on: stack) }

    /// The same for a stack that was looked at anew.
    func workspace(on stack: LiveStack) -> Workspace {
        var workspace = Workspace(stack, folder, log: log)
        workspace.settled = settled
        workspace.keepSeconds = restoring.undoKeepSeconds
        workspace.keepBytes = restoring.undoKeepBytes
        return workspace
    }

    /// - Parameters:
    ///   - waitSeconds: how long to wait for another process's operation.
    ///   - published: told of each backup that is made on the way.
    /// - Throws: what the engines throw.
    package func perform(
        _ request: OperationRequest, task: String? = nil, waitSeconds: Double, cancellation: Cancellation,
        published: @escaping @Sendable (BackupName) -> Void = { _ in }, progress: @escaping ProgressSink
    ) throws -> OperationResult {
        var workspace = workspace
        workspace.waitSeconds = waitSeconds
        workspace.cancellation = cancellation
        workspace.progress = progress
        workspace.published = published
        workspace.task = task
        switch request {
        case .backup(let kind, let retention):
            return OperationResult(
                try BackupJob(
                    workspace, options: backupOptions(kind, retention), version: ServiceVersion.current
                ).run())
        case .restore(let name, let mode, let force, let backupFirst):
            let options = RestoreJob.Options(
                mode: mode, force: force, backupFirst: force && backupFirst ? self.backupFirst : nil,
                upgradeCommand: restoring.upgradeCommand, upgrade: restoring.upgrade)
            return OperationResult(try RestoreJob(workspace, options: options).run(name))
        case .undo(let force, let first, let part):
            let job = UndoJob(
                workspace, force: force, backupFirst: force && first ? backupFirst : nil, bringing: part)
            return OperationResult(try job.run())
        case .claim(let name): return OperationResult(try ClaimJob(workspace, of: name).run())
        case .forget(let id): return OperationResult(forgotten: try ForgetJob(workspace).run(id))
        case .verify(let name):
            let start = MonotonicTime.nanoseconds()
            let outcome = try VerifyJob(workspace, rate: readRate).run(name)
            return OperationResult(outcome, seconds: MonotonicTime.seconds(since: start))
        }
    }

    /// Makes the backup folder where it may be made: before anything is recorded in it.
    ///
    /// An empty folder in the place of one that was used is refused, but by the operation through which a person says that
    /// this is right.
    /// - Throws: `BackupError.folderVanished`, `.folderNotUsable`, `.writeProtected`.
    package func prepareFolder(for request: OperationRequest) throws {
        switch request {
        case .claim: try workspace.prepareFolderAnew()
        case .backup: try workspace.prepareFolder(for: .writing)
        case .restore, .undo, .forget, .verify: try workspace.prepareFolder(for: .reading)
        }
    }

    /// Refuses at once what would fail anyway, so that a caller hears of it in the answer and not in a task.
    /// - Returns: the request, bound to what it was asked for in sight of: an undo to its part.
    @discardableResult
    package func preflight(_ request: OperationRequest) throws -> OperationRequest {
        try prepareFolder(for: request)
        switch request {
        case .backup(let kind, let retention):
            // The caller waits; the job looks again.
            try backupPreflight(kind, retention, patience: 2, isFollowed: true).run().throwFirst()
        case .restore(let name, let mode, let force, let first):
            let options = RestoreJob.Options(
                mode: mode, force: force, backupFirst: force && first ? backupFirst : nil,
                upgradeCommand: restoring.upgradeCommand, upgrade: restoring.upgrade)
            try RestoreJob(workspace, options: options).preflight(try catalogue.item(named: name))
        case .undo(let force, let first, let part):
            let job = UndoJob(workspace, force: force, backupFirst: force && first ? backupFirst : nil)
            let newest = try job.preflight().id
            return .undo(force: force, backupFirst: first, bringing: part ?? newest)
        case .verify(let name): _ = try catalogue.item(named: name)
        case .claim: break
        case .forget(let id): try ForgetJob(workspace).preflight(id)
        }
        return request
    }
}
