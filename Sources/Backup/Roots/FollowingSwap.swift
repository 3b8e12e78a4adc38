// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// A folder beside the first, on its way through the same restore or undo: it does what `DataSwap` does with the first, and moves
/// nothing before that one has come to its end (`FollowingJournals`).
struct FollowingSwap {
    private let swap: DataSwap
    private(set) var journal: RestoreJournal
    /// Of its files.
    private let look: any LastLook
    private let check: () throws -> Void
    /// What it has and what is brought back has not; known after `lookOnce`.
    private(set) var replaced = NewerData()
    /// What a person has to know of it afterwards.
    var notes: [BilingualText] = []

    /// - Parameters:
    ///   - swap: with the folder's view as its workspace.
    ///   - check: what else must hold right before the swap.
    init(
        _ swap: DataSwap, _ journal: RestoreJournal, _ look: any LastLook,
        check: @escaping () throws -> Void = {}
    ) {
        self.swap = swap
        self.journal = journal
        self.look = look
        self.check = check
    }

    private var workspace: Workspace { swap.workspace }
    var name: String { journal.root ?? "" }

    mutating func ready() throws { try swap.ready(&journal, check) }

    mutating func lookOnce() throws { replaced = try look.last() }

    /// Before the deciding one does: a crash after that finds all of them ready to go forward.
    mutating func commit(behind leader: RestoreJournal, _ cover: KeptPart.Cover?) throws {
        if leader.mode.includesDatabase { (journal.newOID, journal.oldOID) = (leader.newOID, leader.oldOID) }
        try swap.commit(&journal, replaced, nil, cover, nil)
    }

    /// Before the deciding one is given up: that it must not go forward is written down where that is, whatever became of its disk.
    mutating func standDown() throws {
        guard journal.stage == .committing else { return }
        journal.stage = .preparing
        try journal.write(in: workspace.state)
    }

    /// The deciding one did not come to its swap, or was put back.
    /// - Returns: whether nothing of it is left.
    @discardableResult
    func abandon(because cause: any Error) -> Bool {
        look.close()
        return swap.abandon(journal, because: cause)
    }

    /// The deciding one is at its end: this goes forward, now or with the next operation.
    /// - Returns: what is kept of it.
    /// - Throws: `BackupError.needsRecovery`.
    func follow() throws -> KeptPart? {
        look.close()
        do {
            if let plan = journal.plan { try journal.swap.forward(plan) }
            return try SwapSettlement(workspace, swap.hold.databases).keepReplaced(journal)
        } catch {
            let reason = error.bilingual
            workspace.log.error(
                "a folder is not brought back yet", ["root": name, "reason": reason[.english]])
            throw BackupError.needsRecovery(
                reason: BilingualText(
                    zh: "artifacts 目录 \(name) 尚未切换，将由下一次操作继续：",
                    en: "the artifacts folder \(name) is not swapped yet, which the next operation goes on with: ")
                    + reason)
        }
    }
}

extension NewerData {
    /// Said of a folder beside the first.
    func inRoot(_ name: String) -> NewerData {
        isEmpty
            ? self
            : NewerData(
                findings.map { BilingualText(zh: "［\(name)］", en: "[\(name)] ") + $0 }, total: total)
    }
}

extension KeptPart {
    /// Files that came in during the swap, and whose place was taken.
    var asideText: BilingualText? {
        guard !aside.isEmpty, let root else { return nil }
        let paths = aside.prefix(12).map(\.shown).joined(separator: ", ")
        return BilingualText(
            zh: "切换期间写入 artifacts 目录 \(root)、而原位置已被占用的文件保留在 \(id) 中：\(paths)",
            en:
                "Files that came into the artifacts folder \(root) during the swap, and whose places were taken, are kept as \(id): \(paths)"
        )
    }
}
