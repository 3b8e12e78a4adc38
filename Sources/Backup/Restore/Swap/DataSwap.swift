// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The last comparison, and the swap of database and artifacts for what was prepared beside them. A restore and an undo end
/// in it. The database goes first, in one transaction; the artifacts follow by renames, which need no room. Whatever
/// fails, what was live comes back.
struct DataSwap {
    /// What the swap left to tell.
    struct Outcome {
        var kept: KeptPart?
        /// Of the folders beside the first.
        var keptBeside: [KeptPart] = []
        /// What the live stack had and what was brought back has not.
        var replaced = NewerData()
        var notes: [BilingualText] = []
    }

    let workspace: Workspace
    let hold: Hold
    /// Swap although something newer would be replaced.
    let force: Bool
    /// Inodes that the incoming tree and the live one share.
    var shared: [UInt64] = []
    /// `BroughtTree.marks` of the tree that an undo brings in.
    var brought: [UInt64]?
    var untouched = Untouched.isInBackup
    /// What comes in may be only some of what was live (`KeptParts.isFragment`), and takes the place of nothing else.
    var isAddition = false
    /// What holds the data that an undo brings back.
    var broughtCover: KeptPart.Cover?
    /// The folders beside the first, which go where this goes.
    var following: [FollowingSwap] = []
    /// And the remote roots.
    var stores: [RemoteFollowing] = []

    /// Which backup holds the live data where the last comparison finds nothing in it that was written since it came.
    enum Untouched {
        /// The one of the journal: it was compared with that, or brought by it.
        case isInBackup
        /// An undo had brought it: no restored backup describes it. Whatever held it before still does; `nil` for nothing.
        case isHeld(by: KeptPart.Cover?)
    }

    private var log: Log { workspace.log }
    private var isAlone: Bool { following.isEmpty && stores.isEmpty }

    /// - Parameters:
    ///   - cover: the backup that holds what is about to be replaced.
    ///   - broughtIn: `FreshRows.moment` of the incoming database.
    ///   - check: what else must hold right before the swap.
    /// - Throws: after a throw the live data is what it was, unless it is `BackupError.needsRecovery`.
    mutating func run(
        _ journal: inout RestoreJournal, _ look: any LastLook, cover: KeptPart.Cover?, broughtIn: String?,
        check: () throws -> Void
    ) throws -> Outcome {
        var pause = ServerPause(workspace.stack, workspace.folder, log: log)
        let notStopped = try pause.begin()
        var outcome: Outcome
        do { outcome = try swap(&journal, look, cover, broughtIn, check) } catch {
            look.close()
            // Half a swap is left to the recovery, which starts MLflow when the data is whole.
            if case BackupError.needsRecovery = error { throw error }
            pause.end()
            throw error
        }
        outcome.notes += [notStopped, pause.end()].compactMap { $0 }
        return outcome
    }

    private mutating func swap(
        _ journal: inout RestoreJournal, _ look: any LastLook, _ cover: KeptPart.Cover?, _ broughtIn: String?,
        _ check: () throws -> Void
    ) throws -> Outcome {
        var outcome = Outcome()
        do {
            workspace.progress(Progress(.comparing, fraction: 0.93))
            try ready(&journal, check)
            for index in following.indices { try following[index].ready() }
            try hold.refuseMoved()
            // Files before rows, in all folders: an upload needs no database.
            for index in following.indices { try following[index].lookOnce() }
            for index in stores.indices { try stores[index].lookOnce() }
            let rows = stores.reduce(try look.last()) { $0 + $1.replaced }
            outcome.replaced = following.reduce(rows) { $0 + $1.replaced.inRoot($1.name) }
            if !force, !outcome.replaced.isEmpty {
                throw BackupError.newerData(backup: journal.backup, newer: outcome.replaced)
            }
            for index in following.indices { try following[index].commit(behind: journal, cover) }
            for index in stores.indices { try stores[index].commit(behind: journal) }
            // From here on a cancellation comes too late.
            try workspace.cancellation.check()
            try commit(&journal, rows, look.moment, cover, broughtIn)
        } catch {
            look.close()
            journal.stage = .preparing
            if giveUpFollowing(because: error) { abandon(journal, because: error) }
            throw error
        }
        workspace.progress(Progress(.swapping, fraction: 0.95))
        do {
            if journal.mode.includesDatabase { try look.swap() }
            look.close()
            if let plan = journal.plan { try journal.swap.forward(plan) }
        } catch {
            look.close()
            try rollBack(journal, because: error)
            throw error
        }
        let isKept = settle(journal, &outcome)
        // What was replaced in the first folder is to be kept before anything else is: the recovery goes on with all of it.
        if !isKept, !isAlone {
            throw BackupError.needsRecovery(reason: outcome.notes.last ?? .empty)
        }
        for one in following { outcome.keptBeside += [try one.follow()].compactMap(\.self) }
        for one in stores { outcome.notes += try one.follow() }
        // The one that decides goes last.
        if !isAlone { close(journal, &outcome) }
        outcome.notes += outcome.keptBeside.compactMap(\.asideText) + following.flatMap(\.notes)
        return outcome
    }

    /// What must hold right before the swap, and what tells afterwards what came in late.
    func ready(_ journal: inout RestoreJournal, _ check: () throws -> Void) throws {
        journal.mark = try LateArrivals.mark(in: journal.swap.work)
        journal.workInode = try FileStatus.of(journal.swap.work).inode
        journal.present = journal.mode.includesArtifacts ? try journal.swap.present() : nil
        try check()
        // Disks come and go while a restore works: it neither swaps into an empty mount point, nor carries a mount away.
        if journal.mode.includesArtifacts { try SwapObstacles.refuseMounts(inside: workspace.stack.artifacts) }
    }

    /// Writes down what is to be moved, and what becomes of what was live; from then on the journal can go forward.
    func commit(
        _ journal: inout RestoreJournal, _ replaced: NewerData, _ moment: String?, _ cover: KeptPart.Cover?,
        _ broughtIn: String?
    ) throws {
        journal.plan = journal.mode.includesArtifacts ? try journal.swap.plan(isAddition: isAddition) : nil
        try describe(journal, replaced, moment, cover, broughtIn).write(in: workspace.state)
        if !shared.isEmpty, let id = journal.id {
            try KeptPart.write(shared: shared, of: id, in: workspace.state)
        }
        if let brought, let id = journal.id {
            try KeptPart.write(brought: brought, of: id, in: workspace.state)
        }
        journal.stage = .committing
        try journal.commit(in: workspace.state)
    }

    /// The new data is live. What is left to do cannot fail the restore: the journal stays, and the next run goes on.
    /// - Returns: whether what was replaced is kept.
    private func settle(_ journal: RestoreJournal, _ outcome: inout Outcome) -> Bool {
        do {
            outcome.kept = try SwapSettlement(workspace, hold.databases).keepReplaced(
                journal, closing: isAlone)
            return true
        } catch {
            unsettled(error, &outcome)
            return false
        }
    }

    private func close(_ journal: RestoreJournal, _ outcome: inout Outcome) {
        do { try SwapSettlement(workspace, hold.databases).close(journal) } catch { unsettled(error, &outcome) }
    }

    private func unsettled(_ error: any Error, _ outcome: inout Outcome) {
        log.error(
            "the restore is done, and its journal could not be closed yet", ["reason": error.bilingual[.english]])
        outcome.notes.append(
            BilingualText(
                zh: "数据已切换完毕，但收尾工作尚未完成，将由下一次操作继续：",
                en: "The data is brought back, and the next operation finishes what is left to do: ")
                + Self.reason(error) + BilingualText(zh: "。", en: "."))
    }

    private func describe(
        _ journal: RestoreJournal, _ replaced: NewerData, _ moment: String?, _ cover: KeptPart.Cover?,
        _ broughtIn: String?
    ) throws -> KeptPart {
        let covering =
            switch untouched {
            case _ where !replaced.isEmpty: cover
            case .isInBackup: KeptPart.Cover(backup: journal.backup, until: moment)
            case .isHeld(let inherited): cover ?? inherited
            }
        var part = KeptPart(
            id: journal.id ?? "", backup: journal.backup, mode: journal.mode, replacedAt: LocalTime.now().epoch,
            stack: journal.stack ?? hold.identity, databaseOID: journal.mode.includesDatabase ? journal.oldOID : nil,
            database: journal.mode.includesDatabase && journal.hadDatabase ? journal.oldDatabase : nil,
            coveredBy: covering?.backup, coveredUntil: covering?.until, replaced: replaced, mark: journal.mark,
            broughtIn: broughtIn, carried: [], aside: [], isOfUndo: journal.kind == .undo,
            arrived: journal.plan?.arrivals.map(\.inode), departed: try journal.plan.map(departing),
            sequence: try KeptPart.nextSequence(in: workspace.state),
            broughtCover: broughtCover, broughtOID: journal.mode.includesDatabase ? journal.newOID : nil)
        (part.root, part.follows) = (journal.root, journal.follows)
        part.roots = following.isEmpty ? nil : following.map(\.name)
        part.stores = stores.isEmpty ? nil : stores.map(\.name)
        return part
    }

    /// What is live and will be kept: what the backup does not have, and what has a name of its.
    private func departing(_ plan: ArtifactSwap.Plan) throws -> [[UInt8]] {
        try plan.departures.map(\.name)
            + plan.arrivals.map(\.name).filter {
                try FileStatus.ifPresent(workspace.stack.artifacts.appending($0)) != nil
            }
    }

    /// - Returns: whether nothing of what follows is left. Else the deciding journal stays for the next operation, which settles them first.
    private mutating func giveUpFollowing(because cause: any Error) -> Bool {
        do { for index in following.indices { try following[index].standDown() } } catch {
            log.error("a folder that follows could not be given up", ["reason": error.bilingual[.english]])
            return false
        }
        return following.reduce(stores.abandon(because: cause)) { $1.abandon(because: cause) && $0 }
    }

    /// Ends a restore that did not come to the swap: the live data was not touched.
    /// - Returns: whether nothing of it is left.
    @discardableResult
    func abandon(_ journal: RestoreJournal, because cause: any Error) -> Bool {
        log.error("restore failed, undoing", ["name": journal.backup, "reason": cause.bilingual[.english]])
        do {
            // Whatever the cause: the session that held the lock may have ended by it, or beside it.
            try hold.lockAgain(workspace)
            try SwapSettlement(workspace, hold.databases).dropPrepared(journal)
            return true
        } catch {
            // The journal stays, and the next run clears up.
            log.error("could not remove what was prepared", ["reason": error.bilingual[.english]])
            return false
        }
    }

    /// Part of a sentence.
    private static func reason(_ error: any Error) -> BilingualText {
        if case BackupError.needsRecovery(let reason) = error { return reason }
        let whole = error.bilingual
        return BilingualText(zh: BackupError.clause(whole.chinese), en: BackupError.clause(whole.english))
    }

    /// The recovery does it, for all folders.
    private func rollBack(_ journal: RestoreJournal, because cause: any Error) throws {
        log.error("the swap failed, putting the live data back", ["reason": cause.bilingual[.english]])
        let late: [KeptPart]
        do {
            // A session that was lost, or closed because its process did not react, took the lock with it, and the server
            // may still be at its last statement. Not every cause tells that it was.
            try hold.lockAgain(workspace)
            var recovery = RestoreRecovery(workspace, hold.databases)
            try recovery.rollBack(journal)
            late = recovery.late
        } catch {
            let reason =
                Self.reason(cause) + BilingualText(zh: "；随后在还原时：", en: "; then, while putting it back: ")
                + Self.reason(error)
            log.error("the live data could not be put back", ["reason": reason[.english]])
            throw BackupError.needsRecovery(reason: reason)
        }
        guard !late.isEmpty else { return }
        throw BackupError.lateWritesKept(
            reason: cause.bilingual, kept: late.map(\.id),
            late: late.reduce(NewerData()) { $0 + ($1.missing ?? NewerData()) },
            undone: late.contains { $0.id == journal.undoes } ? journal.undoes : nil)
    }
}
