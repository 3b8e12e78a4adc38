// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Begins a transaction whose snapshot sees every table as the locks found it.
///
/// Nobody waits for our waiting: a lock is had at once, or all are let go, so that whoever queued behind us moves, and it is
/// tried again. A session that waited here while it held other locks could also be what MLflow's migration falls into a deadlock with.
struct SnapshotLocks {
    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    /// - Parameter take: takes the snapshot, as the first query of the transaction. It may be called more than once.
    /// - Throws: `tablesInUse` with who held a table all the while, `PostgresError`, `CancelledError`. No transaction is open then.
    func lockingTables(
        _ cancellation: Cancellation, _ take: () throws(PostgresError) -> Row
    ) throws -> Row {
        let (start, patience) = (MonotonicTime.nanoseconds(), connection.settings.patience)
        while true {
            try cancellation.check()
            let isOver = MonotonicTime.seconds(since: start) >= patience
            do throws(PostgresError) {
                if let taken = try attempt(take) { return taken }
                // Tables were made or renamed at that moment.
                if isOver { throw PostgresError.query(sqlstate: Self.lockNotAvailable, message: "") }
            } catch {
                // On a session that is lost the server rolls back by itself; the first error is the one to tell.
                try? connection.execute("rollback")
                guard Self.passes(error), !isOver else {
                    throw error.namingHolders(in: connection.settings, seconds: patience)
                }
            }
            usleep(Self.pause)
        }
    }

    /// - Returns: `nil` where the tables are not those that were locked; nothing is locked then.
    private func attempt(_ take: () throws(PostgresError) -> Row) throws(PostgresError) -> Row? {
        // Before the transaction: its snapshot is that of its first query, and LOCK TABLE is none (manual, 13.2.2).
        let tables = try tables()
        try connection.execute("begin isolation level repeatable read, read only")
        if !tables.isEmpty {
            let names = tables.values.sorted().map { table -> SQL in "only \(identifier: table)" }
            let list = names.dropFirst().reduce(names[0]) { $0 + ", " + $1 }
            try connection.execute("lock table " + list + " in access share mode nowait")
        }
        let taken = try take()
        for (oid, table) in try self.tables() where tables[oid] != table {
            try connection.execute("rollback")
            return nil
        }
        return taken
    }

    /// All that this role may lock, by their oids; those of extensions, too, of which pg_dump may write rows.
    private func tables() throws(PostgresError) -> [String: QualifiedTable] {
        let rows = try connection.rows(
            """
            select c.oid::text as oid, n.nspname as schema, c.relname as name
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and \(Connection.isUsers)
              and pg_catalog.has_schema_privilege(n.oid, 'USAGE') and pg_catalog.has_table_privilege(c.oid, 'SELECT')
            """)
        var tables: [String: QualifiedTable] = [:]
        for row in rows {
            tables[try row.string("oid")] = QualifiedTable(
                schema: try row.string("schema"), name: try row.string("name"))
        }
        return tables
    }

    /// What may be over in a moment: a lock of another session, a table or schema that was just dropped or renamed.
    private static func passes(_ error: PostgresError) -> Bool {
        guard case .query(let sqlstate, _) = error else { return false }
        return [lockNotAvailable, "42P01", "3F000"].contains(sqlstate)
    }

    private static let lockNotAvailable = "55P03"
    /// Microseconds.
    private static let pause: UInt32 = 100_000
}
