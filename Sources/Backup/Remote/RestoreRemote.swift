// SPDX-License-Identifier: Apache-2.0

import Archive
import ObjectStore
import SystemIO
import Wording

/// The restore of one remote root: what it lacks is uploaded before anything refers to it; with force what differs, and what the
/// backup does not have, goes aside when the swap is made (`RemoteSwap`).
struct RestoreRemote {
    let root: RemoteRoot
    let item: CatalogueItem
    /// Where it was when it was backed up.
    let location: String
    private let store: any RemoteStore
    let comparison: RemoteComparison

    /// - Throws: `ObjectStoreError`, `ArchiveError`.
    init(_ root: RemoteRoot, _ item: CatalogueItem, location: String, _ workspace: Workspace) throws {
        (self.root, self.item, self.location) = (root, item, location)
        store = try root.open(cancellation: workspace.cancellation)
        comparison = try RemoteComparison(StoredObjects(item, of: root.name), store)
    }

    private var others: Int { comparison.differing.count.adding(clamped: comparison.extra.count) }

    /// Whether anything of it is to be written down.
    func needsJournal(force: Bool) -> Bool { !comparison.missing.isEmpty || force && others > 0 }

    /// Uploads what is missing in place, and what is to take the place of others beside it.
    /// - Returns: `nil` where there is nothing to do.
    /// - Throws: nothing of it is left then, or its journal says what.
    func prepare(
        behind leader: RestoreJournal, _ hold: Hold, _ workspace: Workspace, force: Bool, onBytes: (UInt64) -> Void
    ) throws -> RemoteFollowing? {
        guard needsJournal(force: force) else { return nil }
        var journal = RemoteJournal(
            id: leader.id ?? "", root: root.name, location: root.location.description, kind: .restore,
            stack: hold.identity, liveDatabase: leader.liveDatabase)
        journal.items = comparison.missing.map { .init($0.key, .added) }
        if force {
            journal.items += comparison.differing.map { .init($0.stored.key, .replaced, before: $0.live.stamps) }
            journal.items += comparison.extra.map { .init($0.key, .removed, before: $0.stamps) }
        }
        try journal.write(in: workspace.firstState)
        var following = RemoteFollowing(workspace, root, store, journal) { try look(&$0, force: force) }
        do {
            if force, !comparison.differing.isEmpty || !comparison.extra.isEmpty {
                try RemoteSwap(store, isResumed: false).tryAll(journal)
            }
            var wanted = Dictionary(comparison.missing.map { ($0.path, $0.key) }) { one, _ in one }
            if force {
                for item in comparison.differing { wanted[item.stored.path] = journal.source(of: item.stored.key) }
            }
            if !wanted.isEmpty {
                try ObjectUpload(store, in: leader.swap.work, mark: journal.id).run(
                    wanted, from: item, onBytes: onBytes)
            }
        } catch {
            _ = following.abandon(because: error)
            throw error
        }
        return following
    }

    /// Right before the swap: what came since.
    private func look(_ journal: inout RemoteJournal, force: Bool) throws -> NewerData {
        let again = try RemoteComparison(
            StoredObjects(item, of: root.name), store, knowing: Set(comparison.missing.map(\.key)))
        let planned = Dictionary(journal.items.enumerated().map { ($0.element.object, $0.offset) }) { one, _ in one }
        for live in again.differing.map(\.live) + again.extra {
            if let place = planned[live.key] { journal.items[place].before = .init(live.stamps) }
        }
        // What differs only now has nothing uploaded that could take its place, and stays; what came now goes aside with the others.
        if force {
            journal.items += again.extra.filter { planned[$0.key] == nil }
                .map { .init($0.key, .removed, before: $0.stamps) }
        }
        return again.newer()
    }

    var warnings: [BilingualText] {
        var found: [BilingualText] = []
        if location != root.location.description {
            found.append(
                BilingualText(
                    zh: "对象已写入 \(root.location)，而数据库中的地址仍指向 \(location.shown)。",
                    en:
                        "The objects are in \(root.location) now, and the database still refers to \(location.shown)."))
        }
        return found
    }
}

extension RestoreJob {
    /// The remote roots of a backup that are configured here, and are to be brought back.
    func besideRemote(_ manifest: Manifest, _ item: CatalogueItem) throws -> [RestoreRemote] {
        guard options.bringsObjects, options.mode.includesArtifacts else { return [] }
        progress(Progress(.comparing, fraction: 0.2))
        return try manifest.remoteRoots.compactMap { root in
            guard let here = stack.remote.first(where: { $0.name == root.name }) else { return nil }
            return try RestoreRemote(here, item, location: root.store?.location ?? "", workspace)
        }
    }

    /// - Throws: `BackupError.newerData`.
    func refuseNewer(_ remotes: [RestoreRemote], _ item: CatalogueItem) throws {
        let newer = remotes.reduce(NewerData()) { $0 + $1.comparison.newer().inRoot($1.root.name) }
        if !newer.isEmpty { throw BackupError.newerData(backup: item.name.string, newer: newer) }
    }

    /// - Parameter prepared: it is added to, once there is something to take back where this fails.
    func prepare(
        _ remotes: [RestoreRemote], behind journal: RestoreJournal, _ hold: Hold, into prepared: inout [RemoteFollowing]
    ) throws {
        let total = remotes.reduce(UInt64(1)) { $0.adding(clamped: $1.bytes(force: options.force)) }
        var (done, next): (UInt64, UInt64) = (0, 0)
        for remote in remotes {
            let one = try remote.prepare(behind: journal, hold, workspace, force: options.force) { bytes in
                done = done.adding(clamped: bytes)
                guard done >= next else { return }
                next = done.adding(clamped: 16 << 20)
                let fraction = 0.8 + 0.05 * min(1, Double(done) / Double(total))
                progress(Progress(.extracting, fraction: fraction, detail: "\(done >> 20) MiB"))
            }
            if let one { prepared.append(one) }
            let found = remote.comparison
            log.info(
                "objects are uploaded",
                [
                    "root": remote.root.name, "place": remote.root.location.description,
                    "missing": found.missing.count, "equal": found.equal, "other": found.differing.count,
                    "more": found.extra.count,
                ])
        }
    }
}

extension RestoreRemote {
    fileprivate func bytes(force: Bool) -> UInt64 {
        (comparison.missing + (force ? comparison.differing.map(\.stored) : [])).reduce(0) {
            $0.adding(clamped: $1.stamps.size)
        }
    }
}
