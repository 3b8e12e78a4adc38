// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// The two ways a restore ends: without what it prepared, or without what it replaced.
struct RestoreCleanup {
    private let stack: LiveStack
    private let folder: BackupFolder

    init(_ stack: LiveStack, _ folder: BackupFolder) {
        self.stack = stack
        self.folder = folder
    }

    /// The two renames are one transaction, so the new name is gone exactly when the swap was made. A lost
    /// connection can hide the outcome of a commit: only the catalogue of the server knows.
    func databaseWasSwapped(_ journal: RestoreJournal) throws -> Bool {
        let databases = try Databases(stack.database)
        return try !databases.exists(journal.newDatabase) && databases.exists(journal.liveDatabase)
    }

    func dropPrepared(_ journal: RestoreJournal) throws {
        if journal.mode.includesDatabase { try Databases(stack.database).drop(journal.newDatabase) }
        try finish(journal)
    }

    func dropPrevious(_ journal: RestoreJournal) throws {
        if journal.mode.includesDatabase, journal.hadDatabase {
            try Databases(stack.database).drop(journal.oldDatabase)
        }
        try finish(journal)
    }

    private func finish(_ journal: RestoreJournal) throws {
        if journal.mode.includesArtifacts { try journal.swap.discard() }
        try RestoreJournal.remove(in: folder)
    }
}
