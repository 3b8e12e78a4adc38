// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Whether the swap, which moves what lies directly in the artifacts folder, may do so. Asked before anything is unpacked.
struct MovableChildren {
    private let root: FilePath

    /// - Parameter folder: the artifacts folder, or the one of what is to take its children's places.
    init(of folder: FilePath) { root = folder }

    /// - Throws: `BackupError.notMovable`, `.notOurs`, with the live path and the command that mends it.
    func check() throws {
        if try FileStatus.isFrozen(root) { throw refusal(root, 1, .frozen) }
        if let refused = Directory.writeRefusal(root) {
            guard [EACCES, EPERM].contains(refused.code) else { throw refused }
            let owner = try OpenFile(root, .directoryThroughLink).status().owner
            throw refusal(root, 1, .folderNotWritable(owner: owner, user: geteuid(), group: getegid()))
        }
        var frozen: [FilePath] = []
        var held: [FilePath] = []
        var foreign: [FilePath] = []
        var snapshots: [FilePath] = []
        let isHeld = try holdsForeign()
        for name in try Directory.names(in: root) where !LiveStack.notArtifacts.contains(name) {
            let path = root.appending(name)
            guard let status = try FileStatus.ifPresent(path) else { continue }
            if try FileStatus.isFrozen(path) { frozen.append(path) }
            if isHeld, status.owner != geteuid() { held.append(path) }
            guard status.kind == .directory, let refused = Directory.moveRefusal(path) else { continue }
            if refused.code == EROFS {
                snapshots.append(path)
            } else if !Directory.mayOpenUp(status) {
                // Its owner opens it up for the move.
                foreign.append(path)
            }
        }
        if let first = frozen.first { throw refusal(first, frozen.count, .frozen) }
        if let first = held.first { throw refusal(first, held.count, .sticky(folder: root.string)) }
        if let first = snapshots.first { throw refusal(first, snapshots.count, .snapshot) }
        if let first = foreign.first {
            throw BackupError.notOurs(path: first.string, count: foreign.count, user: geteuid(), group: getegid())
        }
    }

    /// In a folder with the sticky bit only the owner of a thing, or of the folder, may move it (rename(2), EPERM).
    private func holdsForeign() throws -> Bool {
        guard !ProcessPrivilege.ownsEverything else { return false }
        let status = try OpenFile(root, .directoryThroughLink).status()
        return status.mode & 0o1000 != 0 && status.owner != geteuid()
    }

    private func refusal(_ path: FilePath, _ count: Int, _ reason: BackupError.Immovable) -> BackupError {
        .notMovable(path: path.string, count: count, reason: reason)
    }
}
