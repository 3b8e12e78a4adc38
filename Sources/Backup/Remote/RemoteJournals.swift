// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import Wording

/// Settles what restores and undos left in remote roots.
struct RemoteJournals {
    private let workspace: Workspace
    private var state: RestoreState { workspace.firstState }

    init(_ workspace: Workspace) { self.workspace = workspace }

    /// Of what only clears up.
    static let brief = RequestPatience(connecting: 10, stall: 20, retrying: 30)

    private func root(of journal: RemoteJournal) throws -> RemoteRoot {
        guard
            let root = workspace.stack.remote.first(where: {
                $0.name == journal.root && $0.location.description == journal.location
            })
        else {
            throw BackupError.needsRecovery(
                reason: BilingualText(
                    zh:
                        "中断的恢复涉及 \(journal.location.shown)，而 ARTIFACT_ROOTS 中没有它：请加入 \(journal.root)=\(journal.location.shown)",
                    en:
                        "a restore that was interrupted is about \(journal.location.shown), too, which ARTIFACT_ROOTS does not name: add "
                        + "\(journal.root)=\(journal.location.shown) to it"))
        }
        return root
    }

    /// All that follow no journal that is still to be settled.
    /// - Throws: `BackupError.needsRecovery`.
    /// - Returns: why what was prepared could not be removed, which stops nobody but a restore.
    func settle(following id: String? = nil, on databases: any DatabaseSet) throws -> BilingualText? {
        var stuck: BilingualText?
        let system = try StackIdentity(of: workspace.stack, on: databases).system
        for journal in try RemoteJournal.all(workspace, system: system) where journal.stage != .kept {
            if let id, journal.id != id { continue }
            do {
                if try isForward(journal, databases) {
                    let store = try root(of: journal).open(cancellation: workspace.cancellation)
                    _ = try finish(journal, store, isResumed: true)
                } else {
                    stuck = try dropped(journal) ?? stuck
                }
            } catch let error as BackupError { throw error } catch {
                throw BackupError.needsRecovery(reason: error.bilingual)
            }
        }
        return stuck
    }

    private func dropped(_ journal: RemoteJournal) throws -> BilingualText? {
        do {
            let store = try root(of: journal).open(cancellation: workspace.cancellation, patience: Self.brief)
            try RemoteSwap(store, isResumed: true).drop(journal)
        } catch let error as ObjectStoreError {
            workspace.log.warning(
                "what was prepared in a store cannot be removed yet",
                ["place": journal.location, "reason": error.bilingual.english])
            return error.bilingual
        }
        try journal.remove(in: state)
        return nil
    }

    private func isForward(_ journal: RemoteJournal, _ databases: any DatabaseSet) throws -> Bool {
        guard journal.stage == .committing else { return false }
        if let new = journal.newOID {
            let live = try databases.oid(of: journal.liveDatabase)
            if live == new { return true }
            if live == journal.oldOID { return false }
        } else if try RestoreJournal.existing(journal.id, in: state) != nil
            || KeptPart.hasRecord(journal.id, in: state)
        {
            // Whoever puts that back sends this back to *preparing* before.
            return true
        }
        let file = journal.path(in: state)
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "恢复日志 \(file) 所跟随的恢复已无踪迹，无法得知 \(journal.location.shown) 应保持原样还是切换：请查看线上数据，再移走该日志",
                en:
                    "nothing is left of the restore that the journal \(file) follows, so that nobody can tell on which side "
                    + "\(journal.location.shown) is to be: look at the live data, then move the journal away"))
    }

    /// Brings one to its end.
    func finish(
        _ journal: RemoteJournal, _ store: any RemoteStore, isResumed: Bool
    ) throws -> [BilingualText] {
        var journal = journal
        let swap = try RemoteSwap(store, isResumed: isResumed)
        try swap.forward(&journal)
        try swap.clear(journal)
        let undone = journal.undoes
        journal.stage = .kept
        journal.undoes = nil
        try journal.write(in: state)
        if let undone,
            let record = try RemoteJournal.all(workspace).first(where: { $0.id == undone && $0.root == journal.root })
        {
            try swap.forget(record)
            try record.remove(in: state)
        }
        workspace.log.info(
            "objects of a store are swapped", ["place": journal.location, "objects": journal.items.count])
        guard !journal.late.isEmpty else { return [] }
        let keys = journal.items.filter { journal.late.contains($0.key) }.prefix(12).map { $0.object.description.shown }
        return [
            BilingualText(
                zh:
                    "切换期间写入 \(journal.location.shown) 的对象保留在 \(KeptPart.prefix)\(journal.id)/late 中：\(keys.joined(separator: ", "))",
                en:
                    "Objects that were written to \(journal.location.shown) during the swap are kept in \(KeptPart.prefix)\(journal.id)/late: "
                    + keys.joined(separator: ", "))
        ]
    }

    /// Whoever puts the journal back that they follow writes that down first.
    func standDown(following id: String) throws {
        for var journal in try RemoteJournal.all(workspace) where journal.id == id && journal.stage == .committing {
            journal.stage = .preparing
            try journal.write(in: state)
        }
    }

    /// Removes what is kept of restores of which nothing else is kept any more.
    func sweep() {
        do {
            for journal in try RemoteJournal.all(workspace) where journal.stage == .kept {
                guard try !KeptPart.hasRecord(journal.id, in: state),
                    try RestoreJournal.existing(journal.id, in: state) == nil
                else { continue }
                let store = try root(of: journal).open(cancellation: workspace.cancellation, patience: Self.brief)
                try RemoteSwap(store, isResumed: true).forget(journal)
                try journal.remove(in: state)
                workspace.log.info(
                    "kept objects of a store are removed", ["place": journal.location, "kept": journal.id])
            }
        } catch {
            workspace.log.warning(
                "kept objects of a store cannot be removed yet", ["reason": error.bilingual.english])
        }
    }
}
