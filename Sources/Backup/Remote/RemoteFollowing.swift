// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import Wording

/// A remote root on its way through a restore or an undo, as `FollowingSwap` of a folder.
struct RemoteFollowing {
    let workspace: Workspace
    let root: RemoteRoot
    let store: any RemoteStore
    private(set) var journal: RemoteJournal
    /// What it has now and what is brought back has not.
    private let look: (inout RemoteJournal) throws -> NewerData
    private(set) var replaced = NewerData()

    init(
        _ workspace: Workspace, _ root: RemoteRoot, _ store: any RemoteStore, _ journal: RemoteJournal,
        look: @escaping (inout RemoteJournal) throws -> NewerData
    ) {
        (self.workspace, self.root, self.store, self.journal, self.look) = (workspace, root, store, journal, look)
    }

    var name: String { root.name }

    mutating func lookOnce() throws { replaced = try look(&journal).inRoot(root.name) }

    /// Before the deciding one does.
    mutating func commit(behind leader: RestoreJournal) throws {
        if leader.mode.includesDatabase { (journal.newOID, journal.oldOID) = (leader.newOID, leader.oldOID) }
        journal.stage = .committing
        try journal.write(in: workspace.firstState)
    }

    /// The deciding one did not come to its swap.
    /// - Returns: whether nothing of it is left.
    mutating func abandon(because cause: any Error) -> Bool {
        do {
            if journal.stage == .committing {
                journal.stage = .preparing
                try journal.write(in: workspace.firstState)
            }
            // Whoever ended the operation does not end this.
            let store = try root.open(cancellation: Cancellation(), patience: RemoteJournals.brief)
            try RemoteSwap(store, isResumed: true).drop(journal)
            try journal.remove(in: workspace.firstState)
            return true
        } catch {
            workspace.log.error(
                "what was prepared in a store could not be removed", ["root": name, "reason": error.bilingual.english])
            return false
        }
    }

    /// The deciding one is at its end.
    /// - Throws: `BackupError.needsRecovery`.
    func follow() throws -> [BilingualText] {
        do { return try RemoteJournals(workspace).finish(journal, store, isResumed: false) } catch {
            let reason = error.bilingual
            workspace.log.error("a store is not brought back yet", ["root": name, "reason": reason.english])
            throw BackupError.needsRecovery(
                reason: BilingualText(
                    zh: "\(root.location) 中的对象尚未切换，将由下一次操作继续：",
                    en: "the objects of \(root.location) are not swapped yet, which the next operation goes on with: ")
                    + reason)
        }
    }
}

extension RestoreJournal {
    /// Makes it one that remote roots follow.
    mutating func leadStores() { format = Self.storesFormat }
}

extension [RemoteFollowing] {
    /// - Returns: whether nothing of any is left.
    mutating func abandon(because cause: any Error) -> Bool {
        indices.reduce(true) { self[$1].abandon(because: cause) && $0 }
    }
}
