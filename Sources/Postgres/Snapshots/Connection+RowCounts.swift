// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension Connection {
    /// How many rows each ordinary table holds, as this session's transaction sees them. Exact: every table is read.
    ///
    /// Partitions count, and their parent holds nothing itself. Tables of extensions do not: of some of them pg_dump writes
    /// rows, too, or a part of the rows, and what a restore makes of the rest is the extension's.
    /// - Parameter isOfReadable: passes over tables that this role may not read, or not all of, which is else an error.
    /// - Throws: `PostgresError`, or `CancelledError`.
    package func rowCounts(
        ofReadable isOfReadable: Bool = false, cancellation: Cancellation = Cancellation()
    ) throws -> [QualifiedTable: Int64] {
        // A policy would hide rows from us without a word; off makes it an error, as pg_dump does.
        try execute("set row_security = off")
        var counts: [QualifiedTable: Int64] = [:]
        for table in try ordinaryTables(where: isOfReadable ? Self.isReadable : "true") {
            let rows = try rows("select count(*) as n from only \(identifier: table)", cancellation: cancellation)
            counts[table] = try rows.first?.int64("n")
        }
        return counts
    }

    /// Of a relation `c` in the schema `n`: neither the server's nor a session's own.
    static let isUsers: SQL =
        "(c.relpersistence <> 't' and not starts_with(n.nspname, 'pg_') and n.nspname <> 'information_schema')"

    /// Of a relation `c`: its rows are not here, on a standby, and nobody can read it (PostgreSQL manual, CREATE TABLE, `UNLOGGED`).
    static let isAway: SQL = "(c.relpersistence = 'u' and pg_catalog.pg_is_in_recovery())"

    /// Of a table `c` in the schema `n`: all of it, not what a policy shows.
    package static let isReadable: SQL =
        """
        (pg_catalog.has_schema_privilege(n.oid, 'USAGE') and pg_catalog.has_table_privilege(c.oid, 'SELECT')
         and not pg_catalog.row_security_active(c.oid))
        """

    /// - Parameter condition: on `c`, the table, and `n`, its schema.
    /// - Throws: `PostgresError`, also for a name that is no text (SQL_ASCII).
    package func ordinaryTables(where condition: SQL = "true") throws(PostgresError) -> [QualifiedTable] {
        let found = try rows(
            """
            select n.nspname as schema, c.relname as name
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and \(Self.isUsers)
              and not exists (
                select from pg_catalog.pg_depend d
                where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
              and not \(Self.isAway) and (\(condition))
            order by 1, 2
            """)
        var tables: [QualifiedTable] = []
        for row in found {
            tables.append(QualifiedTable(schema: try row.string("schema"), name: try row.string("name")))
        }
        return tables
    }
}
