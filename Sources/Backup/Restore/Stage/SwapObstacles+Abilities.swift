// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

extension SwapObstacles {
    /// Whether the file system of the artifacts can do what a swap stands on, found by doing it. Under the stack's lock: what a
    /// probe that was killed left there is nobody's then.
    /// - Throws: `BackupError.artifactsUnfit`, `.lowerLayer`; `SystemError` where nothing can be written among the artifacts.
    static func checkAbilities(_ workspace: Workspace) throws {
        let root = workspace.stack.artifacts
        guard try RestoreJournal.identity(of: root) != nil else { return }
        let folder = ArtifactSwap(root: root, id: nil).folder
        try Directory.make(folder, mode: 0o700)
        defer { removeIfEmpty(folder) }
        for name in try Directory.names(in: folder) where name.starts(with: Array(FileSystemProbe.prefix.utf8)) {
            try Directory.removeTree(folder.appending(name))
        }
        let ground = try Ground(root)
        let lacking = try FileSystemProbe.run(in: folder).lacking(of: ArtifactSwap.needed)
        guard lacking.isEmpty else {
            throw BackupError.artifactsUnfit(path: root.string, type: ground.type, lacking: lacking.words)
        }
        if ground.type == "overlay" { try checkLayers(root, folder) }
    }

    /// A folder of an image, or of another lower layer, is not renamed by the kernel where that was not mounted with
    /// `redirect_dir`: EXDEV. A folder of our own would be in the upper layer and tells nothing, so each live one is asked to
    /// replace a folder of ours that is not empty, which no rename does.
    private static func checkLayers(_ root: FilePath, _ folder: FilePath) throws {
        let target = folder.appending(FileSystemProbe.prefix + "layers")
        try Directory.make(target.appending("in"), mode: 0o700)
        defer {
            // What stays behind is cleared by the next look.
            try? Directory.removeTree(target)
        }
        var stuck: [FilePath] = []
        for name in try Directory.names(in: root) where !LiveStack.notArtifacts.contains(name) {
            let path = root.appending(name)
            guard try FileStatus.ifPresent(path)?.kind == .directory else { continue }
            do throws(SystemError) { try Directory.rename(path, to: target) } catch {
                if error.code == EXDEV { stuck.append(path) }
            }
        }
        if let first = stuck.first { throw BackupError.lowerLayer(path: first.string, count: stuck.count) }
    }

    private static func removeIfEmpty(_ folder: FilePath) {
        guard let names = try? Directory.names(in: folder), names.isEmpty else { return }
        // What stays behind is an empty folder that the next restore uses.
        try? Directory.removeTree(folder)
    }
}

extension ArtifactSwap {
    /// Which of two things a name is, is told by its inode; what was written meanwhile, by the time of the inode's change.
    static let needed: [Abilities.Ability] = [.fileSync, .identity, .changeTime]
}
