// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// The undo of one folder beside the first: it brings back what the same restore replaced there.
struct UndoBeside {
    let workspace: Workspace
    private let part: KeptPart
    private let parts: KeptParts
    private let force: Bool
    let look: SinceRestore

    var name: String { part.root ?? "" }

    /// The parts that go with one.
    /// - Throws: without force `BackupError.keptFilesPartlyGone` where one is not there any more, `.keptFragment`;
    ///   `.rootsUnknown`, `.artifactsMissing`, `.artifactsEmptied` whatever force says.
    static func all(
        of part: KeptPart, _ workspace: Workspace, force: Bool, of identity: (Workspace) throws -> StackIdentity?
    ) throws -> [UndoBeside] {
        guard part.mode.includesArtifacts, let names = part.roots else { return [] }
        let views = workspace.views
        let found = try workspace.following(part)
        // By what follows it: a folder may have another name by now.
        let unknown = names.filter { name in !views.contains { $0.stack.root == name } }
        if found.count < names.count, !unknown.isEmpty { throw BackupError.rootsUnknown(names: unknown) }
        // A folder whose disk is away is none from which anything is gone.
        let stack =
            try identity(workspace)
            ?? StackIdentity(of: workspace.stack, on: workspace.stack.database.session().databases)
        let marks = RootMarks(of: stack, among: try Catalogue(workspace.folder).items())
        for view in views where names.contains(view.stack.root ?? "") {
            try view.stack.checkArtifactsFolder()
            try marks.refuseAway(view.stack)
        }
        let lacking = names.filter { name in !found.contains { $0.part.root == name } }
        if !force, found.count < names.count, let first = lacking.first {
            throw BackupError.keptFilesPartlyGone(id: part.id, path: "[\(first)]", count: names.count - found.count)
        }
        return try found.compactMap { view, following in
            try UndoBeside(view, following, KeptParts(view, of: try identity(view)), force: force)
        }
    }

    /// With force: folders that stay as they are, since what was kept of them is not there any more.
    static func left(_ part: KeptPart, _ beside: [UndoBeside]) -> [BilingualText] {
        let left = (part.roots ?? []).filter { name in !beside.contains { $0.name == name } }
        guard part.mode.includesArtifacts, !left.isEmpty else { return [] }
        return [
            BilingualText(
                zh: "artifacts 目录 \(left.joined(separator: "、")) 没有撤销，保持原样：为它们保留的数据已不在。",
                en:
                    "The artifacts folders \(left.joined(separator: ", ")) were not taken back and stay as they are: what was kept of them is not "
                    + "there any more.")
        ]
    }

    private init?(_ workspace: Workspace, _ part: KeptPart, _ parts: KeptParts, force: Bool) throws {
        if part.isBeingRemoved == true {
            if force { return nil }
            throw BackupError.keptFilesPartlyGone(id: part.id, path: parts.folder(of: part.id).string, count: 1)
        }
        if try parts.lacksFiles(part) {
            if force { return nil }
            throw BackupError.keptFilesPartlyGone(
                id: part.id, path: parts.folder(of: part.id).string, count: 1)
        }
        if !force {
            if let text = try parts.fragmentText(part) {
                throw BackupError.keptFragment(id: part.id, explanation: text)
            }
            let gone = try parts.missingChildren(of: part)
            if let first = gone.first {
                throw BackupError.keptFilesPartlyGone(id: part.id, path: first.string, count: gone.count)
            }
        }
        self.workspace = workspace
        self.part = part
        self.parts = parts
        self.force = force
        look = SinceRestore(workspace, part)
    }

    func check(_ session: any StoreSession, for asker: SwapObstacles.Asker) throws {
        try SwapObstacles.refuseUnwritable(parts.folder(of: part.id))
        try SwapObstacles(workspace, session).check(.artifacts, for: asker, from: parts.tree(of: part))
    }

    private var others: [String] {
        get throws { try parts.all().reversed().map(\.id).filter { $0 != part.id } }
    }

    func checkRoom() throws {
        guard let overwritten = look.overwritten else { return }
        try SharedFiles(workspace, part).checkRoom(for: overwritten, others: others)
    }

    /// Puts right what was overwritten, and writes the journal.
    /// - Throws: nothing of it is left then.
    func prepare(behind leader: RestoreJournal, _ hold: Hold) throws -> FollowingSwap {
        let id = RestoreJournal.newID()
        let shared = SharedFiles(workspace, part)
        var overwritten = try shared.overwritten()
        let orphans = try shared.putRight(&overwritten, keepingOrphansAs: id + "_late", others: others)
        let live = workspace.stack.database.name
        var journal = RestoreJournal(
            format: RestoreJournal.currentFormat, id: id, kind: .undo, stack: try hold.identity(in: workspace),
            task: workspace.task, backup: part.backup, mode: .artifacts, stage: .preparing, liveDatabase: live,
            newDatabase: "", oldDatabase: RestoreJournal.databaseName(live, "before", id), newOID: nil, oldOID: nil,
            hadDatabase: false, artifacts: workspace.stack.artifacts.bytes,
            incoming: KeptPart.prefix + part.id + "/old",
            rootIdentity: try RestoreJournal.identity(of: workspace.stack.artifacts), undoes: part.id)
        journal.follow(leader, as: workspace.stack.root)
        let incoming = try BroughtTree.look(at: journal.swap.new, workspace.cancellation)
        if !force, let known = part.entries, incoming.entries < known {
            throw BackupError.keptFilesPartlyGone(
                id: part.id, path: "\(journal.swap.new)/…", count: known.subtracting(clamped: incoming.entries))
        }
        let isFragment = try parts.isFragment(part)
        let swap = DataSwap(
            workspace: workspace, hold: hold, force: force, shared: try shared.stillShared(), brought: incoming.marks,
            untouched: part.isOfUndo == true ? .isHeld(by: part.broughtCover) : .isInBackup, isAddition: isFragment,
            broughtCover: part.coveredBy.map { KeptPart.Cover(backup: $0, until: part.coveredUntil) })
        try journal.write(in: workspace.state)
        do {
            try journal.swap.prepare(for: workspace.folder)
            if isFragment { try KeptParts.mark(journal.swap.work, as: .fragment) }
            try KeptParts.mark(parts.folder(of: part.id), as: .undoing)
        } catch {
            swap.abandon(journal, because: error)
            throw error
        }
        var following = FollowingSwap(swap, journal, look)
        following.notes = [orphans.map(UndoJob.keptAside), UndoJob.untold(overwritten)].compactMap(\.self)
        return following
    }
}
