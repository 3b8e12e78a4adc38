// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import Wording

/// Moves the objects of one journal. Stores have no renames: what is replaced is copied by the store to where it is kept, and then
/// the new one over it. Each step can be repeated after a crash at any point.
struct RemoteSwap {
    let store: any RemoteStore
    private let connection: any StoreConnection
    /// Whether an earlier process may have begun.
    private let isResumed: Bool

    init(_ store: any RemoteStore, isResumed: Bool) throws {
        (self.store, self.isResumed) = (store, isResumed)
        connection = try store.connect()
    }

    /// Brings all to the new side.
    func forward(_ journal: inout RemoteJournal) throws {
        for index in journal.items.indices {
            let item = journal.items[index]
            let key = item.object
            switch item.role {
            case .removed: try putAside(key, item, &journal)
            case .replaced: try replace(key, item, &journal)
            case .added: if journal.kind == .undo { try replace(key, item, &journal) }
            }
            if item.role != .removed {
                journal.items[index].after = try connection.describe(key).map { .init($0.stamps) }
            }
        }
    }

    /// After all of it came in.
    func clear(_ journal: RemoteJournal) throws {
        guard journal.kind == .restore else { return }
        for item in journal.items where item.role == .replaced {
            try connection.delete(journal.source(of: item.object))
        }
    }

    private func replace(_ key: ObjectKey, _ item: RemoteJournal.Item, _ journal: inout RemoteJournal) throws {
        let (source, kept) = (journal.source(of: key), journal.kept(key))
        let now = try connection.describe(key)
        // What is brought in goes when all of it is where it is to be.
        let incoming = isResumed ? try connection.describe(source) : nil
        if isResumed, incoming == nil { return }
        if let incoming, let now {
            // What was brought in already is told by its mark, else by its stamps.
            if journal.kind == .restore, now.mark == journal.id { return }
            let isOld = item.before?.agree(with: now.stamps) ?? false
            if !isOld, incoming.mark == now.mark, incoming.stamps.agree(with: now.stamps) { return }
            if try connection.describe(kept) != nil {
                if !isOld { try keepLate(key, &journal) }
                return try connection.copy(source, to: key)
            }
        }
        if now != nil { try connection.copy(key, to: kept) }
        try connection.copy(source, to: key)
    }

    private func putAside(_ key: ObjectKey, _ item: RemoteJournal.Item, _ journal: inout RemoteJournal) throws {
        guard let now = try connection.describe(key) else { return }
        let kept = journal.kept(key)
        if isResumed, try connection.describe(kept) != nil {
            // Another one that came since is nobody's to remove.
            guard item.before?.agree(with: now.stamps) ?? false else { return }
        } else {
            try connection.copy(key, to: kept)
        }
        try connection.delete(key)
    }

    private func keepLate(_ key: ObjectKey, _ journal: inout RemoteJournal) throws {
        try connection.copy(key, to: journal.late(key))
        journal.late.append(RemoteJournal.Item(key, .replaced).key)
    }

    /// Removes what was prepared, with the old side live: nothing was moved.
    func drop(_ journal: RemoteJournal) throws {
        guard journal.kind == .restore else { return }
        let keepsMarks = try connection.keepsMarks
        for item in journal.items {
            let key = item.object
            switch item.role {
            case .replaced: try connection.delete(journal.source(of: key))
            // What a client wrote there meanwhile is not ours.
            case .added:
                if keepsMarks, try connection.describe(key)?.mark == journal.id { try connection.delete(key) }
            case .removed: continue
            }
        }
    }

    /// Removes what is kept.
    func forget(_ journal: RemoteJournal) throws {
        for item in journal.items where item.role != .added { try connection.delete(journal.kept(item.object)) }
        for item in journal.items where journal.late.contains(item.key) {
            try connection.delete(journal.late(item.object))
        }
    }

    /// Whether these keys may do all that a swap needs, found out before anything is prepared.
    func tryAll(_ journal: RemoteJournal) throws {
        let (one, other) = (journal.source(of: "probe"), journal.kept("probe"))
        try connection.put(.bytes([1]), as: one, mark: journal.id)
        try connection.copy(one, to: other)
        try connection.delete(one)
        try connection.delete(other)
    }
}
