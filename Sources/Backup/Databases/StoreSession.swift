// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// The lock under which one operation at a time works on a stack, whatever folders and machines the services run in.
package protocol StoreLock: AnyObject {
    var session: any StoreSession { get }
    /// Whether it is still had.
    var isHeld: Bool { get }
    func release()
}

/// What a restore does with databases beside the live one.
package protocol StoreSession {
    var databases: any DatabaseSet { get }

    /// What would make the swap impossible at its end.
    /// - Parameters:
    ///   - kept: the database that is to become live again; `nil` where a dump is loaded.
    ///   - isAsked: whether nobody holds the lock, and the operation may never follow.
    func checkSwap(bringing kept: String?, isAsked: Bool) throws
    /// Whether what a backup holds can be loaded here at all.
    func checkReading(_ manifest: Manifest) throws
    /// Loads a dump into a new database beside the live one, and compares it with the manifest.
    /// - Parameter note: told the number of the database before anything is in it.
    /// - Returns: what did not come back, and what is to be done by hand.
    /// - Throws: `fullDatabaseDisk` tells a disk without room.
    func load(_ request: LoadRequest, noting note: (UInt32?) throws -> Void) throws -> [BilingualText]
    /// Runs a program on a database beside the live one, as who owns MLflow's tables and where they are.
    /// - Throws: `SystemError` if it cannot be started; `CancelledError`.
    func run(_ program: FilePath, on name: String, log: Log, _ cancellation: Cancellation) throws -> ProgramEnd
    /// `alembic_version.version_num` of one of the databases.
    func revision(of name: String) throws -> String?
    /// The live database compared with what was loaded beside it.
    func comparison(_ swap: DatabaseNames, _ cancellation: Cancellation) throws -> any StoreLook
    /// What was written to the live database since it was brought; where that moment is unknown nobody can tell.
    func sinceBrought(_ moment: String?, _ swap: DatabaseNames, _ cancellation: Cancellation) throws -> any StoreLook
}

/// How a program ended, and what it said last, without anything secret.
package struct ProgramEnd: Sendable {
    let exit: ChildProcess.Exit
    let lastLines: [String]
}

/// The names in a swap.
package struct DatabaseNames: Sendable {
    let live: String
    let replacement: String
    /// What the live one will be called.
    let old: String
}

package struct LoadRequest {
    let dump: FilePath
    let names: DatabaseNames
    let manifest: Manifest
    /// Whether the backup is of another stack.
    let isOfAnother: Bool
    let threads: Int
    let cancellation: Cancellation
    let progress: ProgressSink
    let log: Log
}

/// Looks what a swap would lose, first while everybody works, then with the writers shut out, who stay so until the swap.
package protocol StoreLook: AnyObject {
    /// - Returns: `nil` where nobody can tell.
    func first(_ progress: StoreComparison.ProgressSink) throws -> StoreFindings?
    /// Nobody can write when it returns.
    /// - Returns: also the moment up to which it looked.
    func last() throws -> (findings: StoreFindings?, moment: String?)
    /// Puts the replacement in the place of the live database.
    /// - Throws: also where somebody may have written since `last`; nothing is changed then.
    func swap() throws
    /// Lets the writers go on. It may be called again.
    func close()
}

/// What the library of a kind of databases reports.
protocol TrackingStoreError: Error {
    /// The reason, where the disk on which databases lie is full; else `nil`.
    var fullDisk: String? { get }
    /// Whether there is no live database.
    var isMissing: Bool { get }
}

extension Error {
    var fullDatabaseDisk: String? { (self as? any TrackingStoreError)?.fullDisk }
    var isMissingDatabase: Bool { (self as? any TrackingStoreError)?.isMissing ?? false }
}

extension LoadRequest {
    /// - Parameter found: rows by `schema.table` of what was loaded.
    /// - Throws: `BackupError.rowsDiffer`.
    func compare(_ found: [String: Int64]) throws {
        for (table, expected) in manifest.database.rows.sorted(by: { $0.key < $1.key })
        where found[table] != expected {
            throw BackupError.rowsDiffer(table: table, expected: expected, found: found[table] ?? 0)
        }
    }
}

extension RestoreJournal {
    var names: DatabaseNames { DatabaseNames(live: liveDatabase, replacement: newDatabase, old: oldDatabase) }
}

extension LiveStack {
    /// `StoreRows.moment` of one of its databases.
    func moment(in database: String, _ cancellation: Cancellation) throws -> String {
        let rows = try self.database.rows(in: database, cancellation)
        defer { rows.close() }
        return try rows.moment()
    }
}
