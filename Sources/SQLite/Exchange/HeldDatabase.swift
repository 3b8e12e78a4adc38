// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A live database that nobody else can write to, since we hold the lock for it: `main` of the connection, beside the restored one
/// (`Exchange.attached`). It is read, and not changed.
package struct HeldDatabase {
    package let connection: SQLiteConnection
    private let live: LiveDatabase
    private let cancellation: Cancellation

    init(_ live: LiveDatabase, _ cancellation: Cancellation) {
        self.live = live
        self.cancellation = cancellation
        connection = live.connection
    }

    /// Whether nobody has written since a copy was made through this `LiveDatabase`.
    /// - Parameter version: `OnlineCopy.Outcome.dataVersion`.
    package func isUnchanged(since version: Int64) throws(SQLiteError) -> Bool {
        try live.dataVersion() == version
    }

    /// Copies it once more, as it is now and will be when it is replaced. Writers wait for it.
    package func copy(to target: FilePath, progress: OnlineCopy.ProgressSink = { _, _ in }) throws -> OnlineCopy.Outcome
    {
        // A connection of its own: SQLite copies from none that has begun to write.
        try OnlineCopy(
            of: LiveDatabase(live.path), cancellation: cancellation, writersPatience: .infinity, isHeld: true
        ).write(to: target, progress: progress)
    }
}
