// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

extension OpenFile {
    /// Permission bits and sticky.
    package static let plainModes: UInt32 = 0o1777

    /// - Parameter mode: 12 bits, set-uid and set-gid among them.
    package func setMode(_ mode: UInt32) throws(SystemError) {
        try retryingInterrupts("chmod", path.string) { fchmod(descriptor, mode & 0o7777) }
    }

    package func setOwner(user: UInt32, group: UInt32) throws(SystemError) {
        try retryingInterrupts("chown", path.string) { fchown(descriptor, user, group) }
    }

    /// Leaves the user what it is.
    package func setGroup(_ group: UInt32) throws(SystemError) {
        try retryingInterrupts("chown", path.string) { fchown(descriptor, UInt32.max, group) }
    }

    package func setModified(_ time: FileTime) throws(SystemError) {
        let times = [timespec(tv_sec: 0, tv_nsec: utimeOmit), time.timespec]
        try retryingInterrupts("set time of", path.string) { futimens(descriptor, times) }
    }

    /// Opens a folder inside this one, making it first if it is not there. A link in its place is an error.
    /// - Parameter heir: of what is made.
    package func openOrMakeFolder(_ name: [UInt8], for heir: Heir? = nil) throws(SystemError) -> OpenFile {
        do throws(SystemError) { return try open(name, .directory) } catch {
            if error.code != ENOENT { throw error }
        }
        // Another thread of ours may have made it meanwhile.
        if let made = try makeFolder(name, mode: 0o700, for: heir) { return made }
        return try open(name, .directory)
    }

    package func makeSymbolicLink(_ name: [UInt8], to target: [UInt8], modified: FileTime) throws(SystemError) {
        try retryingInterrupts("symlink", path.appending(name).string) {
            FilePath(bytes: target).withCString { destination in
                FilePath(bytes: name).withCString { symlinkat(destination, descriptor, $0) }
            }
        }
        let times = [timespec(tv_sec: 0, tv_nsec: utimeOmit), modified.timespec]
        try retryingInterrupts("set time of", path.appending(name).string) {
            FilePath(bytes: name).withCString { utimensat(descriptor, $0, times, AT_SYMLINK_NOFOLLOW) }
        }
    }

    package func setOwner(ofLink name: [UInt8], user: UInt32, group: UInt32) throws(SystemError) {
        try retryingInterrupts("chown", path.appending(name).string) {
            FilePath(bytes: name).withCString { fchownat(descriptor, $0, user, group, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// Leaves the user what it is.
    package func setGroup(ofLink name: [UInt8], _ group: UInt32) throws(SystemError) {
        try setOwner(ofLink: name, user: UInt32.max, group: group)
    }

    /// Gives a file of this folder a second name in another. A symbolic link is linked itself, not followed.
    package func makeHardLink(_ name: [UInt8], to folder: OpenFile, as newName: [UInt8]) throws(SystemError) {
        try retryingInterrupts("link", folder.path.appending(newName).string) {
            FilePath(bytes: name).withCString { old in
                FilePath(bytes: newName).withCString { linkat(descriptor, old, folder.descriptor, $0, 0) }
            }
        }
    }

    /// Moves what has a name in this folder into another one, and replaces what has the new name there.
    package func rename(_ name: [UInt8], to folder: OpenFile, as newName: [UInt8]) throws(SystemError) {
        try retryingInterrupts("rename", path.appending(name).string) {
            FilePath(bytes: name).withCString { old in
                FilePath(bytes: newName).withCString { renameat(descriptor, old, folder.descriptor, $0) }
            }
        }
    }

    /// Removes a file or link from this folder.
    package func remove(_ name: [UInt8]) throws(SystemError) {
        try retryingInterrupts("remove", path.appending(name).string) {
            FilePath(bytes: name).withCString { unlinkat(descriptor, $0, 0) }
        }
    }

    /// Whether this process may read a file of this folder. Where the kernel's answer is no, it is tried: a sandbox may refuse the
    /// question, and not what was asked.
    package func mayRead(_ name: [UInt8]) throws(SystemError) -> Bool {
        if FilePath(bytes: name).withCString({ faccessat(descriptor, $0, R_OK, AT_EACCESS) }) == 0 { return true }
        do throws(SystemError) { _ = try open(name, .readNoFollow) } catch {
            guard error.isDenied else { throw error }
            return false
        }
        return true
    }

    /// What a symbolic link in this folder points to, in bytes.
    package func linkTarget(of name: [UInt8]) throws(SystemError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = try retryingInterrupts("readlink", path.appending(name).string) {
            FilePath(bytes: name).withCString { readlinkat(descriptor, $0, &buffer, buffer.count) }
        }
        return buffer[..<length].map { UInt8(bitPattern: $0) }
    }
}

/// UTIME_OMIT: leave the time of last access alone. A macro that Swift does not see.
private let utimeOmit = (1 << 30) - 2

extension FileTime {
    fileprivate var timespec: timespec { Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)) }
}
