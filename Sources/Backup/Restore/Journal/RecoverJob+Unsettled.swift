// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension RecoverJob {
    /// Why there is something for `run` to do, for who looks and settles nothing. It waits for nobody.
    /// - Returns: `BackupError.needsRecovery`; `nil` where all is settled, or an operation is at work, whose journal is meant to
    ///   be there.
    public func unsettled() -> BackupError? {
        // Where the lock cannot even be looked at, no operation can begin, which is told by itself.
        guard left() != nil else { return nil }
        do {
            // Who works from write-protected media is seen by this alone, whichever backup folder this look is given.
            if try OperationLock.isHeld(beside: workspace.stack.artifacts) { return nil }
            guard workspace.folder.writeProtection == nil else { return left() }
            let lock = try AdvisoryLock.tryLock(workspace.folder.lock, note: Self.look)
            defer { withExtendedLifetime(lock) {} }
            let holder = lock == nil ? AdvisoryLock.holder(of: workspace.folder.lock) : ""
            // Others that only look, and those who try to settle it, show that nothing is at work.
            guard lock != nil || [Self.look, Self.purpose].contains(where: { holder.hasPrefix($0) }) else { return nil }
            // A restore may have come to its end in between.
            return left()
        } catch { return nil }
    }

    private static let look = "a look at restores"

    /// What an operation would have to settle first. One whose journal the disk does not give fails on it, too.
    private func left() -> BackupError? {
        do {
            let journal = try RestoreJournal.read(workspace.stack, workspace.folder)
            guard journal != nil || isNeeded else { return nil }
        } catch let error as BackupError {
            return error
        } catch {
            return .needsRecovery(reason: error.bilingual)
        }
        return .needsRecovery(
            reason: BilingualText(
                zh: "尚未处理；下一次操作会处理，服务每十秒也会尝试一次",
                en: "it is not settled yet; the next operation tries to, and the service every ten seconds"))
    }
}
