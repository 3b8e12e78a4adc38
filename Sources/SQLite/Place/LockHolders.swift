// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Who holds a lock on a file, as far as the kernel tells (proc(5), `/proc/locks`). Processes of another container have no number
/// here, and are not told.
enum LockHolders {
    /// - Returns: `python3 (pid 4711)`, without this process.
    static func of(_ paths: [FilePath]) -> [String] {
        var names: [String] = []
        for path in paths {
            // lstat alone: a descriptor of ours that is closed drops the locks of this process.
            guard let status = try? FileStatus.ifPresent(path) else { continue }
            for pid in processes(status) where pid > 0 && pid != ProcessIdentity.current().pid {
                let name = shown(pid)
                if !names.contains(name) { names.append(name) }
            }
        }
        return names
    }

    /// A database, and what is locked in its place in WAL mode.
    static func of(database path: FilePath) -> [String] {
        of([path, FilePath(bytes: path.bytes + Array("-shm".utf8))])
    }

    /// Whether anybody has a lock on a file, this process, too.
    static func isLocked(_ path: FilePath) -> Bool {
        guard let status = try? FileStatus.ifPresent(path) else { return false }
        return !processes(status).isEmpty
    }

    private static func processes(_ file: FileStatus) -> [Int32] {
        guard let table = try? OpenFile("/proc/locks", .read).readAll() else { return [] }
        let device = (major: file.device >> 8 & 0xfff, minor: file.device & 0xff | file.device >> 12 & 0xfff00)
        return String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            // A lock that is waited for has an arrow in the second place.
            guard fields.count >= 6, fields[1] != "->", let pid = Int32(fields[4]) else { return nil }
            let place = fields[5].split(separator: ":")
            guard place.count == 3, UInt64(place[0], radix: 16) == device.major,
                UInt64(place[1], radix: 16) == device.minor, UInt64(place[2]) == file.inode
            else { return nil }
            return pid
        }
    }

    /// The name alone: a command line may hold a password.
    private static func shown(_ pid: Int32) -> String {
        let name = (try? OpenFile(FilePath("/proc/\(pid)/comm"), .read).readAll(limit: 4096)) ?? []
        let text = String(decoding: name.filter { $0 >= 0x20 && $0 < 0x7f }, as: UTF8.self)
        return text.isEmpty ? "pid \(pid)" : "\(text) (pid \(pid))"
    }
}
