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
        let dump = try unpackedDump(item, where: .besideArtifacts)
        let folders = UInt64(clamping: manifest.artifacts.folders).adding(clamped: Self.own)
        let whole = Self.room(for: manifest.artifacts.bytes, files: manifest.artifacts.files)
            .adding(clamped: dump.bytes)
        let wholeFiles = UInt64(clamping: manifest.artifacts.files).adding(clamped: folders).adding(clamped: dump.files)
        let before = try space()
        if before.available > whole, before.holds(wholeFiles) { return nil }
        var (needed, content, files) = (whole, manifest.artifacts.bytes, wholeFiles)
        if item.kind == .compressed, let archive = try ownArchive(item) {
            let missing = try ParallelExtractor(routes, threads: 1).estimate(archive)
            (needed, content) = (
                Self.room(for: missing.bytes, files: missing.files).adding(clamped: dump.bytes), missing.bytes
            )
            // A clone is a file of its own, and a further name is none.
            if !routes.contains(where: { $0.existing?.clones == true }) {
                files = UInt64(clamping: missing.files).adding(clamped: folders).adding(clamped: dump.files)
            }
        }
        try KeptExpiry(workspace, hold).makeRoom {
            let free = try space().available
            return free > needed ? 0 : (needed - free).adding(clamped: 1)
        }
        let free = try space()
        if !free.holds(files) {
            throw BackupError.notEnoughFiles(
                path: stack.artifacts.string, needed: files, available: free.availableFiles ?? 0)
        }
        if free.available > whole { return nil }
        if free.available > needed { return content.adding(clamped: free.available - needed) }
        throw BackupError.lackingRoom(
            path: stack.artifacts.string, needed: needed, available: free.available, kept: try keptIDs(hold))
    }

    /// Before anything is made that takes long, as the backup before a forced restore.
    func checkRoom(_ manifest: Manifest, _ item: CatalogueItem, _ hold: Hold) throws {
        try checkDumpRoom(item)
        guard options.mode.includesArtifacts, try FileStatus.ifPresent(stack.artifacts) != nil else { return }
        // Whether blocks are shared shows when the restore's own folder is there; where it is wrong, it is refused later.
        let clones = try ["xfs", "btrfs", "bcachefs"].contains(FileSystem.type(holding: stack.artifacts))
        var unchanged = UnchangedFiles()
        if !clones { try unchanged.count(in: KeptParts(workspace), cancellation: cancellation) }
        let existing = unchanged.existing(stack.artifacts, clones: clones)
        _ = try room(
            for: manifest, item, [.init(.artifacts, into: stack.artifacts, owner: artifactOwner(), existing: existing)],
            hold)
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
        try KeptParts(workspace, of: hold.identity).all().reversed().map(\.id)
    }

    private func space() throws -> DiskSpace { try DiskSpace.at(stack.artifacts) }

    /// Files and folders of our own beside what is restored.
    private static let own: UInt64 = 8

    /// Numbers that an archive claims are not to overflow anything.
    private static func room(for bytes: UInt64, files: Int) -> UInt64 {
        bytes.adding(clamped: UInt64(clamping: files).multiplied(clamped: 4096))
    }
}
