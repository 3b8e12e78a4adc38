// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// What tells what was read from a copy of it, and from what was put over it in place, whatever names it has.
///
/// Inode, birth and last change of the bytes tell a copy. Neither another name, nor a rename, nor a remount changes any of
/// them; the device's number is left out because it is another one after a reboot. Whoever writes over an archive can set its
/// times back, as `cp -p` and `rsync --inplace` do, and not that of the inode's last change: it is part of the mark of an
/// archive. Each further name, each rename and each removal of a name changes it, too; after ours the mark is noted anew
/// (`HeldMarks`), after those of a person the archive is read once more. In a folder, removing the backups before changes it in
/// each file that they share, so a folder's mark has inode, size and last change of the bytes of each file instead.
///
/// Where a file system numbers its files anew with each mount (some of FUSE) a file counts as another one then, and is
/// read once more.
enum FileMark {
    /// As it is noted in sidecars. In a folder it looks at each file.
    static func whole(_ path: FilePath) throws(SystemError) -> String {
        let status = try FileStatus.of(path)
        guard status.kind == .directory else { return listed(path, status) }
        var digest: [UInt8] = []
        try FolderFiles.forEach(in: path) { path, status in
            let time = status.modified
            let line = "\(status.inode) \(status.size) \(time.seconds).\(time.nanoseconds)"
            // No name has a NUL.
            digest = SHA256.digest(of: digest + path.bytes + [0] + Array(line.utf8)).bytes
        }
        return "\(brief(path, status)) \(Digest(bytes: digest)?.hex ?? "-")"
    }

    /// As a listing sees it: that of a folder says nothing of the files in it.
    static func listed(_ path: FilePath, _ status: FileStatus) -> String {
        let brief = brief(path, status)
        return status.kind == .directory ? brief : archive(brief, status)
    }

    /// Without what tells that something was put over it in place: all that was noted once.
    static func brief(_ path: FilePath, _ status: FileStatus) -> String {
        let born = FileTime.birth(of: path).map { "\($0.seconds).\($0.nanoseconds)" } ?? "-"
        return "\(status.inode) \(born) \(status.modified.seconds)"
    }

    static func archive(_ brief: String, _ status: FileStatus) -> String {
        "\(brief) \(status.changed.seconds).\(status.changed.nanoseconds)"
    }

    /// Whether both say the same as far as both say something.
    static func agree(_ noted: String?, _ mark: String) -> Bool {
        guard let noted else { return false }
        let (one, other) = (parts(noted), parts(mark))
        return min(one.count, other.count) >= 3 && zip(one, other).allSatisfy { $0 == $1 }
    }

    /// Whether it tells what was put over it in place.
    static func isWhole(_ noted: String) -> Bool { parts(noted).count > 3 }

    private static func parts(_ mark: String) -> [Substring] {
        mark.split(separator: " ", omittingEmptySubsequences: false)
    }
}
