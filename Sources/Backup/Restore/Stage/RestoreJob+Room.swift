// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

extension RestoreJob {
    /// What is live stays until the swap is whole, and is kept after it, so both must fit, but for the files that are right
    /// already. Where they do not, what earlier restores have kept goes first, as far as backups hold it.
    /// - Returns: bytes of content that may be written, where most must not be; else `nil`.
    /// - Throws: `BackupError.notEnoughRoom`.
    func room(
        for manifest: Manifest, _ item: CatalogueItem, _ routes: [Extractor.Route], _ hold: Hold
    ) throws -> UInt64? {
        let whole = Self.room(for: manifest.artifacts.bytes, files: manifest.artifacts.files)
        if try available() > whole { return nil }
        var (needed, content) = (whole, manifest.artifacts.bytes)
        if item.kind == .compressed, let archive = try ownArchive(item) {
            let missing = try ParallelExtractor(routes, threads: 1).estimate(archive)
            (needed, content) = (Self.room(for: missing.bytes, files: missing.files), missing.bytes)
        }
        try KeptExpiry(workspace, hold).makeRoom {
            let free = try available()
            return free > needed ? 0 : needed - free + 1
        }
        let free = try available()
        if free > whole { return nil }
        if free > needed { return content.addingWithCeiling(free - needed) }
        throw BackupError.notEnoughRoom(
            path: stack.artifacts.string, needed: needed, available: free, kept: try keptIDs(hold))
    }

    /// Before anything is made that takes long, as the backup before a forced restore.
    func checkRoom(_ manifest: Manifest, _ item: CatalogueItem, _ hold: Hold) throws {
        guard options.mode.includesArtifacts, try FileStatus.ifPresent(stack.artifacts) != nil else { return }
        if try available() > Self.room(for: manifest.artifacts.bytes, files: manifest.artifacts.files) { return }
        // Whether blocks are shared shows when the restore's own folder is there; where it is wrong, it is refused later.
        let clones = try ["xfs", "btrfs", "bcachefs"].contains(FileSystem.type(holding: stack.artifacts))
        var unchanged = UnchangedFiles()
        if !clones { try unchanged.count(in: KeptParts(workspace), cancellation: cancellation) }
        let existing = unchanged.existing(stack.artifacts, clones: clones)
        _ = try room(for: manifest, item, [.init(.artifacts, into: stack.artifacts, owner: artifactOwner(), existing: existing)], hold)
    }

    /// What a person could let go, oldest first.
    func keptIDs(_ hold: Hold) throws -> [String] {
        try KeptParts(workspace, of: hold.identity).all().reversed().map(\.id)
    }

    private func available() throws -> UInt64 { try DiskSpace.at(stack.artifacts).available }

    /// Numbers that an archive claims are not to overflow anything.
    private static func room(for bytes: UInt64, files: Int) -> UInt64 {
        let (blocks, tooMany) = UInt64(clamping: files).multipliedReportingOverflow(by: 4096)
        return tooMany ? .max : bytes.addingWithCeiling(blocks)
    }
}
