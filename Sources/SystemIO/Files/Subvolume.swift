// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Subvolumes and snapshots of btrfs: folders with a device number of their own that are no mounts. All their roots have one
/// inode number, and the device is another one after each mount.
package enum Subvolume {
    /// What tells one from another, across mounts (statfs(2), f_fsid); in other file systems that of the whole.
    package static func number(of folder: FilePath) throws(SystemError) -> UInt64 {
        var number: UInt64 = 0
        let opened = try OpenFile(folder, .directoryItself)
        try retryingInterrupts("stat", folder.string) { opened.withDescriptor { clinux_volume($0, &number) } }
        return number
    }

    /// Whether a folder is the root of one. In a snapshot there is an empty folder in the place of each that its original held, with a
    /// device of its own, too, and no number.
    /// - Parameter parent: the folder that it is in.
    package static func isRoot(_ folder: FileStatus, in parent: FileStatus) -> Bool {
        folder.kind == .directory && folder.device != parent.device && folder.inode == firstInode
    }

    /// The inode of each root (BTRFS_FIRST_FREE_OBJECTID).
    private static let firstInode: UInt64 = 256

    /// The one that a path lies in, where its root lies below a folder.
    package static func holding(_ path: FilePath, below folder: FilePath) -> FilePath? {
        var each = path
        while each != folder, each.isIn(folder) {
            // What is gone meanwhile lies in what its folder lies in.
            if let status = try? FileStatus.of(each), let above = try? FileStatus.of(each.parent),
                isRoot(status, in: above)
            {
                return each
            }
            each = each.parent
        }
        return nil
    }
}
