// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

extension RestoreJob {
    /// Swaps database and artifacts. The database goes first, in one transaction; the artifacts follow by renames,
    /// which need no room. Whatever fails, what was live comes back.
    func commit(_ journal: inout RestoreJournal) throws {
        progress(Progress(.swapping, fraction: 0.95))
        journal.stage = .committing
        try journal.write(in: folder)
        do {
            if journal.mode.includesDatabase {
                try Databases(stack.database).swap(
                    live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
            }
            if let plan = journal.plan { try journal.swap.forward(plan) }
        } catch {
            try rollBack(journal, because: error)
            throw error
        }
        journal.stage = .committed
        do {
            try journal.write(in: folder)
            try RestoreCleanup(stack, folder).dropPrevious(journal)
        } catch {
            // The restore itself is whole; only the previous data still takes up room. The next run removes it.
            log.warning("could not remove the previous data yet", ["reason": error.bilingual[.english]])
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
