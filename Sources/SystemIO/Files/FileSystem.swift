// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Calls that concern a whole file system.
package enum FileSystem {
    /// Writes everything the kernel still holds for the file system of `path` to its disk (syncfs(2)).
    package static func sync(holding path: FilePath) throws(SystemError) {
        let folder = try OpenFile(path, .directoryThroughLink)
        try retryingInterrupts("syncfs", path.string) { folder.withDescriptor { clinux_syncfs($0) } }
    }

    /// The name of a file system's type; its number in hexadecimal where we have no name for it (statfs(2)).
    package static func type(holding path: FilePath) throws(SystemError) -> String {
        let number = try OpenFile(path, .directoryThroughLink).withDescriptor { clinux_file_system_type($0) }
        return names[number] ?? "0x" + String(number, radix: 16)
    }

    private static let names: [UInt64: String] = [
        0xef53: "ext4", 0x5846_5342: "xfs", 0x9123_683e: "btrfs", 0x0102_1994: "tmpfs", 0x6969: "nfs",
        0x794c_7630: "overlay", 0x2fc1_2fc1: "zfs", 0xca45_1a4e: "bcachefs", 0xff53_4d42: "cifs", 0xfe53_4d42: "smb2",
        0x6573_5546: "fuse", 0xf2f5_2010: "f2fs",
    ]

    /// Whether files in this folder can share blocks. Found by trying: the type alone does not tell, because xfs may
    /// have been made without reflink.
    package static func sharesBlocks(in folder: FilePath) -> Bool {
        // Where files can only be added what is tried would stay.
        guard (try? FileStatus.isFrozen(folder)) != true else { return false }
        let block = 4096
        // What a kill leaves of them is told by the name (`PartialFile`).
        let names = (0..<2).map { _ in folder.appending(FileSystemProbe.newName(FileSystemProbe.hiddenPrefix)) }
        defer { for name in names { _ = name.withCString { unlink($0) } } }
        do throws(SystemError) {
            let source = try OpenFile(names[0], .createNew(mode: 0o600))
            try source.write([UInt8](repeating: 1, count: block))
            let target = try OpenFile(names[1], .createNew(mode: 0o600))
            return try target.clone(from: source, at: 0, length: UInt64(block), to: 0)
        } catch {
            // Whoever asks goes on to write here, and hears of a folder that cannot be written.
            return false
        }
    }
}

extension WorkerThread {
    /// Lets whatever else the machine does go first when this thread reads or writes a disk (ioprio_set(2)).
    package static func lowerInputOutputPriority() { _ = clinux_set_low_io_priority() }

    /// Lets whatever else the machine does go first when this thread computes, and what it starts: threads and programs (setpriority(2),
    /// which on Linux is a thread's). There is no way back.
    package static func lowerPriority() { _ = clinux_lower_priority() }
}
