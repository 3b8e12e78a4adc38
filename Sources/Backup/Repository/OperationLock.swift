// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// One backup, restore or removal at a time in one folder, across processes.
///
/// In a folder that nobody here can write to, readers hold the lock file together, so that a writer to whom the folder is not
/// write-protected waits for them and they for it; and one at a time works on the artifacts.
package struct OperationLock: Sendable {
    private let locks: [AdvisoryLock]

    /// Waits for whoever holds it.
    /// - Parameters:
    ///   - artifacts: the folder that is locked itself where the backup folder is write-protected; `nil` for what only reads backups.
    ///   - seconds: how long to wait at most.
    ///   - onWait: called once, with a description of the holder, when it has to be waited for.
    /// - Throws: `BackupError.busy` once the time is up, `CancelledError`.
    package static func take(
        in folder: BackupFolder, beside artifacts: FilePath? = nil, for purpose: String, atMost seconds: Double,
        cancellation: Cancellation? = nil, onWait: ((String) -> Void)? = nil
    ) throws -> OperationLock {
        let start = MonotonicTime.nanoseconds()
        let note = "\(purpose), pid \(getpid()), since \(LocalTime.now().iso)"
        var told = false
        while true {
            try cancellation?.check()
            do throws(SystemError) {
                if let lock = try tryTake(in: folder, beside: artifacts, note) { return lock }
            } catch {
                throw BackupError.folderNotUsable(path: folder.path.string, reason: error.reasonText)
            }
            let holder = AdvisoryLock.holder(of: folder.lock)
            if MonotonicTime.seconds(since: start) >= seconds { throw BackupError.busy(holder: holder) }
            if !told {
                told = true
                onWait?(holder)
            }
            usleep(200_000)
        }
    }

    /// - Returns: `nil` where somebody else holds it.
    static func tryTake(
        in folder: BackupFolder, beside artifacts: FilePath?, _ note: String
    ) throws(SystemError) -> OperationLock? {
        guard folder.writeProtection != nil else {
            guard let lock = try AdvisoryLock.tryLock(folder.lock, note: note) else { return nil }
            return OperationLock(locks: [lock])
        }
        var locks: [AdvisoryLock] = []
        // Where another user does not even let us look, the stack's lock has to do.
        if Directory.readRefusal(folder.state) == nil, try FileStatus.ifPresent(folder.lock) != nil,
            Directory.isReadable(folder.lock)
        {
            guard let lock = try AdvisoryLock.tryShared(folder.lock) else { return nil }
            locks.append(lock)
        }
        if let artifacts, try isFolder(artifacts) {
            guard let lock = try AdvisoryLock.tryLock(folder: artifacts) else { return nil }
            locks.append(lock)
        }
        return OperationLock(locks: locks)
    }

    /// Whether an operation is at work that found its backup folder write-protected. Others may ask at the same time.
    static func isHeld(beside artifacts: FilePath) throws(SystemError) -> Bool {
        guard try isFolder(artifacts) else { return false }
        return try AdvisoryLock.tryShared(artifacts) == nil
    }

    private static func isFolder(_ path: FilePath) throws(SystemError) -> Bool {
        do throws(SystemError) { return try OpenFile(path, .directoryThroughLink).status().kind == .directory } catch {
            if error.isNotFound { return false }
            throw error
        }
    }
}
