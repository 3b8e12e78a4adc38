// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

extension RestoreJob {
    /// What is live stays until the swap is whole, and is kept after it, so both must fit, but for the files that are right
    /// already. Where they do not, what earlier restores have kept goes first, as far as backups hold it.
    /// - Returns: bytes of content that may be written, where most must not be; else `nil`.
    /// - Throws: `BackupError.notEnoughRoom`, `.notEnoughFiles`.
    func room(
        for manifest: Manifest, _ item: CatalogueItem, _ routes: [Extractor.Route], _ hold: Hold
    ) throws -> UInt64? {
        guard let need = try need(manifest, item, routes) else { return nil }
        try KeptExpiry(workspace, hold).makeRoom {
            let free = try space().available
            return free > need.bytes ? 0 : (need.bytes - free).adding(clamped: 1)
        }
        let free = try space()
        try need.refuseFiles(in: stack.artifacts, free)
        if free.available > need.whole { return nil }
        if free.available > need.bytes { return need.content.adding(clamped: free.available - need.bytes) }
        throw BackupError.lackingRoom(
            path: stack.artifacts.string, needed: need.bytes, available: free.available, kept: try keptIDs(hold))
    }

    /// What is to be written beside the artifacts.
    private struct Need {
        /// Bytes where nothing is kept, and with what seems to be right already.
        var whole: UInt64
        var bytes: UInt64
        /// Of these, content of artifacts.
        var content: UInt64
        var files: UInt64

        func refuseFiles(in path: FilePath, _ space: DiskSpace) throws {
            if space.holds(files) { return }
            throw BackupError.notEnoughFiles(path: path.string, needed: files, available: space.availableFiles ?? 0)
        }
    }

    /// - Returns: `nil` where there is room for everything, so that nothing has to be looked at.
    private func need(_ manifest: Manifest, _ item: CatalogueItem, _ routes: [Extractor.Route]) throws -> Need? {
        let dump = try unpackedDump(item, where: .besideArtifacts)
        let folders = UInt64(clamping: manifest.artifacts.folders).adding(clamped: Self.own).adding(clamped: dump.files)
        let whole = Self.room(for: manifest.artifacts.bytes, files: manifest.artifacts.files)
            .adding(clamped: dump.bytes)
        var need = Need(
            whole: whole, bytes: whole, content: manifest.artifacts.bytes,
            files: UInt64(clamping: manifest.artifacts.files).adding(clamped: folders))
        let space = try space()
        if space.available > whole, space.holds(need.files) { return nil }
        guard item.kind == .compressed, let archive = try ownArchive(item) else { return need }
        let missing = try ParallelExtractor(routes, threads: 1).estimate(archive)
        need.bytes = Self.room(for: missing.bytes, files: missing.files).adding(clamped: dump.bytes)
        need.content = missing.bytes
        // A clone is a file of its own, and a further name is none.
        if !routes.contains(where: { $0.existing?.clones == true }) {
            need.files = UInt64(clamping: missing.files).adding(clamped: folders)
        }
        return need
    }

    /// Before anything is made that takes long, as the backup before a forced restore.
    func checkRoom(_ manifest: Manifest, _ item: CatalogueItem, _ hold: Hold) throws {
        try checkDumpRoom(item)
        guard options.mode.includesArtifacts, try FileStatus.ifPresent(stack.artifacts) != nil else { return }
        _ = try room(for: manifest, item, [try liveRoute()], hold)
    }

    /// The same without touching what earlier restores have kept: what of it could go counts as room.
    /// - Throws: `BackupError.notEnoughRoom`, `.notEnoughFiles`.
    func checkRoomWithoutMakingAny(_ manifest: Manifest, _ item: CatalogueItem) throws {
        try checkDumpRoom(item)
        guard options.mode.includesArtifacts, try FileStatus.ifPresent(stack.artifacts) != nil else { return }
        guard let need = try need(manifest, item, [try liveRoute()]) else { return }
        let kept = try KeptParts(workspace).all()
        // A part of which nobody has counted what it holds may hold anything.
        guard kept.allSatisfy({ $0.bytes != nil }) else { return }
        let free = try space()
        if kept.isEmpty { try need.refuseFiles(in: stack.artifacts, free) }
        let possible = kept.reduce(free.available) { $0.adding(clamped: $1.bytes ?? 0) }
        guard possible <= need.bytes else { return }
        throw BackupError.lackingRoom(
            path: stack.artifacts.string, needed: need.bytes, available: free.available,
            kept: kept.reversed().map(\.id))
    }

    /// Whether blocks are shared shows when the restore's own folder is there; where it is wrong, it is refused later.
    private func liveRoute() throws -> Extractor.Route {
        let clones = try ["xfs", "btrfs", "bcachefs"].contains(FileSystem.type(holding: stack.artifacts))
        var unchanged = UnchangedFiles()
        if !clones { try unchanged.count(in: KeptParts(workspace), cancellation: cancellation) }
        return .init(
            stack.section, into: stack.artifacts, owner: try artifactOwner(),
            existing: unchanged.existing(stack.artifacts, clones: clones))
    }

    /// The dump is unpacked into the staging folder, which is seldom on the artifacts' disk.
    private func checkDumpRoom(_ item: CatalogueItem) throws {
        let dump = try unpackedDump(item, where: .elsewhere)
        guard dump.bytes > 0, let place = stagingPlace() else { return }
        let space = try DiskSpace.at(place)
        if space.available <= dump.bytes {
            throw BackupError.lackingRoom(path: place.string, needed: dump.bytes, available: space.available)
        }
        if !space.holds(dump.files) {
            throw BackupError.notEnoughFiles(
                path: place.string, needed: dump.files, available: space.availableFiles ?? 0)
        }
    }

    private enum DumpPlace { case besideArtifacts, elsewhere }

    /// - Returns: none where it lies in the other place, is not restored, or has a size that nobody knows before it is
    ///   unpacked.
    private func unpackedDump(_ item: CatalogueItem, where place: DumpPlace) throws -> CatalogueItem.DumpSize {
        guard options.mode.includesDatabase, let staging = stagingPlace() else { return .init() }
        let isBeside =
            try options.mode.includesArtifacts && FileStatus.ifPresent(stack.artifacts) != nil
            && DiskSpace.isOne(staging, stack.artifacts)
        guard isBeside == (place == .besideArtifacts) else { return .init() }
        return try item.dumpSize() ?? .init()
    }

    /// The staging folder, or the nearest folder above it that is there.
    private func stagingPlace() -> FilePath? {
        // On write-protected media it is the restore's own folder among the artifacts.
        var path = folder.writeProtection == nil ? folder.staging : stack.artifacts
        while (try? FileStatus.ifPresent(path)) == .some(nil), path.bytes.count > 1 { path = path.parent }
        return path
    }

    /// What a person could let go, oldest first.
    func keptIDs(_ hold: Hold) throws -> [String] {
        try KeptParts(workspace, of: hold.identityIfKnown(in: workspace)).all().reversed().map(\.id)
    }

    private func space() throws -> DiskSpace { try DiskSpace.at(stack.artifacts) }

    /// Files and folders of our own beside what is restored.
    private static let own: UInt64 = 8

    /// Numbers that an archive claims are not to overflow anything.
    private static func room(for bytes: UInt64, files: Int) -> UInt64 {
        bytes.adding(clamped: UInt64(clamping: files).multiplied(clamped: 4096))
    }
}
