// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// On which mount a folder is. A bind mount has the device of what it shows, so the mount has a number of its own; where the
/// kernel does not tell it (before Linux 5.8), the device is what there is.
struct MountIdentity: Equatable {
    private let number: UInt64?
    private let device: UInt64

    init(_ folder: OpenFile) throws(SystemError) {
        var number: UInt64 = 0
        let isKnown = folder.withDescriptor { clinux_mount_number($0, &number) } == 0
        self.number = isKnown ? number : nil
        device = try folder.status().device
    }

    /// Parts of one file system may have several devices (subvolumes of btrfs), so the number decides.
    static func == (one: MountIdentity, other: MountIdentity) -> Bool {
        if let first = one.number, let second = other.number { return first == second }
        return one.device == other.device
    }
}

/// Removes a folder with all that is in it, but for what is mounted there.
struct TreeRemoval {
    private let parent: OpenFile
    private let name: [UInt8]
    private let mount: MountIdentity
    private var descent: FolderDescent
    /// What is left to remove of each folder on the way.
    private var left: [[[UInt8]]]

    /// - Throws: EXDEV where something is mounted there, before anything is removed or changed, with the path of that; ENOENT where
    ///   nothing is there.
    init(_ name: [UInt8], in parent: OpenFile) throws(SystemError) {
        self.parent = parent
        self.name = name
        mount = try MountIdentity(parent)
        let path = parent.path.appending(name)
        // Where the table cannot be read, each folder is asked all the same.
        if let inside = (try? MountTable.points(below: path))?.first {
            throw SystemError("remove", path: inside.string, code: EXDEV)
        }
        let root = try Self.open(name, in: parent, on: mount)
        descent = FolderDescent(root: root)
        left = [try Directory.names(in: root)]
    }

    /// What goes away meanwhile, by another who removes it or a name that a file system made for itself, is gone as it should be.
    /// - Throws: EXDEV where something was mounted there meanwhile: it is not looked into, nor changed.
    mutating func run() throws(SystemError) {
        while let next = left.last {
            do throws(SystemError) {
                guard let name = next.last else {
                    try removeEmptied()
                    continue
                }
                left[left.count - 1].removeLast()
                try remove(name)
            } catch { guard error.isGone else { throw error } }
        }
    }

    /// A thing in the folder where it is; of a folder that begins with what is in it.
    private mutating func remove(_ name: [UInt8]) throws(SystemError) {
        let folder = descent.folder
        guard try folder.status(of: name).kind == .directory else { return try folder.remove(name) }
        let inner = try Self.open(name, in: folder, on: mount)
        let names = try Directory.names(in: inner)
        try descent.enter(name, inner)
        left.append(names)
    }

    private mutating func removeEmptied() throws(SystemError) {
        left.removeLast()
        guard let inner = descent.name else { return try parent.removeFolder(name) }
        do throws(SystemError) { try descent.leave(to: descent.depth - 1) } catch {
            // It is at its root then, which is never gone.
            left.removeLast(left.count - 1)
            throw error
        }
        try descent.folder.removeFolder(inner)
    }

    /// A folder without permission bits is opened up, once it is seen not to be a mounted one.
    private static func open(
        _ name: [UInt8], in parent: OpenFile, on mount: MountIdentity
    ) throws(SystemError) -> OpenFile {
        if try parent.status(of: name).mode & 0o700 != 0o700 {
            try parent.open(name, .directoryItself).require(mount)
            // Where this fails the open below tells why.
            _ = parent.withDescriptor { folder in
                FilePath(bytes: name).withCString { fchmodat(folder, $0, 0o700, AT_SYMLINK_NOFOLLOW) }
            }
        }
        let opened = try parent.open(name, .directory)
        try opened.require(mount)
        return opened
    }
}

extension SystemError {
    /// ESTALE is what NFS says of it.
    fileprivate var isGone: Bool { code == ENOENT || code == ESTALE }
}

extension OpenFile {
    /// - Throws: EXDEV where it is on another mount.
    fileprivate func require(_ mount: MountIdentity) throws(SystemError) {
        guard try MountIdentity(self) == mount else { throw SystemError("remove", path: path.string, code: EXDEV) }
    }

    /// Removes an empty folder from this one.
    fileprivate func removeFolder(_ name: [UInt8]) throws(SystemError) {
        try retryingInterrupts("remove", path.appending(name).string) {
            FilePath(bytes: name).withCString { unlinkat(descriptor, $0, AT_REMOVEDIR) }
        }
    }
}
