// SPDX-License-Identifier: Apache-2.0

/// The journals of the folders beside the first, in a restore of several.
///
/// Each is a journal of its own, of the artifacts alone, and says which one it follows. It is in *committing* before the other one
/// is, and moves nothing before that one is at its end. On which side it goes says the database, and where no database is in
/// play the other journal:
///
/// | the journal that decides | one that follows |
/// | --- | --- |
/// | *preparing*, or it is put back | stands down to *preparing*, and is dropped |
/// | *committing* | waits until that one is settled |
/// | gone | in *preparing*: dropped; in *committing*: forward, unless the old database is live |
struct FollowingJournals {
    private let journal: RestoreJournal
    private let workspace: Workspace

    /// - Parameter journal: the one that decides.
    init(of journal: RestoreJournal, _ workspace: Workspace) {
        self.journal = journal
        self.workspace = workspace
    }

    /// Before anything of the deciding one is put back: once that is gone, nothing else says that they must not go forward.
    func standDown() throws {
        guard let id = journal.id, journal.root == nil else { return }
        for view in workspace.views {
            guard var following = try RestoreJournal.read(view.stack, workspace.folder), following.follows == id,
                following.stage == .committing
            else { continue }
            following.stage = .preparing
            try following.write(in: view.state)
        }
    }
}

extension RestoreJournal {
    /// Whether a database says on which side all of it ends: its own, or that of the one that it follows.
    var isDecidedByDatabase: Bool { mode.includesDatabase || follows != nil && newOID != nil }
}
