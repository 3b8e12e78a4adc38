// SPDX-License-Identifier: Apache-2.0

import Postgres

/// The last comparison before a swap: of a restore (`LiveComparison`) or of an undo (`SinceRestore`).
protocol LastLook: AnyObject {
    /// What the swap would lose. The live tables are locked against writing when it returns.
    func last() throws -> NewerData
    /// The first transaction that had not begun at `last`: what it and later ones write was not compared. `nil` where no
    /// database is in play.
    var moment: String? { get }
    /// Server processes that must be spared until nobody else is in the database.
    func serverProcesses() throws -> [Int]
    /// That the tables are still locked.
    /// - Throws: `PostgresError.connectionLost` where the session ended, and writers went on.
    func confirm() throws(PostgresError)
    /// Ends the sessions, and lets the writers go on.
    func close()
}
