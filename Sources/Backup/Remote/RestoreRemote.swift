// SPDX-License-Identifier: Apache-2.0

import Archive
import ObjectStore
import SystemIO
import Wording

/// The restore of one remote root: what it lacks is uploaded before anything refers to it.
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

    /// - Parameter folder: for what is too large for memory.
    func uploadMissing(in folder: FilePath, onBytes: (UInt64) -> Void) throws {
        guard !comparison.missing.isEmpty else { return }
        let wanted = Dictionary(comparison.missing.map { ($0.path, $0.key) }) { one, _ in one }
        try ObjectUpload(store, in: folder, mark: nil).run(wanted, from: item, onBytes: onBytes)
    }

    var warnings: [BilingualText] {
        var found: [BilingualText] = []
        let newer = comparison.newer(in: root.name)
        if !newer.isEmpty {
            found.append(
                BilingualText(
                    zh:
                        "\(root.location) 中有 \(newer.total) 个对象与备份不同或不在备份中，保持原样：\(newer.shown(.chinese))。需要时请用 rclone 手动处理。",
                    en:
                        "\(newer.total) objects of \(root.location) differ from the backup's, or are not in it, and stay as they are: "
                        + "\(newer.shown(.english)). Replace them by hand (rclone) where that is wanted."))
        }
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
    /// The remote roots of a backup that are configured here.
    func besideRemote(_ manifest: Manifest, _ item: CatalogueItem) throws -> [RestoreRemote] {
        guard options.mode.includesArtifacts else { return [] }
        progress(Progress(.comparing, fraction: 0.2))
        return try manifest.remoteRoots.compactMap { root in
            guard let here = stack.remote.first(where: { $0.name == root.name }) else { return nil }
            return try RestoreRemote(here, item, location: root.store?.location ?? "", workspace)
        }
    }

    /// - Throws: `BackupError.newerData`.
    func refuseNewer(_ remotes: [RestoreRemote], _ item: CatalogueItem) throws {
        let newer = remotes.reduce(NewerData()) { $0 + $1.comparison.newer(in: $1.root.name) }
        if !newer.isEmpty { throw BackupError.newerData(backup: item.name.string, newer: newer) }
    }

    func upload(_ remotes: [RestoreRemote], of manifest: Manifest) throws {
        let total = remotes.flatMap(\.comparison.missing).reduce(UInt64(1)) { $0.adding(clamped: $1.stamps.size) }
        var done: UInt64 = 0
        var next: UInt64 = 0
        for remote in remotes {
            try remote.uploadMissing(in: stack.artifacts.appending(ArtifactSwap.folderName)) { bytes in
                done = done.adding(clamped: bytes)
                guard done >= next else { return }
                next = done.adding(clamped: 16 << 20)
                progress(
                    Progress(
                        .extracting, fraction: 0.8 + 0.05 * min(1, Double(done) / Double(total)),
                        detail: "\(done >> 20) MiB"))
            }
            log.info(
                "objects are uploaded",
                [
                    "root": remote.root.name, "place": remote.root.location.description,
                    "uploaded": remote.comparison.missing.count, "equal": remote.comparison.equal,
                    "left": remote.comparison.differing.count + remote.comparison.extra.count,
                ])
        }
    }
}
