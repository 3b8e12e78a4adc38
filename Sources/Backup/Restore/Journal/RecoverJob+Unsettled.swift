// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension RecoverJob {
    /// Why there is something for `run` to do, for who looks and settles nothing. It waits for nobody.
    /// - Returns: `BackupError.needsRecovery`; `nil` where all is settled, or an operation is at work, whose journal is meant to
    ///   be there.
    package func unsettled() -> BackupError? { whereNothingWorks { stuck() ?? left() } }

    /// The same of what no operation can settle, though it tries to: a journal that nobody can read, or that is in another backup folder.
    package func unsettleable() -> BackupError? { whereNothingWorks { stuck() } }

    private func whereNothingWorks(_ found: () -> BackupError?) -> BackupError? {
        // Where the lock cannot even be looked at, no operation can begin, which is told by itself.
        guard found() != nil else { return nil }
        do {
            // Who works from write-protected media is seen by this alone, whichever backup folder this look is given.
            if try OperationLock.isHeld(beside: workspace.stack.artifacts) { return nil }
            guard workspace.folder.writeProtection == nil, try FileStatus.ifPresent(workspace.folder.state) != nil
            else {
                return found()
            }
            let lock = try AdvisoryLock.tryLock(workspace.folder.lock, note: Self.look)
            defer { withExtendedLifetime(lock) {} }
            let holder = lock == nil ? AdvisoryLock.holder(of: workspace.folder.lock) : ""
            // Others that only look, and those who try to settle it, show that nothing is at work.
            guard lock != nil || [Self.look, Self.purpose].contains(where: { holder.hasPrefix($0) }) else { return nil }
            // A restore may have come to its end in between.
            return found()
        } catch { return nil }
    }

    private static let look = "a look at restores"

    /// Every operation fails on a journal that the disk does not give, and on what a restore of another backup folder left.
    private func stuck() -> BackupError? {
        do {
            try RestoreJournal.refuseLeft(workspace.stack, workspace.folder)
            for view in workspace.all
            where try RestoreJournal.read(view.stack, workspace.folder) != nil { return nil }
            return try foreignWork()
        } catch let error as BackupError {
            return error
        } catch {
            return .needsRecovery(reason: error.bilingual)
        }
    }

    /// - Returns: `nil` also where that restore is at work, which the stack's lock tells.
    private func foreignWork() throws -> BackupError? {
        let database = workspace.stack.database
        // The name of the server is for a sentence alone.
        let identity = StackIdentity(
            system: database.address, database: database.name, artifacts: nil)
        do {
            for view in workspace.all {
                try StrayParts(view, identity).refuseForeignWork(telling: false)
            }
        } catch let error as BackupError {
            // A server that does not answer is told of by itself.
            return (try? database.isLocked()) == false ? error : nil
        }
        return nil
    }

    /// What an operation would have to settle first.
    private func left() -> BackupError? {
        do {
            let isThere = try workspace.all.contains {
                try RestoreJournal.read($0.stack, workspace.folder) != nil
            }
            guard isThere || isNeeded else { return nil }
        } catch { return .needsRecovery(reason: error.bilingual) }
        return .needsRecovery(
            reason: BilingualText(
                zh: "尚未处理；下一次操作会处理，服务每十秒也会尝试一次",
                en: "it is not settled yet; the next operation tries to, and the service every ten seconds"))
    }
}
