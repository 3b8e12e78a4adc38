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

    /// - Throws: EXDEV where something is mounted there, before anything is removed, with the path of that.
    init(_ name: [UInt8], in parent: OpenFile) throws(SystemError) {
        self.parent = parent
        self.name = name
        let root = try Self.open(name, in: parent)
        mount = try MountIdentity(root)
        let path = parent.path.appending(name)
        guard try MountIdentity(parent) == mount else { throw SystemError("remove", path: path.string, code: EXDEV) }
        // Where the table cannot be read, each folder is asked all the same.
        if let inside = (try? MountTable.points(below: path))?.first {
            throw SystemError("remove", path: inside.string, code: EXDEV)
        }
        descent = FolderDescent(root: root)
        left = [try Directory.names(in: root)]
    }

    /// - Throws: EXDEV where something was mounted there meanwhile: it is not looked into.
    mutating func run() throws(SystemError) {
        while let next = left.last {
            guard let name = next.last else {
                try removeEmptied()
                continue
            }
            left[left.count - 1].removeLast()
            let folder = descent.folder
            guard try folder.status(of: name).kind == .directory else {
                try folder.remove(name)
                continue
            }
            let inner = try Self.open(name, in: folder)
            guard try MountIdentity(inner) == mount else {
                throw SystemError("remove", path: inner.path.string, code: EXDEV)
            }
            try descent.enter(name, inner)
            left.append(try Directory.names(in: inner))
        }
    }

    private mutating func removeEmptied() throws(SystemError) {
        left.removeLast()
        guard let inner = descent.name else { return try parent.removeFolder(name) }
        try descent.leave(to: descent.depth - 1)
        try descent.folder.removeFolder(inner)
    }

    /// A folder without permission bits is opened up first.
    private static func open(_ name: [UInt8], in parent: OpenFile) throws(SystemError) -> OpenFile {
        if try parent.status(of: name).mode & 0o700 != 0o700 {
            // Where this fails the open below tells why.
            _ = parent.withDescriptor { folder in
                FilePath(bytes: name).withCString { fchmodat(folder, $0, 0o700, AT_SYMLINK_NOFOLLOW) }
            }
        }
        return try parent.open(name, .directory)
    }
}

extension OpenFile {
    /// Removes an empty folder from this one.
    fileprivate func removeFolder(_ name: [UInt8]) throws(SystemError) {
        try retryingInterrupts("remove", path.appending(name).string) {
            FilePath(bytes: name).withCString { unlinkat(descriptor, $0, AT_REMOVEDIR) }
        }
    }
}
