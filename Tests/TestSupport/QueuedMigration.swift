// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO

/// A session, `nightly migration`, that waits for a table which others read, so that all who come later wait, too.
package struct QueuedMigration: Sendable {
    package let thread: WorkerThread

    /// Returns once it waits. It ends when it has had its turn.
    package init(of table: String, in database: ConnectionSettings) throws {
        thread = try WorkerThread("migration") {
            _ = try? Connection(database, applicationName: "nightly migration").execute(
                "alter table \(identifier: table) add column added_meanwhile int")
        }
        let watch = try Connection(database)
        defer { watch.close() }
        while try watch.rows("select from pg_locks where not granted and relation = \(table)::regclass").isEmpty {
            usleep(10_000)
        }
    }
}
