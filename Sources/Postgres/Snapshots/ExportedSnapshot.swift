// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One moment of a database that several sessions can look at: counts and dump then agree, however busy it is.
///
/// The moment lasts while this session's transaction is open (PostgreSQL manual, 9.27.5 "Snapshot Synchronization
/// Functions"). Release it soon after: it keeps vacuum from removing dead rows, and whoever wants to change a table waits
/// for it.
///
/// Every table is locked (ACCESS SHARE) before the moment is taken. A rewrite of a table (`ALTER … TYPE`, TRUNCATE, CLUSTER)
/// that ended after it would leave that table empty at this moment without a word (manual, 13.6 "Caveats"): so it has either
/// ended before, and is seen, or waits for us.
package final class ExportedSnapshot {
    /// What `pg_dump --snapshot` takes.
    package let identifier: String
    /// The oldest transaction that this snapshot may not see (`pg_snapshot_xmin`): what it and later ones wrote may be
    /// missing from a dump.
    package let oldestUnseen: String
    package var serverVersion: Int { connection.serverVersion }
    /// The server process that holds the locks.
    package let processID: Int
    var settings: ConnectionSettings { connection.settings }
    private let connection: Connection

    /// - Throws: `PostgresError`, `tablesInUse` where a table is held by others for longer than `settings.patience`;
    ///   `CancelledError`.
    package init(of settings: ConnectionSettings, cancellation: Cancellation = Cancellation()) throws {
        let session = try Connection(settings, applicationName: "mlflow-backup snapshot")
        try session.liftTimeouts()
        let row = try SnapshotLocks(session).lockingTables(cancellation) { () throws(PostgresError) in
            let rows = try session.rows(
                """
                select pg_catalog.pg_export_snapshot() as id, pg_catalog.pg_backend_pid() as pid,
                       pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text as oldest
                """)
            guard let row = rows.first else { throw .unexpectedValue(column: "id", found: "no row") }
            return row
        }
        connection = session
        identifier = try row.string("id")
        oldestUnseen = try row.string("oldest")
        processID = try row.int("pid")
    }

    /// Runs a query at the snapshot's moment.
    /// - Throws: `PostgresError`, also `tablesInUse` where a table is held by others, or `CancelledError`.
    package func rows(_ sql: SQL, cancellation: Cancellation = Cancellation()) throws -> [Row] {
        do { return try connection.rows(sql, cancellation: cancellation) } catch let error as PostgresError {
            throw named(error)
        }
    }

    /// - Throws: `PostgresError`, also `tablesInUse`, or `CancelledError`.
    package func rowCounts(
        ofReadable isOfReadable: Bool = false, cancellation: Cancellation = Cancellation()
    ) throws -> [QualifiedTable: Int64] {
        do { return try connection.rowCounts(ofReadable: isOfReadable, cancellation: cancellation) } catch let error
            as PostgresError
        {
            throw named(error)
        }
    }

    /// Asks the snapshot's own session what takes one.
    /// - Throws: `PostgresError`, also `tablesInUse` where a table is held by others.
    package func withSession<Answer>(
        _ ask: (Connection) throws(PostgresError) -> Answer
    ) throws(PostgresError) -> Answer {
        do throws(PostgresError) { return try ask(connection) } catch { throw named(error) }
    }

    /// What the database holds beside its rows, as of now.
    package func ground() throws(PostgresError) -> DatabaseGround { try DatabaseGround(on: connection) }

    /// How many sessions may still be opened.
    package func room() throws(PostgresError) -> ConnectionRoom { try ConnectionRoom(on: connection) }

    private func named(_ error: PostgresError) -> PostgresError {
        error.namingHolders(in: connection.settings, seconds: connection.settings.patience)
    }

    /// Ends the transaction. Nothing can join the snapshot any more; those who joined keep it.
    package func release() { connection.close() }
}
