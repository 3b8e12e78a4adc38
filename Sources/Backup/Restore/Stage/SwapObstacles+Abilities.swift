// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

extension SwapObstacles {
    /// Whether the file system of the artifacts can do what a swap stands on, found by doing it.
    /// - Throws: `BackupError.artifactsUnfit`, `.lowerLayer`; `SystemError` where nothing can be written among the artifacts.
    static func checkAbilities(_ workspace: Workspace) throws {
        let root = workspace.stack.artifacts
        guard try RestoreJournal.identity(of: root) != nil else { return }
        let folder = ArtifactSwap(root: root, id: nil).folder
        try ArtifactSwap.makeFolder(in: root, for: workspace.folder)
        defer { Directory.removeWhereEmpty(folder) }
        let ground = try Ground(root)
        let lacking = try FileSystemProbe.run(in: folder).lacking(of: ArtifactSwap.needed)
        guard lacking.isEmpty else {
            throw BackupError.artifactsUnfit(path: root.string, type: ground.type, lacking: lacking.words)
        }
        if ground.type == "overlay" { try checkLayers(root, folder) }
    }

    /// The same as far as it shows without trying anything where the type is one that is known to do everything: a probe writes
    /// among the artifacts.
    /// - Returns: `nil`, too, where nothing answers or nothing can be tried: that is other checks' finding.
    static func unfit(_ root: FilePath) throws(SystemError) -> BackupError? {
        let ground = try Ground(root)
        guard ground.isThere, !fitTypes.contains(ground.type), Directory.isWritable(root),
            let abilities = Abilities.known(of: ArtifactSwap(root: root, id: nil).folder, making: true)
        else { return nil }
        let lacking = abilities.lacking(of: ArtifactSwap.needed)
        return lacking.isEmpty
            ? nil : BackupError.artifactsUnfit(path: root.string, type: ground.type, lacking: lacking.words)
    }

    private static let fitTypes: Set<String> = [
        "ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "zfs", "overlay", "nfs", "nfs4", "f2fs", "bcachefs", "ceph",
    ]

    /// A folder of an image, or of another lower layer, is not renamed by the kernel where that was not mounted with
    /// `redirect_dir`: EXDEV. A folder of our own would be in the upper layer and tells nothing, so each live one is asked to
    /// replace a folder of ours that is not empty, which no rename does.
    private static func checkLayers(_ root: FilePath, _ folder: FilePath) throws {
        // A name that nobody else has, nor could guess: were the folder gone, a live one would take its place.
        let target = folder.appending(FileSystemProbe.newName())
        try Directory.make(target.appending("in"), mode: 0o700)
        defer {
            // What stays behind is cleared by the next operation.
            try? Directory.removeTree(target)
        }
        var stuck: [FilePath] = []
        for name in try Directory.names(in: root) where !LiveStack.notArtifacts.contains(name) {
            let path = root.appending(name)
            guard try FileStatus.ifPresent(path)?.kind == .directory else { continue }
            do throws(SystemError) { try Directory.rename(path, to: target) } catch {
                if error.code == EXDEV { stuck.append(path) }
                continue
            }
            try Directory.renameWithoutReplacing(target, to: path)
            throw SystemError("rename", path: path.string, code: EXDEV)
        }
        if let first = stuck.first { throw BackupError.lowerLayer(path: first.string, count: stuck.count) }
    }
}

extension ArtifactSwap {
    /// Which of two things a name is, is told by its inode; what was written meanwhile, by the time of the inode's change.
    static let needed: [Abilities.Ability] = [.fileSync, .identity, .changeTime]
}
