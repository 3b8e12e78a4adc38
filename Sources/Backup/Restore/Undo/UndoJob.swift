// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Takes the newest restore back: what it replaced becomes live again, and what it brought is kept in turn.
package struct UndoJob: Sendable {
    private let workspace: Workspace
    private let force: Bool
    private let first: RestoreJob.Options.BackupFirst?
    private let wanted: String?

    /// - Parameters:
    ///   - force: also where something was written since the restore.
    ///   - backupFirst: the backup that a forced undo makes of the live stack before; `nil` for none.
    ///   - part: the identifier of the part that was the newest when a person asked for it (`preflight`); `nil` for the one
    ///     that is the newest when it is run, before it waits for its turn.
    package init(
        _ workspace: Workspace, force: Bool, backupFirst: RestoreJob.Options.BackupFirst? = nil,
        bringing part: String? = nil
    ) {
        self.workspace = workspace
        wanted = part
        self.force = force
        first = backupFirst
    }

    /// What can be said at once: is there anything to undo, and would the swap fail?
    /// - Throws: `BackupError.nothingToUndo`, `.keptFilesGone`, `.noPlaceForBackup`, and what `SwapObstacles` finds.
    package func preflight() throws -> KeptPart {
        try refuseWithoutPlace()
        let parts = try KeptParts(workspace).identified()
        let session = workspace.stack.database.session()
        let part = try parts.undoable(force: force, on: session.databases)
        try SwapObstacles(workspace, session).check(
            part.mode, for: .request, bringing: try parts.database(of: part, on: session.databases),
            from: part.mode.includesArtifacts ? parts.tree(of: part) : nil)
        for beside in try UndoBeside.all(
            of: part, workspace, force: force, of: { try KeptParts($0).identified().identity })
        {
            try beside.check(session, for: .request)
        }
        return part
    }

    /// - Throws: `BackupError.nothingToUndo`, `.undoChanged`, `.keptDatabaseGone`, `.newerData`, and what a restore throws.
    package func run() throws -> UndoOutcome {
        // Whoever waits for another undo would take that one back, and for a restore that one, which nobody asked for.
        let wanted = try wanted ?? KeptParts(workspace).identified().restorable().first?.id
        return try workspace.holdingStack("undo of a restore", for: .reading, sparing: wanted) { hold in
            try undo(wanted, hold)
        }
    }

    private func undo(_ wanted: String?, _ hold: Hold) throws -> UndoOutcome {
        let start = MonotonicTime.nanoseconds()
        try hold.refuseWhileUnfinished()
        try refuseWithoutPlace()
        let parts = KeptParts(workspace, of: hold.identity)
        let newest = try parts.restorable().first?.id
        guard newest == wanted else { throw BackupError.undoChanged(wanted: wanted, newest: newest) }
        let part = try parts.undoable(force: force, on: hold.databases)
        let gone = try withoutFiles(part, parts)
        let isFragment = try parts.isFragment(part)
        workspace.log.info("undo started", ["kept": part.id, "backup": part.backup, "force": force])
        let kept = try parts.database(of: part, on: hold.databases)
        do {
            try SwapObstacles(workspace, hold.session).check(
                part.mode, bringing: kept, from: part.mode.includesArtifacts ? parts.tree(of: part) : nil)
        } catch let error
            as SystemError where error.isFull
        {
            // Nothing can be tried on a full disk, last of all; the restore that is taken back showed what it can do. Renames need no room.
            workspace.log.warning("the artifacts' disk is full", ["reason": error.reason])
        }
        let beside = try UndoBeside.all(of: part, workspace, force: force, of: hold.identity(in:))
        for other in beside { try other.check(hold.session, for: .job) }
        let remote = try UndoRemote.all(of: part, workspace, force: force)
        var journal = try journal(part, hold)
        let look = SinceRestore(
            workspace, part,
            part.mode.includesDatabase && part.databaseOID != nil
                ? try hold.session.sinceBrought(part.broughtIn, journal.names, workspace.cancellation) : nil)
        defer { look.close() }
        workspace.progress(Progress(.comparing, fraction: 0.1))
        let folders = try beside.reduce(look.first()) { $0 + (try $1.look.first()).inRoot($1.name) }
        let newer = try remote.reduce(folders) { $0 + (try $1.newer()).inRoot($1.root.name) }
        if !force, !newer.isEmpty { throw BackupError.newerData(backup: part.backup, newer: newer) }
        let shared = SharedFiles(workspace, part)
        let others = try parts.all().reversed().map(\.id).filter { $0 != part.id }
        if let overwritten = look.overwritten { try shared.checkRoom(for: overwritten, others: others) }
        for other in beside { try other.checkRoom() }
        var cover: KeptPart.Cover?
        if force, let first {
            let made = try BackupJob(workspace, options: first.options, version: first.version).make(hold)
            cover = .init(backup: made.name.string, until: made.manifest.database.oldestUnseen)
        }
        // Before the journal: what is put right is right whether or not the undo comes to its end.
        var overwritten = try shared.overwritten()
        let orphans = try shared.putRight(
            &overwritten, keepingOrphansAs: (journal.id ?? "") + "_late", others: others)

        let incoming =
            journal.mode.includesArtifacts ? try BroughtTree.look(at: journal.swap.new, workspace.cancellation) : nil
        if !force, let known = part.entries, let found = incoming?.entries, found < known {
            throw BackupError.keptFilesPartlyGone(
                id: part.id, path: "\(journal.swap.new)/…", count: known.subtracting(clamped: found))
        }
        try journal.lead(beside.map(\.workspace))
        if !remote.isEmpty { journal.leadStores() }
        try journal.write(in: workspace.state)
        var following: [FollowingSwap] = []
        var stores: [RemoteFollowing] = []
        // What one shared with the other, the other shares with the one.
        var swap = DataSwap(
            workspace: workspace, hold: hold, force: force,
            shared: try shared.stillShared(), brought: incoming?.marks,
            untouched: untouched(part, journal), isAddition: isFragment,
            broughtCover: part.coveredBy.map { KeptPart.Cover(backup: $0, until: part.coveredUntil) })
        let broughtIn: String?
        do {
            try journal.swap.prepare(for: workspace.folder)
            // What it puts aside is only some of what is live now; a database is a whole.
            if isFragment, journal.mode.includesArtifacts { try KeptParts.mark(journal.swap.work, as: .fragment) }
            // Were all to be lost half way, journal and state, what is left of it would pass for a whole.
            if journal.mode.includesArtifacts { try KeptParts.mark(parts.folder(of: part.id), as: .undoing) }
            broughtIn =
                try journal.mode.includesDatabase
                ? workspace.stack.moment(in: journal.newDatabase, workspace.cancellation) : nil
            for other in beside { following.append(try other.prepare(behind: journal, hold)) }
            for other in remote { stores.append(try other.prepare(behind: journal, hold)) }
        } catch {
            let areGone = following.reduce(stores.abandon(because: error)) { $1.abandon(because: error) && $0 }
            if areGone { swap.abandon(journal, because: error) }
            guard let full = error as? SystemError, full.isFull else { throw error }
            throw BackupError.lackingRoom(
                path: workspace.stack.artifacts.string, needed: 1 << 16,
                available: try DiskSpace.at(workspace.stack.artifacts).available, kept: others)
        }
        swap.following = following
        swap.stores = stores
        let outcome = try swap.run(&journal, look, cover: cover, broughtIn: broughtIn) {}
        let seconds = MonotonicTime.seconds(since: start)
        workspace.log.info(
            "undo completed",
            ["undone": part.id, "backup": part.backup, "kept": outcome.kept?.id ?? "none", "seconds": seconds])
        return UndoOutcome(
            undone: part, kept: outcome.kept, replaced: outcome.replaced, seconds: seconds,
            warnings: outcome.notes + gone + UndoBeside.left(part, beside)
                + [orphans.map(Self.keptAside), Self.untold(overwritten)].compactMap { $0 }
                + hold.afterSwap(workspace))
    }

    /// What of the part's files does not come back with it.
    private func withoutFiles(_ part: KeptPart, _ parts: KeptParts) throws -> [BilingualText] {
        guard part.mode == .database, try parts.restorable().first?.mode.includesArtifacts == true else {
            return try [parts.fragmentText(part) ?? parts.withoutChildren(part, isUndone: true)].compactMap(\.self)
        }
        let path = parts.folder(of: part.id).string
        return [
            BilingualText(
                zh: "只取回了数据库：保留数据 \(part.id) 的文件不在 \(path)，artifacts 保持原样。",
                en:
                    "The database alone was brought back: the files of what was kept as \(part.id) are not in \(path), and the artifacts "
                    + "stay as they are.")
        ]
    }

    private func refuseWithoutPlace() throws {
        guard force, first != nil, let protection = workspace.folder.writeProtection else { return }
        throw BackupError.noPlaceForBackup(path: workspace.folder.path.string, reason: protection.reason)
    }

    static func keptAside(_ orphans: KeptPart) -> BilingualText {
        let paths = orphans.aside.prefix(12).joined(separator: ", ")
        return BilingualText(
            zh: "恢复之后被原地改写、随后删除的文件已恢复原内容；改写后的内容保留在 \(orphans.id) 中：\(paths)",
            en:
                "Files that were overwritten in place after the restore and then deleted are what they were before; what was "
                + "written is kept as \(orphans.id): \(paths)")
    }

    static func untold(_ overwritten: SharedFiles.Overwritten) -> BilingualText? {
        let untold = overwritten.untold
        guard !untold.isEmpty else { return nil }
        let paths = untold.prefix(12).map(\.description).joined(separator: ", ")
        return BilingualText(
            zh: "部分文件（\(untold.count) 个）或其扩展属性在恢复之后可能被原地更改，而原状已无从得知（备份已不在或无法读取，或共享文件列表已损坏），"
                + "因此保持现状：\(paths)",
            en:
                "Files (\(untold.count)) may have been overwritten in place after the restore, or their attributes changed, and nothing can "
                + "tell or give what they were (the backup is gone or cannot be read, or the list of shared files is damaged), so they "
                + "stay what they are now: \(paths)")
    }

    /// What holds the live data if nobody wrote to it since the swap that is taken back now. That swap brought a backup, or,
    /// itself an undo, what had been kept. Rows are told by their transactions' numbers, which say nothing of another database.
    private func untouched(_ part: KeptPart, _ journal: RestoreJournal) -> DataSwap.Untouched {
        if let brought = part.broughtOID, let live = journal.oldOID, brought != live { return .isHeld(by: nil) }
        return part.isOfUndo == true ? .isHeld(by: part.broughtCover) : .isInBackup
    }

    func journal(_ part: KeptPart, _ hold: Hold) throws -> RestoreJournal {
        let live = workspace.stack.database.name
        let id = RestoreJournal.newID()
        var mode = part.mode
        var incoming = ""
        if part.databaseOID != nil {
            let kept = KeptParts(workspace, of: hold.identity)
            guard let name = try kept.database(of: part, on: hold.databases) else {
                throw BackupError.keptDatabaseGone(
                    id: part.id, database: part.database ?? "", older: try kept.restorable().dropFirst().first?.id)
            }
            incoming = name
        } else if part.mode.includesDatabase {
            // There was no database before the restore: only the files come back.
            mode = .artifacts
        }
        let oid = mode.includesDatabase ? try hold.databases.numbered(live) : nil
        return RestoreJournal(
            format: RestoreJournal.plainFormat, id: id, kind: .undo, stack: hold.identity, task: workspace.task,
            backup: part.backup, mode: mode, stage: .preparing, liveDatabase: live, newDatabase: incoming,
            oldDatabase: RestoreJournal.databaseName(live, "before", id), newOID: part.databaseOID, oldOID: oid,
            hadDatabase: oid != nil, artifacts: workspace.stack.artifacts.bytes,
            incoming: KeptPart.prefix + part.id + "/old",
            rootIdentity: try RestoreJournal.identity(of: workspace.stack.artifacts), undoes: part.id)
    }
}

/// What a finished undo did.
package struct UndoOutcome: Sendable {
    /// What is live again.
    package let undone: KeptPart
    /// What it replaced, to be brought back by another undo.
    package let kept: KeptPart?
    /// What was written after the restore; empty without force.
    package let replaced: NewerData
    package let seconds: Double
    package let warnings: [BilingualText]
}
