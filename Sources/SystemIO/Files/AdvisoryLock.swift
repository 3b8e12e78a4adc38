// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A whole-file `flock`. The kernel drops it when its holder dies, however it dies, so it is never stale.
package final class AdvisoryLock: Sendable {
    private let file: OpenFile

    private init(_ file: OpenFile) { self.file = file }

    /// A child that another thread is starting has the file, too, until it has become its program: by closing alone the lock would
    /// be held until then, and whoever comes next would hear of a holder who is done.
    deinit { file.withDescriptor { _ = flock($0, LOCK_UN) } }

    /// - Parameter note: written into the file for a person who asks who holds the lock.
    /// - Returns: `nil` where somebody else holds it.
    package static func tryLock(_ path: FilePath, note: String) throws(SystemError) -> AdvisoryLock? {
        let file = try openOrMake(path)
        do throws(SystemError) {
            try retryingInterrupts("lock", path.string) { file.withDescriptor { flock($0, LOCK_EX | LOCK_NB) } }
        } catch {
            if error.code == EWOULDBLOCK { return nil }
            throw error
        }
        do throws(SystemError) {
            try file.truncate(to: 0)
            try file.write(Array(note.utf8))
        } catch {
            // The note is for people. On a full disk the lock is what lets old backups be removed.
            if !error.isFull { throw error }
        }
        return AdvisoryLock(file)
    }

    private static func openOrMake(_ path: FilePath) throws(SystemError) -> OpenFile {
        do throws(SystemError) { return try OpenFile.makeInherited(path, mode: 0o644) } catch {
            if !error.exists { throw error }
        }
        return try OpenFile(path, .readWrite(create: 0o644))
    }

    /// Locks a file or folder, which need not be writable, together with others who only read what it guards.
    /// - Returns: `nil` where somebody holds it alone.
    package static func tryShared(_ path: FilePath) throws(SystemError) -> AdvisoryLock? {
        try tryQuietly(OpenFile(path, .read), LOCK_SH)
    }

    /// Locks a folder itself. Nothing is written to it.
    /// - Returns: `nil` where somebody else holds it.
    package static func tryLock(folder: FilePath) throws(SystemError) -> AdvisoryLock? {
        try tryQuietly(OpenFile(folder, .directoryThroughLink), LOCK_EX)
    }

    /// Where a file system has no locks, or (NFS, EBADF) none on what is only read, the file counts as locked: whoever asks for
    /// this has another lock that decides.
    private static func tryQuietly(_ file: OpenFile, _ kind: Int32) throws(SystemError) -> AdvisoryLock? {
        do throws(SystemError) {
            try retryingInterrupts("lock", file.path.string) { file.withDescriptor { flock($0, kind | LOCK_NB) } }
        } catch {
            if error.code == EWOULDBLOCK { return nil }
            guard [EBADF, ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL].contains(error.code) else { throw error }
        }
        return AdvisoryLock(file)
    }

    /// Locks an open file for as long as it is open. Nothing is written to it.
    /// - Returns: false where somebody else holds it.
    package static func tryLock(_ file: OpenFile) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try retryingInterrupts("lock", file.path.string) { file.withDescriptor { flock($0, LOCK_EX | LOCK_NB) } }
            return true
        } catch {
            if error.code == EWOULDBLOCK { return false }
            throw error
        }
    }

    /// What the holder wrote about itself; empty where nobody ever held it.
    package static func holder(of path: FilePath) -> String {
        guard let file = try? OpenFile(path, .read), let note = try? file.readAll(limit: 4096) else { return "" }
        return String(decoding: note, as: UTF8.self)
    }
}
