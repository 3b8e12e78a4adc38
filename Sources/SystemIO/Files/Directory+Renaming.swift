// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Names given and taken: one function for each, and in it the way that is as safe where a file system does not know the call
/// (sshfs, exFAT, NTFS, NFS: docs/ground.md, "What a file system can do").
extension Directory {
    /// Replaces what has the new name, but for a folder with something in it.
    package static func rename(_ from: FilePath, to: FilePath) throws(SystemError) {
        try retryingInterrupts("rename", from.string) {
            from.withCString { source in to.withCString { Glibc.rename(source, $0) } }
        }
    }

    /// Fails with EEXIST rather than replace what has that name already.
    ///
    /// Where the file system does not know the flag (renameat2(2)), a file gets the new name as a second one and loses the old
    /// one: who dies between the two leaves both names. Call it where nobody else gives the old name to another file: that would
    /// be lost. What can have no second name is renamed where nothing is seen under the new one: call it where nobody else makes
    /// such names. Of a folder rename(2) replaces an empty folder at most.
    package static func renameWithoutReplacing(_ from: FilePath, to: FilePath) throws(SystemError) {
        do throws(SystemError) { return try renameByFlag(from, to: to) } catch {
            guard error.isUnknownCall else { throw error }
        }
        if try FileStatus.of(from).kind != .directory, try linked(from, as: to) { return try remove(from) }
        try renameWhereFree(from, to: to)
    }

    /// The same into a folder in which nobody but the caller makes names, of what others may rename over at any time: whatever has
    /// the old name is moved in one step, and nothing else ever loses it.
    package static func moveIntoOwn(_ from: FilePath, as to: FilePath) throws(SystemError) {
        do throws(SystemError) { return try renameByFlag(from, to: to) } catch {
            guard error.isUnknownCall else { throw error }
        }
        try renameWhereFree(from, to: to)
    }

    private static func renameWhereFree(_ from: FilePath, to: FilePath) throws(SystemError) {
        guard try FileStatus.ifPresent(to) == nil else { throw SystemError("rename", path: from.string, code: EEXIST) }
        try rename(from, to: to)
    }

    /// - Returns: false where there are no second names.
    private static func linked(_ path: FilePath, as name: FilePath) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try link(path, as: name)
            return true
        } catch {
            guard error.isWithoutLinks else { throw error }
            return false
        }
    }

    /// - Throws: EINVAL, ENOSYS or EOPNOTSUPP where the file system does not know the flag.
    static func renameByFlag(_ from: FilePath, to: FilePath) throws(SystemError) {
        try retryingInterrupts("rename", from.string) {
            from.withCString { source in
                to.withCString { clinux_rename_noreplace(AT_FDCWD, source, AT_FDCWD, $0) }
            }
        }
    }

    /// Gives a file a second name, which must not exist yet. A symbolic link is linked itself.
    package static func link(_ path: FilePath, as name: FilePath) throws(SystemError) {
        try retryingInterrupts("link", name.string) {
            path.withCString { old in name.withCString { Glibc.link(old, $0) } }
        }
    }

    /// Swaps what two names of one file system stand for, in one step.
    /// - Throws: `SystemError.isUnknownCall` where the file system cannot do that.
    package static func exchange(_ first: FilePath, _ second: FilePath) throws(SystemError) {
        try retryingInterrupts("exchange", first.string) {
            first.withCString { one in
                second.withCString { clinux_rename_exchange(AT_FDCWD, one, AT_FDCWD, $0) }
            }
        }
    }

    /// Makes renames and new names in this folder survive a power cut, as far as the file system has anything for that: some
    /// refuse the call for folders, and order names themselves.
    package static func sync(_ path: FilePath) throws(SystemError) {
        do throws(SystemError) { try OpenFile(path, .directoryThroughLink).sync() } catch {
            guard error.operation == "fsync", error.isUnknownCall else { throw error }
        }
    }
}

extension SystemError {
    /// What file systems say of a call, or a flag of it, that they do not know. EOPNOTSUPP and ENOTSUP are one on Linux.
    package var isUnknownCall: Bool { [EINVAL, ENOSYS, EOPNOTSUPP].contains(code) }
    /// What link(2) says of a file that can have no further name: the file system knows none, or it has too many. rclone says EIO;
    /// of a disk that is broken whatever is done instead says so.
    package var isWithoutLinks: Bool { [EPERM, EMLINK, ENOSYS, EOPNOTSUPP, EIO].contains(code) }
}
