// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

/// Finishes or undoes a restore that was interrupted. Call it under the operation lock.
public struct RestoreRecovery: Sendable {
    public enum Outcome: Sendable, Equatable {
        case nothingToDo
        /// The live data is what it was before the restore.
        case undone(backup: String)
        /// The live data is the restored one.
        case finished(backup: String)
    }

    private let stack: LiveStack
    private let folder: BackupFolder
    private let log: Log

    public init(_ stack: LiveStack, _ folder: BackupFolder, log: Log) {
        self.stack = stack
        self.folder = folder
        self.log = log
    }

    /// - Throws: `BackupError.needsRecovery` with the reason; the journal and all data are kept then.
    public func run() throws -> Outcome {
        let outcome = try settleJournal()
        // Only now: as long as the data is in two minds, MLflow had better stand still.
        ServerPause(stack, folder, log: log).endAfterCrash()
        return outcome
    }

    /// Whether an earlier process left something for `run` to do.
    public var isNeeded: Bool {
        if ServerPause(stack, folder, log: log).isPending { return true }
        return (try? FileStatus.ifPresent(folder.restoreJournal)) ?? nil != nil
    }

    private func settleJournal() throws -> Outcome {
        guard let journal = try RestoreJournal.read(in: folder) else { return .nothingToDo }
        log.warning(
            "an interrupted restore is being put right",
            ["backup": journal.backup, "mode": journal.mode.rawValue, "stage": journal.stage.rawValue])
        do {
            let outcome = try settle(journal)
            log.info("the interrupted restore is settled", ["outcome": "\(outcome)"])
            return outcome
        } catch let error as BackupError {
            throw error
        } catch {
            throw BackupError.needsRecovery(reason: error.bilingual[.english])
        }
    }

    private func settle(_ journal: RestoreJournal) throws -> Outcome {
        let cleaner = RestoreCleanup(stack, folder)
        switch journal.stage {
        case .preparing:
            try cleaner.dropPrepared(journal)
            return .undone(backup: journal.backup)
        case .committing:
            if journal.mode.includesDatabase, try !cleaner.databaseWasSwapped(journal) {
                // The database goes first, so no artifact has moved; backward makes sure of it.
                if let plan = journal.plan { try journal.swap.backward(plan) }
                try cleaner.dropPrepared(journal)
                return .undone(backup: journal.backup)
            }
            if let plan = journal.plan { try journal.swap.forward(plan) }
            var committed = journal
            committed.stage = .committed
            try committed.write(in: folder)
            try cleaner.dropPrevious(committed)
            return .finished(backup: journal.backup)
        case .committed:
            try cleaner.dropPrevious(journal)
            return .finished(backup: journal.backup)
        }
    }
}
