// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Room on the file system that holds a path, in bytes.
package struct DiskSpace: Sendable, Equatable {
    package let total: UInt64
    /// What an ordinary user may still write: the root reserve is not counted.
    package let available: UInt64
    package let used: UInt64
    /// How many more files an ordinary user may make; `nil` where the file system does not count them beforehand, as btrfs
    /// and vfat.
    package let availableFiles: UInt64?
    /// How many there are.
    package let usedFiles: UInt64?

    package static func at(_ path: FilePath) throws(SystemError) -> DiskSpace {
        var status = statvfs()
        try retryingInterrupts("statvfs", path.string) { path.withCString { statvfs($0, &status) } }
        // Programs of FUSE that count no files say that none is free (rclone).
        if status.f_favail == 0, try FileSystem.type(holding: path) == "fuse" { status.f_files = 0 }
        return DiskSpace(status)
    }

    private init(total: UInt64, available: UInt64, used: UInt64, availableFiles: UInt64?, usedFiles: UInt64?) {
        (self.total, self.available, self.used) = (total, available, used)
        (self.availableFiles, self.usedFiles) = (availableFiles, usedFiles)
    }

    /// What a file system says is not to be believed: one of FUSE may say anything.
    init(_ status: statvfs) {
        let unit = UInt64(status.f_frsize)
        let (blocks, free) = (UInt64(status.f_blocks), UInt64(status.f_bfree))
        total = blocks.multiplied(clamped: unit)
        available = UInt64(status.f_bavail).multiplied(clamped: unit)
        used = blocks.subtracting(clamped: free).multiplied(clamped: unit)
        let (files, freeFiles) = (UInt64(status.f_files), UInt64(status.f_ffree))
        availableFiles = files == 0 ? nil : UInt64(status.f_favail)
        usedFiles = files == 0 ? nil : files.subtracting(clamped: freeFiles)
    }

    /// The same when so many bytes of what is used will have gone.
    package func freeing(_ bytes: UInt64) -> DiskSpace {
        DiskSpace(
            total: total, available: available.adding(clamped: bytes), used: used.subtracting(clamped: bytes),
            availableFiles: availableFiles, usedFiles: usedFiles)
    }

    /// Whether so many more files can be made, as far as it says.
    package func holds(_ files: UInt64) -> Bool { availableFiles.map { $0 > files } ?? true }

    /// Whether what is written at one path takes room at the other. Subvolumes of one btrfs have devices of their own.
    package static func isOne(_ path: FilePath, _ other: FilePath) throws(SystemError) -> Bool {
        let (one, two) = (try OpenFile(path, .directoryThroughLink), try OpenFile(other, .directoryThroughLink))
        if try one.status().device == two.status().device { return true }
        let (space, others) = (try at(path), try at(other))
        guard space.total > 0, space == others else { return false }
        return try FileSystem.type(holding: path) == FileSystem.type(holding: other)
    }

    /// As `df` computes it: used of used and available, rounded up.
    package var usePercentage: Int {
        let base = used.adding(clamped: available)
        guard base > 0 else { return 0 }
        let (high, low) = used.multipliedFullWidth(by: 100)
        let (quotient, remainder) = base.dividingFullWidth((high, low))
        return Int(clamping: quotient) + (remainder > 0 ? 1 : 0)
    }
}
