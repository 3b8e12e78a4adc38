// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A moment as the file system stores it, in nanoseconds since 1970-01-01 UTC.
package struct FileTime: Hashable, Comparable, Sendable, Codable {
    package var seconds: Int64
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (lhs: FileTime, rhs: FileTime) -> Bool {
        (lhs.seconds, lhs.nanoseconds) < (rhs.seconds, rhs.nanoseconds)
    }

    /// As a system call gives it. NFS and FUSE pass on what their servers say of the nanoseconds.
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: min(time.tv_nsec, 999_999_999)))
    }

    package static func now() -> FileTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(time)
    }
}

/// What `lstat` and `fstat` say of a file.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case file, directory, symbolicLink, other }

    package let kind: Kind
    package let size: UInt64
    /// Permission bits with set-uid, set-gid and sticky: 12 bits.
    package let mode: UInt32
    package let owner: UInt32
    package let group: UInt32
    package let device: UInt64
    package let inode: UInt64
    package let linkCount: UInt64
    package let modified: FileTime
    package let changed: FileTime

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        size = UInt64(max(0, status.st_size))
        mode = status.st_mode & 0o7777
        owner = status.st_uid
        group = status.st_gid
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        linkCount = UInt64(status.st_nlink)
        modified = FileTime(status.st_mtim)
        changed = FileTime(status.st_ctim)
    }

    /// `lstat`: a symbolic link is itself, not what it points to.
    package static func of(_ path: FilePath) throws(SystemError) -> FileStatus {
        var status = stat()
        try retryingInterrupts("stat", path.string) { path.withCString { lstat($0, &status) } }
        return FileStatus(status)
    }

    /// `nil` where nothing is there; any other failure is thrown.
    package static func ifPresent(_ path: FilePath) throws(SystemError) -> FileStatus? {
        do throws(SystemError) { return try of(path) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}

extension FileStatus {
    /// Whether nobody, root included, may move or change what is at the path (chattr(1): immutable, or append-only). False where
    /// the file system knows no such thing.
    package static func isFrozen(_ path: FilePath) throws(SystemError) -> Bool {
        try retryingInterrupts("stat", path.string) { path.withCString { clinux_is_frozen($0) } } == 1
    }
}

extension FileTime {
    /// When the file at the path was made; it keeps that whatever names it gets. A copy was made when it was copied.
    /// - Returns: `nil` where the file system does not know (NFS, FUSE), or nothing is there.
    package static func birth(of path: FilePath) -> FileTime? {
        var seconds: Int64 = 0
        var nanoseconds: UInt32 = 0
        guard path.withCString({ clinux_birth_time($0, &seconds, &nanoseconds) }) == 0 else { return nil }
        return FileTime(seconds: seconds, nanoseconds: min(nanoseconds, 999_999_999))
    }
}
