// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Finishes or undoes a restore that was interrupted. Call it under both locks: only then have the server's sessions of
/// the process that died really ended.
package struct RestoreRecovery {
    /// What became of the restore, and of the task it was done for.
    package enum Outcome: Sendable, Equatable {
        case nothingToDo
        /// The live data is what it was before the restore.
        case undone(backup: String, task: String?)
        /// The live data is the restored one.
        case finished(backup: String, task: String?)
    }

    private let workspace: Workspace
    private let databases: any DatabaseSet
    private let settlement: SwapSettlement
    /// Why what was prepared for a restore that is undone could not be removed: nothing live depends on it, and its
    /// journal stays.
    private(set) var stuck: BilingualText?
    /// What clients wrote into the new data before it was put back.
    private(set) var late: [KeptPart] = []
    private var log: Log { workspace.log }

    init(_ workspace: Workspace, _ databases: any DatabaseSet) {
        self.workspace = workspace
        self.databases = databases
        settlement = SwapSettlement(workspace, databases)
    }

    /// - Throws: `BackupError.needsRecovery` with the reason; the journal and all data are kept then.
    mutating func run() throws -> Outcome {
        let outcome = try settleJournal()
        for view in workspace.views { try settle(in: view) }
        stuck = try RemoteJournals(workspace).settle(on: databases) ?? stuck
        // Only now: as long as the data is in two minds, MLflow had better stand still.
        ServerPause(workspace.stack, workspace.folder, log: log).endAfterCrash()
        return outcome
    }

    /// Whether an earlier process left something for `run` to do. Where nobody can look nothing can be settled either, and
    /// every operation fails by itself.
    static func isNeeded(_ workspace: Workspace) -> Bool {
        if ServerPause(workspace.stack, workspace.folder, log: workspace.log).isPending { return true }
        if RemoteJournal.isPending(workspace) { return true }
        do {
            return try workspace.all.contains {
                try RestoreJournal.isPresent($0.stack, workspace.folder)
            }
        } catch { return false }
    }

    /// All that follow this one, which is where it is to be by now.
    /// - Throws: `BackupError.needsRecovery` where one cannot be settled, or not be seen.
    private mutating func settleFollowers(of journal: RestoreJournal) throws {
        try FollowingJournals(of: journal, workspace).requireSeen()
        for view in workspace.views { try settle(in: view) }
        guard journal.root == nil, let id = journal.id else { return }
        stuck = try RemoteJournals(workspace).settle(following: id, on: databases) ?? stuck
    }

    /// A folder beside the first follows the database, which is settled by now.
    private mutating func settle(in view: Workspace) throws {
        var other = RestoreRecovery(view, databases)
        defer {
            late += other.late
            stuck = stuck ?? other.stuck
        }
        _ = try other.settleJournal()
    }

    private mutating func settleJournal() throws -> Outcome {
        let identity = try StackIdentity(of: workspace.stack, on: databases)
        try RestoreJournal.refuseLeft(workspace.stack, workspace.folder, system: identity.system)
        guard let journal = try RestoreJournal.read(workspace.stack, workspace.folder, system: identity.system) else {
            return .nothingToDo
        }
        log.warning(
            "an interrupted restore is being put right",
            ["backup": journal.backup, "mode": journal.mode.rawValue, "stage": journal.stage.rawValue])
        do {
            try journal.refuseFrozen(in: workspace.state)
            let outcome = try settle(journal)
            log.info("the interrupted restore is settled", ["outcome": "\(outcome)"])
            return outcome
        } catch let error as BackupError {
            throw error
        } catch {
            throw BackupError.needsRecovery(reason: error.bilingual)
        }
    }

    /// It would be one of which all files have come to their place.
    private func refuseWithoutPlan(_ journal: RestoreJournal) throws {
        guard journal.stage == .committing, journal.mode.includesArtifacts, journal.plan == nil else { return }
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "恢复日志 \(journal.path(in: workspace.state)) 已损坏：其中没有要交换哪些文件",
                en:
                    "the restore journal \(journal.path(in: workspace.state)) is damaged: it does not say which files were to be "
                    + "swapped"))
    }

    /// Of one that follows, and that no database decides: whether what it follows came to its swap says what that one has kept.
    private func refuseWithoutLeader(_ journal: RestoreJournal) throws {
        guard let first = journal.follows, !journal.isDecidedByDatabase, journal.stage != .preparing,
            try RestoreJournal.existing(first, in: workspace.firstState) == nil,
            try !KeptPart.hasRecord(first, in: workspace.firstState)
        else { return }
        let file = journal.path(in: workspace.state)
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "恢复日志 \(file) 所跟随的恢复 \(first) 已无踪迹，无法得知该目录应保持原样还是切换：请查看线上数据，移走该日志，再运行 mlflow-backup claim",
                en:
                    "nothing is left of the restore \(first) that the journal \(file) follows, so that nobody can tell on which side this folder is "
                    + "to be: look at the live data, move the journal away, then run `mlflow-backup claim`"))
    }

    private mutating func settle(_ journal: RestoreJournal) throws -> Outcome {
        switch journal.stage {
        case .preparing:
            if !journal.mode.includesDatabase { try FollowingJournals(of: journal, workspace).standDown() }
            try OwnFolder(workspace, journal).requireSeen()
            if journal.plan == nil, try wentOnElsewhere(journal) {
                try journal.remove(in: workspace.state)
                return .finished(backup: journal.backup, task: journal.task)
            }
            // With a plan it is one that was being put back.
            if journal.plan == nil {
                try settleFollowers(of: journal)
                try leavingForLater(journal) { try $0.settlement.dropPrepared(journal) }
            } else {
                try rollBack(journal)
            }
            return .undone(backup: journal.backup, task: journal.task)
        case .committing, .committed:
            try refuseWithoutPlan(journal)
            try refuseWithoutLeader(journal)
            try OwnFolder(workspace, journal).requireSeen()
            let isSwapped =
                try !journal.isDecidedByDatabase || journal.stage == .committed
                || settlement.databaseWasSwapped(journal)
            guard isSwapped else {
                // The database goes first, so no artifact has moved; going back makes sure of it.
                try rollBack(journal)
                return .undone(backup: journal.backup, task: journal.task)
            }
            do {
                if let plan = journal.plan, journal.stage != .committed, try isThere(journal) {
                    try journal.swap.forward(plan)
                }
            } catch {
                // One that follows cannot go back alone: what it follows is done.
                if journal.follows != nil { throw error }
                log.error("the swap cannot be finished, undoing it", ["reason": error.bilingual[.english]])
                try rollBack(journal)
                return .undone(backup: journal.backup, task: journal.task)
            }
            try settlement.keepReplaced(journal, closing: false)
            // Its journal goes last: without it nobody would know what is still to be done.
            try settleFollowers(of: journal)
            try settlement.close(journal)
            return .finished(backup: journal.backup, task: journal.task)
        }
    }

    /// Whether the restore went on with a journal in another backup folder, and came to its end: this one tells of before its swap, and
    /// what is live, or kept, of after.
    /// - Throws: `BackupError.needsRecovery` where it did not come to its end: only that journal tells how far it came.
    private func wentOnElsewhere(_ journal: RestoreJournal) throws -> Bool {
        guard let id = journal.id else { return false }
        let isSwapped =
            try journal.mode.includesDatabase && journal.newOID != nil
            && databases.oid(of: journal.liveDatabase) == journal.newOID
        guard try FileStatus.ifPresent(journal.swap.work) != nil else {
            return try isSwapped || FileStatus.ifPresent(journal.swap.folder.appending(KeptPart.prefix + id)) != nil
        }
        guard try isSwapped || !journal.swap.stranded(nil).isEmpty else { return false }
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "恢复 \(journal.backup) 的切换记录在另一个备份目录的日志中（例如备份磁盘在此期间被更换）：请挂载该备份目录，并对它运行 mlflow-backup recover",
                en:
                    "the journal of the swap of \(journal.backup) is in another backup folder, as where the backup disk was exchanged "
                    + "meanwhile: mount that one, and run `mlflow-backup recover` with it"))
    }

    /// Whether there is anything to move: its own folder is gone when all has come to its place, or back to it.
    private func isThere(_ journal: RestoreJournal) throws -> Bool {
        try journal.id == nil || FileStatus.ifPresent(journal.swap.work) != nil
    }

    /// Puts the live data back after a swap that failed half way. It can be repeated at any point: nothing that tells how far it
    /// came is moved away before the live data is what it was.
    /// - Throws: `BackupError.needsRecovery` where the restore's own folder is not seen, before anything is put back.
    mutating func rollBack(_ journal: RestoreJournal) throws {
        var aside: [String] = []
        let own = OwnFolder(workspace, journal)
        try own.requireSeen()
        if !journal.mode.includesDatabase {
            // Nothing else says that they must not go forward, nor, to who finds them sent back, that this does not. Where a database is in
            // play they ask that, and as long as it may still go forward so may they.
            try journal.noteUndoing(in: workspace.state)
            try FollowingJournals(of: journal, workspace).standDown()
        }
        if let plan = journal.plan, try isThere(journal) {
            try journal.swap.backward(plan)
            if let mark = journal.mark {
                // What clients stored in the restored children while these were live.
                aside = try LateArrivals(from: journal.swap.new, live: workspace.stack.artifacts, mark: mark)
                    .carryOver().aside
            }
            try own.requireSeen()
        }
        if journal.mode.includesDatabase, try settlement.databaseWasSwapped(journal) {
            if journal.hadDatabase {
                try databases.swap(
                    live: journal.liveDatabase, replacement: journal.oldDatabase, keepingOldAs: journal.newDatabase)
            } else {
                // Only renamed: nothing was there before.
                try databases.rename(journal.liveDatabase, to: journal.newDatabase)
            }
        }
        try settleFollowers(of: journal)
        try leavingForLater(journal) { recovery in
            try recovery.keepLate(journal, aside)
            try recovery.settlement.dropPrepared(journal)
        }
    }

    private mutating func keepLate(_ journal: RestoreJournal, _ aside: [String]) throws {
        // What is kept lies beside it.
        try OwnFolder(workspace, journal).requireSeen()
        let late = LateParts(workspace, databases)
        // Also where an earlier run swapped it back, and died: it may have been live for a while, and what clients wrote there
        // was acknowledged. One whose DROP was cut short was looked at before that.
        if journal.mode.includesDatabase, let oid = journal.newOID, let found = try databases.found(oid),
            found.name == journal.newDatabase, !found.isInvalid
        {
            note(try late.keepDatabase(journal))
        }
        try journal.noteUndoing(in: workspace.state)
        if journal.plan != nil { note(try late.keepFiles(aside, journal)) }
    }

    private mutating func note(_ part: KeptPart?) {
        guard let part else { return }
        late.removeAll { $0.id == part.id }
        late.append(part)
    }

    /// The live data is what it was: what cannot be looked at or removed now is another time, and stops nobody but the next
    /// restore, which needs the place of the journal.
    private mutating func leavingForLater(
        _ journal: RestoreJournal, _ body: (inout RestoreRecovery) throws -> Void
    ) throws {
        do { try body(&self) } catch let error as CancelledError { throw error } catch {
            let denied = (error as? SystemError).flatMap { $0.isDenied ? $0 : nil }
            let reason = (denied.map { BackupError.unusable($0, in: workspace.folder) } ?? error).bilingual
            stuck = reason
            log.warning(
                "what an interrupted restore had prepared cannot be removed yet",
                ["backup": journal.backup, "reason": reason[.english]])
        }
    }
}
