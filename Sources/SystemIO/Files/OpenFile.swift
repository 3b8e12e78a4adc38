// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// An open file descriptor, closed once, when the last reference goes.
///
/// Every descriptor is opened close-on-exec. Errors that a delayed write reports are not left to `close`:
/// call `sync` before believing that data is on disk.
package final class OpenFile: Sendable {
    /// For this type's own methods, whose caller holds it; everybody else goes through `withDescriptor`.
    let descriptor: Int32
    package let path: FilePath

    /// Takes over `descriptor`; nobody else may close it.
    package init(adopting descriptor: Int32, path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Lends the descriptor to a system call and keeps it open until that returns. A number that is read out of a
    /// temporary may be closed before it is used, because Swift frees an object after its last use.
    package func withDescriptor<Result>(_ body: (Int32) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(descriptor) }
    }

    package enum Access: Sendable {
        case read
        /// Reads a file that is really there: a symbolic link as the last component is an error (ELOOP).
        case readNoFollow
        /// Reads from the disk itself, past the page cache, where the file system can (O_DIRECT). Offsets, lengths and
        /// buffers must be multiples of 4096 then; reading at the end of a file gives what there is.
        case readAroundCache
        /// The same for writing to a file that exists.
        case writeAroundCache
        /// Creates a new file; an existing one is an error (EEXIST).
        case createNew(mode: UInt32)
        case readWrite(create: UInt32)
        case append(mode: UInt32)
        case directory
        /// A folder that nothing is read from, which no right is needed for (O_PATH): to ask what it is.
        case directoryItself
        /// A folder that a person configured, who may have put a symbolic link in its place.
        case directoryThroughLink

        var flags: Int32 {
            switch self {
            case .read: O_RDONLY
            case .readNoFollow: O_RDONLY | O_NOFOLLOW | O_NONBLOCK
            case .readAroundCache: O_RDONLY | O_NOFOLLOW | clinux_o_direct()
            case .writeAroundCache: O_WRONLY | O_NOFOLLOW | clinux_o_direct()
            case .createNew: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
            case .readWrite: O_RDWR | O_CREAT | O_NOFOLLOW
            case .append: O_WRONLY | O_CREAT | O_APPEND
            case .directory: O_RDONLY | O_DIRECTORY | O_NOFOLLOW
            case .directoryItself: clinux_o_path() | O_DIRECTORY | O_NOFOLLOW
            case .directoryThroughLink: O_RDONLY | O_DIRECTORY
            }
        }

        var mode: UInt32 {
            switch self {
            case .createNew(let mode), .readWrite(let mode), .append(let mode): mode
            default: 0
            }
        }
    }

    package convenience init(_ path: FilePath, _ access: Access) throws(SystemError) {
        let opened: Int32
        do throws(SystemError) {
            opened = try Self.open(path.string, access) { flags in
                path.withCString { clinux_open(AT_FDCWD, $0, flags, access.mode) }
            }
        } catch {
            // A file system without O_DIRECT says EINVAL; its files are then read like any other.
            guard case .readAroundCache = access, error.code == EINVAL else { throw error }
            try self.init(path, .readNoFollow)
            return
        }
        self.init(adopting: opened, path: path)
    }

    /// Opens a name inside this folder. `name` has no slash, so no component can be a link to elsewhere.
    package func open(_ name: [UInt8], _ access: Access) throws(SystemError) -> OpenFile {
        let opened = try Self.open(path.appending(name).string, access) { flags in
            FilePath(bytes: name).withCString { clinux_open(descriptor, $0, flags, access.mode) }
        }
        return OpenFile(adopting: opened, path: path.appending(name))
    }

    /// Seconds that another program has to give up its lease on a file (Samba and NFS servers take them for their clients): the
    /// kernel takes it away after 45 (`/proc/sys/fs/lease-break-time`).
    private static let leasePatience = 60.0

    /// Who opens a file without waiting, lest it be a pipe, is told to come again while a lease is broken (open(2), EWOULDBLOCK).
    private static func open(
        _ path: @autoclosure () -> String, _ access: Access, _ call: (Int32) -> Int32
    ) throws(SystemError) -> Int32 {
        let flags = access.flags | O_CLOEXEC
        var (start, pause): (UInt64?, UInt32) = (nil, 1000)
        while true {
            do throws(SystemError) { return try retryingInterrupts("open", path()) { call(flags) } } catch {
                guard error.code == EAGAIN, flags & O_NONBLOCK != 0 else { throw error }
                let began = start ?? MonotonicTime.nanoseconds()
                start = began
                guard MonotonicTime.seconds(since: began) < leasePatience else { throw error }
                usleep(pause)
                pause = min(pause * 2, 200_000)
            }
        }
    }

    package func status() throws(SystemError) -> FileStatus {
        var status = stat()
        try retryingInterrupts("stat", path.string) { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    /// `lstat` of a name inside this folder.
    package func status(of name: [UInt8]) throws(SystemError) -> FileStatus {
        var status = stat()
        try retryingInterrupts("stat", path.appending(name).string) {
            FilePath(bytes: name).withCString { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(status)
    }

    /// Forces data and metadata to the disk.
    package func sync() throws(SystemError) {
        try retryingInterrupts("fsync", path.string) { fsync(descriptor) }
    }

    package enum Advice: Sendable { case sequential, willNotNeed }

    /// Tells the page cache what to expect. Advice only: a file system may ignore it, so no error is raised.
    package func advise(_ advice: Advice, offset: UInt64 = 0, length: UInt64 = 0) {
        posix_fadvise(
            descriptor, off_t(offset), off_t(length),
            advice == .sequential ? POSIX_FADV_SEQUENTIAL : POSIX_FADV_DONTNEED)
    }
}
