// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A folder that is about to be moved into another one, which must not change how it looks.
///
/// A move rewrites its `..`, so whoever is not root needs the right to write into it (rename(2), EACCES): its owner has that for as
/// long as the move takes, where its mode does not give it. Some file systems (xfs) take the move for a change of its content and
/// set its time.
struct MovedFolder {
    private let folder: OpenFile
    private let before: FileStatus
    private let isOpenedUp: Bool

    /// - Returns: `nil` for what is no folder, and for one that only can be moved as it is.
    init?(_ path: FilePath) throws(SystemError) {
        guard let status = try FileStatus.ifPresent(path), status.kind == .directory else { return nil }
        let isOpenedUp = Directory.mayOpenUp(status) && Directory.moveRefusal(path)?.code == EACCES
        if isOpenedUp { try Self.setMode(status.mode | 0o700, of: path) }
        guard let opened = try? OpenFile(path, .directory), let now = try? opened.status(),
            now.inode == status.inode, now.device == status.device
        else {
            if isOpenedUp { try? Self.setMode(status.mode, of: path) }
            return nil
        }
        (folder, before, self.isOpenedUp) = (opened, status, isOpenedUp)
    }

    /// After the move, wherever it is now.
    func putRight() throws(SystemError) {
        if isOpenedUp { try folder.setMode(before.mode) }
        guard try folder.status().modified != before.modified else { return }
        do throws(SystemError) { try folder.setModified(before.modified) } catch {
            // Another's folder, of which only its owner and root may set the time.
            guard error.isDenied else { throw error }
        }
    }

    private static func setMode(_ mode: UInt32, of path: FilePath) throws(SystemError) {
        try retryingInterrupts("chmod", path.string) {
            path.withCString { fchmodat(AT_FDCWD, $0, mode, AT_SYMLINK_NOFOLLOW) }
        }
    }
}

extension Directory {
    /// Whether a folder that may not be moved as it is can be opened up for that, and closed again: the kernel takes set-gid of a group
    /// that this user is not in away with each change of the mode (chmod(2)).
    package static func mayOpenUp(_ folder: FileStatus) -> Bool {
        folder.owner == geteuid() && (folder.mode & 0o2000 == 0 || ProcessPrivilege.groups.contains(folder.group))
    }

    /// Runs a call that moves these paths, and leaves folders among them with the mode and the time that they had. Who dies in the
    /// midst may leave one that its owner can write into.
    package static func keepingLooks<Result>(
        of paths: [FilePath], _ move: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        var folders: [MovedFolder] = []
        for path in paths { if let folder = try MovedFolder(path) { folders.append(folder) } }
        let result: Result
        do throws(SystemError) { result = try move() } catch {
            for folder in folders { try? folder.putRight() }
            throw error
        }
        // What was moved is moved: a time that a file system does not take must not read as a move that failed.
        for folder in folders { try? folder.putRight() }
        return result
    }
}
