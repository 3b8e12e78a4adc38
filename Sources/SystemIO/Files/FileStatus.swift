// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A moment as the file system stores it, in nanoseconds since 1970-01-01 UTC.
public struct FileTime: Hashable, Comparable, Sendable, Codable {
    public var seconds: Int64
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func < (lhs: FileTime, rhs: FileTime) -> Bool {
        (lhs.seconds, lhs.nanoseconds) < (rhs.seconds, rhs.nanoseconds)
    }

    /// As a system call gives it. NFS and FUSE pass on what their servers say of the nanoseconds.
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: min(time.tv_nsec, 999_999_999)))
    }

    public static func now() -> FileTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(time)
    }
}

/// What `lstat` and `fstat` say of a file.
public struct FileStatus: Sendable, Equatable {
    public enum Kind: Sendable, Equatable { case file, directory, symbolicLink, other }

    public let kind: Kind
    public let size: UInt64
    /// Permission bits with set-uid, set-gid and sticky: 12 bits.
    public let mode: UInt32
    public let owner: UInt32
    public let group: UInt32
    public let device: UInt64
    public let inode: UInt64
    public let linkCount: UInt64
    public let modified: FileTime
    public let changed: FileTime

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
    public static func of(_ path: FilePath) throws(SystemError) -> FileStatus {
        var status = stat()
        try retryingInterrupts("stat", path.string) { path.withCString { lstat($0, &status) } }
        return FileStatus(status)
    }

    /// `nil` where nothing is there; any other failure is thrown.
    public static func ifPresent(_ path: FilePath) throws(SystemError) -> FileStatus? {
        do throws(SystemError) { return try of(path) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}

extension FileStatus {
    /// Whether nobody, root included, may move or change what is at the path (chattr(1): immutable, or append-only). False where
    /// the file system knows no such thing.
    public static func isFrozen(_ path: FilePath) throws(SystemError) -> Bool {
        try retryingInterrupts("stat", path.string) { path.withCString { clinux_is_frozen($0) } } == 1
    }
}

extension FileTime {
    /// When the file at the path was made; it keeps that whatever names it gets. A copy was made when it was copied.
    /// - Returns: `nil` where the file system does not know (NFS, FUSE), or nothing is there.
    public static func birth(of path: FilePath) -> FileTime? {
        var seconds: Int64 = 0
        var nanoseconds: UInt32 = 0
        guard path.withCString({ clinux_birth_time($0, &seconds, &nanoseconds) }) == 0 else { return nil }
        return FileTime(seconds: seconds, nanoseconds: min(nanoseconds, 999_999_999))
    }
}
