// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

extension RestoreJob {
    /// Swaps database and artifacts. The database goes first, in one transaction; the artifacts follow by renames,
    /// which need no room. Whatever fails, what was live comes back.
    ///
    /// MLflow stands still meanwhile where it can be stopped, and is started again whatever happened.
    /// - Returns: what a person should know of it.
    func commit(_ journal: inout RestoreJournal, _ kept: UnchangedFiles) throws -> [BilingualText] {
        let pause = ServerPause(stack, folder, log: log)
        let notStopped = try pause.begin()
        do { try swap(&journal, kept) } catch {
            // Half a swap is left to the recovery, which starts MLflow when the data is whole.
            if case BackupError.needsRecovery = error { throw error }
            pause.end()
            throw error
        }
        let notStarted = pause.end()
        // What was live may go only when the journal says that the new data is.
        do { if journal.stage == .committed { try RestoreCleanup(stack, folder).dropPrevious(journal) } } catch {
            // The restore itself is whole; only the previous data still takes up room. The next run removes it.
            log.warning("could not remove the previous data yet", ["reason": error.bilingual[.english]])
        }
        return [notStopped, notStarted].compactMap { $0 }
    }

    private func swap(_ journal: inout RestoreJournal, _ kept: UnchangedFiles) throws {
        do {
            if journal.mode.includesArtifacts { try kept.check(in: journal.swap.new, cancellation: cancellation) }
        } catch {
            undo(journal, because: error)
            throw error
        }
        progress(Progress(.swapping, fraction: 0.95))
        journal.stage = .committing
        try journal.write(in: folder)
        do {
            if journal.mode.includesDatabase {
                try Databases(stack.database).swap(
                    live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
            }
            if let plan = journal.plan {
                // Once more, because the swap of the databases may have waited for sessions to end.
                try kept.check(in: journal.swap.new, cancellation: cancellation)
                try journal.swap.forward(plan)
            }
        } catch {
            try rollBack(journal, because: error)
            throw error
        }
        var committed = journal
        committed.stage = .committed
        do {
            try committed.write(in: folder)
            journal = committed
        } catch {
            // The stage before it is finished by the recovery in the same direction.
            log.warning("could not note that the swap is done", ["reason": error.bilingual[.english]])
        }
    }

    private func rollBack(_ journal: RestoreJournal, because cause: any Error) throws {
        log.error("the swap failed, putting the live data back", ["reason": cause.bilingual[.english]])
        do {
            if let plan = journal.plan { try journal.swap.backward(plan) }
            if journal.mode.includesDatabase, try RestoreCleanup(stack, folder).databaseWasSwapped(journal) {
                let databases = try Databases(stack.database)
                if journal.hadDatabase {
                    try databases.swap(
                        live: journal.liveDatabase, replacement: journal.oldDatabase, keepingOldAs: journal.newDatabase)
                } else {
                    try databases.drop(journal.liveDatabase)
                }
            }
            try RestoreCleanup(stack, folder).dropPrepared(journal)
        } catch {
            let reason = "\(cause.bilingual[.english]); then, while putting it back: \(error.bilingual[.english])"
            log.error("the live data could not be put back", ["reason": reason])
            throw BackupError.needsRecovery(reason: reason)
        }
    }
}
