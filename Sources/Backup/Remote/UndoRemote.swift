// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import Wording

/// The undo of one remote root: it brings back what the same restore replaced or removed there, and takes away what that added.
struct UndoRemote {
    let root: RemoteRoot
    private let workspace: Workspace
    private let record: RemoteJournal
    private let store: any RemoteStore

    /// Those that go with a part.
    /// - Throws: without force `BackupError.keptFilesPartlyGone` where a record is not there any more; `.rootsUnknown`, `ObjectStoreError`.
    static func all(of part: KeptPart, _ workspace: Workspace, force: Bool) throws -> [UndoRemote] {
        guard part.mode.includesArtifacts, let names = part.stores else { return [] }
        let records = try RemoteJournal.all(workspace).filter { $0.id == part.id && $0.stage == .kept }
        let lacking = names.filter { name in !records.contains { $0.root == name } }
        if !force, let first = lacking.first {
            throw BackupError.keptFilesPartlyGone(id: part.id, path: "[\(first)]", count: lacking.count)
        }
        return try records.map { record in
            guard
                let root = workspace.stack.remote.first(where: {
                    $0.name == record.root && $0.location.description == record.location
                })
            else { throw BackupError.rootsUnknown(names: [record.root]) }
            return UndoRemote(
                root: root, workspace: workspace, record: record,
                store: try root.open(cancellation: workspace.cancellation))
        }
    }

    /// What was written there since.
    func newer() throws -> NewerData {
        var unused = RemoteJournal(record, undoing: record.id)
        return try Self.look(&unused, record, store)
    }

    /// - Returns: objects that are others than the restore left; the plan gets what lies there now.
    private static func look(
        _ journal: inout RemoteJournal, _ record: RemoteJournal, _ store: any RemoteStore
    ) throws -> NewerData {
        let connection = try store.connect()
        var keys: [BilingualText] = []
        for index in journal.items.indices {
            try store.cancellation.check()
            let key = journal.items[index].object
            let now = try connection.describe(key)
            journal.items[index].before = now.map { .init($0.stamps) }
            guard let now, record.items[index].after?.agree(with: now.stamps) != true else { continue }
            let shown = key.description.shown
            keys.append(
                BilingualText(
                    zh: "对象 \(shown) 在恢复之后被写入", en: "the object \(shown) was written after the restore"))
        }
        return NewerData(Array(keys.prefix(1000)), total: keys.count)
    }

    /// Writes the journal. Nothing has to be prepared: what comes back lies in the store.
    func prepare(behind leader: RestoreJournal, _ hold: Hold) throws -> RemoteFollowing {
        var journal = RemoteJournal(record, undoing: record.id)
        journal.id = leader.id ?? ""
        journal.stack = hold.identity
        _ = try Self.look(&journal, record, store)
        try journal.write(in: workspace.firstState)
        let (record, store) = (record, store)
        return RemoteFollowing(workspace, root, store, journal) { try Self.look(&$0, record, store) }
    }
}

extension RemoteJournal {
    /// What takes another one back: item by item, in its order.
    init(_ record: RemoteJournal, undoing id: String) {
        self.init(
            id: record.id, root: record.root, location: record.location, kind: .undo, stack: record.stack,
            liveDatabase: record.liveDatabase)
        undoes = id
        items = record.items.map { item in
            var taken = item
            (taken.before, taken.after) = (nil, nil)
            taken.role =
                switch item.role {
                case .replaced: .replaced
                case .added: .removed
                case .removed: .added
                }
            return taken
        }
    }
}
