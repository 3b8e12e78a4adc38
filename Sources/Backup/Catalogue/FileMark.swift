// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What tells one file from a copy of it, whatever names both have: inode, birth and last change of its bytes. Neither
/// another name, nor a rename, nor a remount changes any of them; the device's number is left out because it is another one
/// after a reboot, and the last change of the inode because each further name is one. Where a file system numbers its
/// files anew with each mount (some of FUSE) a file counts as another one then, and is read once more.
enum FileMark {
    /// As it is noted in sidecars. Nothing is read out of it: two are the same or not.
    static func of(_ path: FilePath, _ status: FileStatus) -> String {
        let born = FileTime.birth(of: path).map { "\($0.seconds).\($0.nanoseconds)" } ?? "-"
        return "\(status.inode) \(born) \(status.modified.seconds)"
    }
}
