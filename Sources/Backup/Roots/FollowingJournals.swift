// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The journals of the folders beside the first, in a restore of several.
///
/// Each is a journal of its own, of the artifacts alone, and says which one it follows. It is in *committing* before the other one
/// is, moves nothing before that one is at its end, and is gone before that one is removed. On which side it goes says the database, and where no database is in
/// play the other journal:
///
/// | the journal that decides | one that follows |
/// | --- | --- |
/// | *preparing*, or it is put back | stands down to *preparing*, and is dropped |
/// | *committing*, and where it is to be | forward |
/// | gone, as by a person's hand | in *preparing*: dropped; in *committing*: forward, unless the old database is live |
struct FollowingJournals {
    private let journal: RestoreJournal
    private let workspace: Workspace

    /// - Parameter journal: the one that decides.
    init(of journal: RestoreJournal, _ workspace: Workspace) {
        self.journal = journal
        self.workspace = workspace
    }

    /// Before anything of the deciding one is put back: once that is gone, nothing else says that they must not go forward.
    /// - Throws: `BackupError.needsRecovery` where one cannot be seen.
    func standDown() throws {
        guard let id = journal.id, journal.root == nil else { return }
        try requireSeen()
        try RemoteJournals(workspace).standDown(following: id)
        for view in workspace.views {
            guard
                var following = try RestoreJournal.read(view.stack, workspace.folder, system: journal.stack?.system),
                following.follows == id, following.stage == .committing
            else { continue }
            following.stage = .preparing
            try following.write(in: view.state)
        }
    }

    /// A journal that lies beside the artifacts (write-protected media) is not seen while their disk is away, and neither are those that
    /// follow it: that they are not there proves something only in the right folders.
    func requireSeen() throws {
        guard let followers = journal.followers,
            journal.path(in: workspace.state).parent != workspace.folder.state
        else { return }
        for (name, mark) in followers {
            guard let view = workspace.views.first(where: { $0.stack.root == name }) else {
                throw BackupError.rootLeft(name: name, journal: journal.path(in: workspace.state).string)
            }
            let isThere = try RestoreJournal.identity(of: view.stack.artifacts) != nil
            let found = try isThere ? ArtifactsMark.read(in: view.stack.artifacts)?.id : nil
            guard isThere, mark == nil || mark == found else {
                throw BackupError.needsRecovery(
                    reason: BilingualText(
                        zh: "artifacts 目录 \(name)（\(view.stack.artifacts)）不存在，或不是该次恢复的目录：请挂载其磁盘",
                        en:
                            "the artifacts folder \(name) (\(view.stack.artifacts)) is not there, or is not the one that the restore was of: "
                            + "mount its disk"))
            }
        }
    }
}

extension RestoreJournal {
    /// Makes it the one that decides for these.
    mutating func lead(_ views: [Workspace]) throws {
        guard !views.isEmpty else { return }
        format = Self.currentFormat
        followers = try views.reduce(into: [:]) { all, view in
            all[view.stack.root ?? ""] = .some(try ArtifactsMark.read(in: view.stack.artifacts)?.id)
        }
    }

    mutating func follow(_ leader: RestoreJournal, as root: String?) {
        format = Self.currentFormat
        (self.root, follows) = (root, leader.id)
    }

    /// Whether a database says on which side all of it ends: its own, or that of the one that it follows.
    var isDecidedByDatabase: Bool { mode.includesDatabase || follows != nil && newOID != nil }
}
