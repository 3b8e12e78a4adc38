// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// The ways a restore ends: without what it prepared, or with what it replaced kept.
struct SwapSettlement {
    let workspace: Workspace
    let databases: any DatabaseSet

    init(_ workspace: Workspace, _ databases: any DatabaseSet) {
        self.workspace = workspace
        self.databases = databases
    }

    /// Which database has the live name now? Its oid tells, whatever happened to the names and to the answer of a commit.
    /// Ask under the stack's lock only: as long as the server works for a dead client, the answer may change.
    /// - Throws: `BackupError.needsRecovery` where it is neither of the two: another cluster, or somebody's hand.
    func databaseWasSwapped(_ journal: RestoreJournal) throws -> Bool {
        let live = try databases.oid(of: journal.liveDatabase)
        guard let new = journal.newOID else {
            // 0.1.0 wrote names: the two renames are one transaction, so the new name is gone exactly when it was made.
            return try !databases.exists(journal.newDatabase) && live != nil
        }
        if live == new { return true }
        if live == journal.oldOID { return false }
        let (found, old) = (live.map { "\($0)" } ?? "-", journal.oldOID.map { "\($0)" } ?? "-")
        let file = journal.path(in: workspace.state)
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "数据库 \(journal.liveDatabase)（oid \(found)）既不是恢复 \(journal.backup) 之前的（\(old)），也不是恢复出来的（\(new)）；"
                    + "如果确实如此，请移走恢复日志 \(file)",
                en:
                    "database \(journal.liveDatabase) (oid \(found)) is neither the one before the restore of \(journal.backup) "
                    + "(\(old)) nor the restored one (\(new)); if that is right, move the restore journal \(file) away")
        )
    }

    /// Ends a restore whose old data is live: what it prepared goes. A kept part that was to come back stays kept, and so does
    /// what clients wrote into the new data while that was live (`LateParts`).
    /// - Throws: `BackupError.needsRecovery` where the restore's own folder may be there and is not seen: nothing is removed then.
    func dropPrepared(_ journal: RestoreJournal) throws {
        try OwnFolder(workspace, journal).watching { try drop(journal) }
        try journal.remove(in: workspace.state)
        journal.swap.removeFolderIfEmpty()
    }

    private func drop(_ journal: RestoreJournal) throws {
        // The dump that was unpacked for it: as large as the database, and nobody else's.
        try Directory.removeTree(workspace.state.dump(of: journal))
        try journal.noteUndoing(in: workspace.state)
        if journal.mode.includesDatabase {
            try removeCopy(journal, journal.oldDatabase, isElsewhere: false)
        }
        if journal.mode.includesDatabase, journal.kind != .undo, journal.newDatabase != journal.liveDatabase,
            try !LateParts(workspace, databases).holdsDatabase(of: journal)
        {
            // By its oid where that is known, and only under the name that this restore gave it.
            let isThere = try journal.newOID.map { try databases.name(of: $0) == journal.newDatabase } ?? true
            if isThere { try databases.drop(journal.newDatabase) }
        }
        if let undone = journal.undoes { try KeptParts(workspace).removeUndoingMark(of: undone) }
        // What was written for the case that the swap is made. Before the folder: as long as it is there, the folder is, too.
        if let id = journal.id { try KeptPart.read(id, in: workspace.state)?.removeRecord(in: workspace.state) }
        if journal.mode.includesArtifacts || journal.format != nil { try journal.swap.discard() }
    }

    /// Ends a restore whose new data is live: what came in late is carried over, and what was replaced becomes kept.
    /// - Throws: also `BackupError.needsRecovery`, where the restore's own folder is not seen.
    /// - Parameter isClosing: whether that is its end, and nothing that follows it is still to be done (`close`).
    @discardableResult
    func keepReplaced(_ journal: RestoreJournal, closing isClosing: Bool = true) throws -> KeptPart? {
        let part = try OwnFolder(workspace, journal).watching {
            if journal.mode.includesDatabase {
                // What a restore brought is in its backup.
                try removeCopy(journal, journal.newDatabase, isElsewhere: journal.kind != .undo)
            }
            let part = try keep(journal)
            try endUndone(journal)
            return part
        }
        if isClosing { try close(journal) }
        return part
    }

    private func removeCopy(_ journal: RestoreJournal, _ name: String, isElsewhere: Bool) throws {
        guard try databases.removeCopy(ofLive: journal.liveDatabase, called: name, isElsewhere: isElsewhere) else {
            return
        }
        workspace.log.warning(
            "a database of an interrupted restore stays, since the live one has not all that is in it: look at it, then remove it",
            ["database": name])
    }

    func close(_ journal: RestoreJournal) throws {
        try journal.remove(in: workspace.state)
        journal.swap.removeFolderIfEmpty()
    }

    private func keep(_ journal: RestoreJournal) throws -> KeptPart {
        let target = journal.swap.folder.appending(KeptPart.prefix + (journal.id ?? ""))
        if let id = journal.id, try FileStatus.ifPresent(journal.swap.work) == nil,
            try FileStatus.ifPresent(target) != nil, let part = try record(id)
        {
            // All was done but the removal of the journal.
            return part
        }
        var part = try journal.id.flatMap { try record($0) } ?? described(journal)
        if journal.mode.includesArtifacts, let plan = journal.plan { try journal.swap.putStrandedAside(plan) }
        if journal.mode.includesArtifacts {
            let late = try LateArrivals(
                from: journal.swap.old, live: workspace.stack.artifacts, mark: journal.mark ?? journal.unknownMark,
                present: journal.present, plan: journal.plan
            ).carryOver()
            part.carried += late.carried.filter { !part.carried.contains($0) }
            part.aside += late.aside.filter { !part.aside.contains($0) }
        }
        if try isEmpty(part, journal) {
            // Not because nobody could look.
            try OwnFolder(workspace, journal).requireSeen()
            // In this order: a record whose folder is gone would be one of lost files.
            try part.removeRecord(in: workspace.state)
            try journal.swap.discard()
        } else {
            try keep(part, journal)
        }
        return part
    }

    /// One that cannot be read is described anew from the journal, and covered by nothing then.
    private func record(_ id: String) throws -> KeptPart? {
        try KeptPart.readOrPutAside(id, in: workspace.state, log: workspace.log)
    }

    private func endUndone(_ journal: RestoreJournal) throws {
        if let undone = journal.undoes {
            // Its tree and its database are live again; what is left is the record, or what somebody put there.
            let folder = journal.swap.folder.appending(KeptPart.prefix + undone)
            let tree = folder.appending("old")
            if try FileStatus.ifPresent(tree) == nil || Directory.names(in: tree).isEmpty {
                try Directory.removeTree(folder)
                try KeptPart.removeRecord(of: undone, in: workspace.state)
            }
        }
    }

    private func keep(_ part: KeptPart, _ journal: RestoreJournal) throws {
        let swap = journal.swap
        let target = swap.folder.appending(KeptPart.prefix + part.id)
        if swap.id == nil {
            // 0.1.0 had its folders in ours.
            try Directory.makeInherited(target, mode: 0o700)
            if try FileStatus.ifPresent(swap.old) != nil {
                try Directory.renameWithoutReplacing(swap.old, to: target.appending("old"))
            }
            if try FileStatus.ifPresent(swap.new) != nil { try Directory.removeTree(swap.new) }
        }
        do { try part.write(in: workspace.state) } catch let error as SystemError where error.isFull && swap.id != nil {
            // The record of before the swap says all but the late arrivals, which are told by the task.
            workspace.log.warning("the kept part's record is not complete", ["reason": error.description])
        }
        guard swap.id != nil else { return }
        if swap.incoming == nil, try FileStatus.ifPresent(swap.new) != nil { try Directory.removeTree(swap.new) }
        // Repeated after a crash, it is there already.
        if try FileStatus.ifPresent(swap.work) != nil {
            try Directory.renameWithoutReplacing(swap.work, to: target)
        }
        try Directory.sync(swap.folder)
    }

    private func isEmpty(_ part: KeptPart, _ journal: RestoreJournal) throws -> Bool {
        // An undo takes all folders of a restore back, or none: also one that was empty.
        if part.follows != nil || part.roots != nil || part.stores != nil { return false }
        if try KeptParts(workspace).database(of: part, on: databases) != nil { return false }
        guard journal.mode.includesArtifacts, try FileStatus.ifPresent(journal.swap.old) != nil else { return true }
        return try Directory.names(in: journal.swap.old).isEmpty
    }

    /// What a journal of 0.1.0, or one whose record is damaged, tells of what it replaced.
    private func described(_ journal: RestoreJournal) throws -> KeptPart {
        let database = journal.mode.includesDatabase && journal.hadDatabase ? journal.oldDatabase : nil
        let now = LocalTime.now()
        var part = KeptPart(
            id: journal.id ?? now.stamp, backup: journal.backup, mode: journal.mode, replacedAt: now.epoch,
            stack: journal.stack, databaseOID: try database.flatMap { try databases.oid(of: $0) }, database: database,
            sequence: try KeptPart.nextSequence(in: workspace.state))
        (part.root, part.follows) = (journal.root, journal.follows)
        part.roots = journal.followers.map { $0.keys.sorted() }
        return part
    }
}

extension RestoreJournal {
    /// Of 0.1.0, which made no mark: nothing is taken for late.
    fileprivate var unknownMark: FileTime { FileTime(seconds: .max) }
}
