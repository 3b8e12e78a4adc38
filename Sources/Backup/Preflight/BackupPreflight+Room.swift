// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

extension BackupPreflight {
    /// What a backup needs, and whether it is there.
    /// - Throws: `BackupError.notEnoughRoom`, `.notEnoughFiles`, `SystemError`.
    /// - Returns: that it may become too little, where only the backup itself will tell.
    func checkRoom(_ dump: BackupRoom.Dump?, beside items: [CatalogueItem]) throws -> [BilingualText] {
        let space = try DiskSpace.at(folder.path.nearestThere).freeing(stagedDumps())
        let dump = dump ?? .init(tables: 0, least: 0, files: 0)
        guard !suffices(space, dump) else { return [] }
        let room = try room(dump, beside: items, in: space)
        if space.available <= room.least {
            throw BackupError.lackingRoom(path: folder.path.string, needed: room.least, available: space.available)
        }
        if !space.holds(room.files) {
            throw BackupError.notEnoughFiles(
                path: folder.path.string, needed: room.files, available: space.availableFiles ?? 0)
        }
        guard space.available <= room.most else { return [] }
        let (most, available) = HumanUnits.sizes(needed: room.most, available: space.available)
        return [
            BilingualText(
                zh: "\(folder.path) 的空间可能不够：最多需要 \(most)，可用 \(available)。实际大小取决于压缩率和改变的内容。",
                en:
                    "\(folder.path) may not have enough room: up to \(most) needed, \(available) available. How much it takes "
                    + "depends on how well it is compressed, and on what changed.")
        ]
    }

    /// Bytes of dumps in the staging folder: they are gone when the next backup begins, whether their maker is at work or dead.
    private func stagedDumps() -> UInt64 {
        var bytes: UInt64 = 0
        for name in (try? folder.leftInStaging()) ?? []
        where name.starts(with: BackupJob.dumpPrefix.utf8) || name.elementsEqual(RestoreJob.dumpName.utf8) {
            guard let folder = try? OpenFile(folder.staging.appending(name), .directory),
                var walk = try? TreeWalk(root: folder, prefix: nil)
            else { continue }
            while let step = try? walk.next() {
                if case .entry(let entry, _, _) = step { bytes = bytes.adding(clamped: entry.size) }
            }
        }
        return bytes
    }

    /// All that lies on the artifacts' file system would fit: then nothing has to be counted.
    private func suffices(_ space: DiskSpace, _ dump: BackupRoom.Dump) -> Bool {
        guard let artifacts = try? DiskSpace.at(stack.artifacts), artifacts.used > 0,
            (try? stack.folders.allSatisfy { try MountTable.points(below: $0).isEmpty }) == true,
            let others = try? stack.further.map({ try DiskSpace.at($0.path) })
        else { return false }
        // Folders of one disk count it each; what is sure to be enough need not be exact.
        let used = others.reduce(artifacts.used) { $0.adding(clamped: $1.used) }
        let bytes = used.adding(clamped: dump.tables.multiplied(clamped: 2)).adding(clamped: 64 << 20)
        guard space.available > bytes else { return false }
        guard let available = space.availableFiles, options.kind == .uncompressed else { return true }
        let counts = ([artifacts] + others).compactMap(\.usedFiles)
        guard counts.count == others.count + 1 else { return false }
        let files = counts.reduce(dump.files.multiplied(clamped: 2)) { $0.adding(clamped: $1) }
        return available > files.adding(clamped: 64)
    }

    private func room(
        _ dump: BackupRoom.Dump, beside items: [CatalogueItem], in space: DiskSpace
    ) throws -> BackupRoom {
        let base = reusable(among: items)
        let shares = options.kind == .uncompressed || FileSystem.sharesBlocks(in: folder.path)
        let trees = workspace.all.map { (folder: $0.stack.artifacts, prefix: $0.stack.section) }
        let estimate: BackupEstimate
        do {
            estimate = try BackupEstimate(
                of: trees, ignoring: LiveStack.notArtifacts, beside: base.map(Self.previous),
                sharesBlocks: shares, atMost: patience, cancellation: workspace.cancellation)
        } catch let error as CancelledError { throw error } catch {
            // What could not be counted in time, or is damaged, or may not be read, is another check's, or the job's.
            let kept = shares ? 0 : base?.size ?? 0
            return BackupRoom(least: dump.least, most: dump.tables.adding(clamped: kept), files: dump.files)
        }
        let isSame = base.map { isSameDatabase($0) } == true
        func room(_ fraction: Double) -> BackupRoom {
            BackupRoom(
                .init(
                    kind: options.kind, dump: dump, estimate: estimate, sharesUnchanged: shares, fraction: fraction,
                    isSameDatabase: isSame))
        }
        let whole = room(1)
        guard space.available <= whole.least, options.kind == .compressed else { return whole }
        guard options.compressionLevel > 0 else { return whole }
        // What certainly is needed: as if all were as the smallest of the samples.
        return room(trees.map { estimate.compressedFraction(in: $0.folder, as: $0.prefix) }.min() ?? 1)
    }

    private static func previous(_ item: CatalogueItem) -> BackupEstimate.Previous {
        item.kind == .compressed ? .archive(item.path) : .folder(item.path)
    }

    /// The backup that the next one will take over from, as `ReuseBase` chooses it.
    private func reusable(among items: [CatalogueItem]) -> CatalogueItem? {
        guard options.retention.fullEvery(options.fullEvery) > 1 else { return nil }
        let ownership: Ownership
        do {
            let identity = try StackIdentity(of: stack, on: stack.database.session().databases)
            ownership = try Ownership(of: identity, among: items, in: folder)
        } catch { return nil }
        return ReuseBase.newest(options.kind, among: items, ownership)?.item
    }

    private func isSameDatabase(_ item: CatalogueItem) -> Bool {
        guard let before = (try? item.quickManifest())?.database.oldestUnseen else { return false }
        return stack.database.isUnwritten(since: before)
    }
}
