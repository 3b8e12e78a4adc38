// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// One backup, restore or removal at a time in one folder, across processes.
public struct OperationLock: Sendable {
    private let lock: AdvisoryLock

    /// Waits for whoever holds it.
    /// - Parameters:
    ///   - seconds: how long to wait at most.
    ///   - onWait: called once, with a description of the holder, when it has to be waited for.
    /// - Throws: `BackupError.busy` once the time is up, `CancelledError`.
    public static func take(
        in folder: BackupFolder, for purpose: String, atMost seconds: Double, cancellation: Cancellation? = nil,
        onWait: ((String) -> Void)? = nil
    ) throws -> OperationLock {
        let start = MonotonicTime.nanoseconds()
        let note = "\(purpose), pid \(getpid()), since \(LocalTime.now().iso)"
        var told = false
        while true {
            try cancellation?.check()
            do throws(SystemError) {
                if let lock = try AdvisoryLock.tryLock(folder.lock, note: note) { return OperationLock(lock: lock) }
            } catch {
                throw BackupError.folderNotUsable(path: folder.path.string, reason: error.reason)
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
}
