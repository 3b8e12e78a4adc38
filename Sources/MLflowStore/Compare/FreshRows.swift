// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

/// Rows of one database that were written since a moment. Deleted rows leave nothing to find.
package final class FreshRows {
    private let session: ComparisonSession
    private let cancellation: Cancellation

    /// Opens a session in the database.
    package init(_ settings: ConnectionSettings, cancellation: Cancellation = Cancellation()) throws {
        session = try ComparisonSession(settings, cancellation)
        self.cancellation = cancellation
    }

    /// Our own server process, to be spared where the sessions of the database are ended.
    package func serverProcess() throws -> Int { try session.processID() }

    /// That the session, with what it has locked, is still there.
    /// - Throws: `PostgresError.connectionLost`.
    package func confirm() throws(PostgresError) { try session.confirm() }

    package func close() { session.connection.close() }

    /// The first transaction that has not begun yet: what it and all later ones write is fresh.
    package func moment() throws -> String {
        let rows = try session.rows("select pg_snapshot_xmax(pg_current_snapshot())::text as next")
        guard let row = rows.first else { throw PostgresError.unexpectedValue(column: "next", found: "no row") }
        return try row.string("next")
    }

    /// What was written at or after `moment`, table by table.
    /// - Parameter moment: of `moment()`, or the oldest running transaction of a snapshot (`pg_snapshot_xmin`).
    /// - Returns: `nil` where the moment is too far away to be told: half of the 2^32 numbers of transactions.
    package func written(since moment: String) throws -> StoreFindings? {
        try session.begin()
        defer { session.end() }
        return try session.namingHolders { try find(since: moment) }
    }

    /// As `written`, with every table locked against writing until `close`.
    /// - Returns: also the first transaction that had not begun.
    package func writtenLocking(since moment: String) throws -> (findings: StoreFindings?, moment: String) {
        try session.lockingTables { (try find(since: moment), try self.moment()) }
    }

    /// Rows that no dump holds, of extensions' tables and of those among the server's own, whenever they were written; none that the extension itself made.
    /// - Parameter live: the database in which an extension's own rows are to be found, too.
    package func inNoDump(beside live: ConnectionSettings) throws -> StoreFindings {
        try session.begin()
        defer { session.end() }
        var others: UndumpedRows.Others?
        defer { others?.close() }
        return try session.namingHolders {
            var findings = StoreFindings()
            for (_, shape) in try TableShape.all(in: session).sorted(by: { $0.key < $1.key }) {
                guard let rows = UndumpedRows(of: shape, in: session) else { continue }
                try cancellation.check()
                findings.add(
                    try rows.findings {
                        if others == nil { others = UndumpedRows.Others(live, cancellation) }
                        return others
                    })
            }
            findings.add(try HiddenTables(session).findings())
            return findings
        }
    }

    private func find(since moment: String) throws -> StoreFindings? {
        guard let since = Int64(moment), let now = Int64(try self.moment()), now >= since,
            now.subtracting(clamped: since) < 1 << 30
        else {
            return nil
        }
        var findings = StoreFindings()
        let shapes = try TableShape.all(in: session)
        let own = MLflowTables.own(among: shapes)
        for table in shapes.keys.sorted() {
            try cancellation.check()
            if own.contains(table), MLflowTables.machinery[table.name] != nil { continue }
            let rows = try session.rows(
                """
                select count(*) as n from only \(identifier: table) t
                where age(t.xmin) <= age(\(String(since & 0xFFFF_FFFF))::xid)
                """)
            let count = try rows.first?.int64("n") ?? 0
            if count > 0 { findings.add(.fresh(table, rows: count)) }
        }
        findings.add(try HiddenTables(session).findings())
        findings.add(try LargeObjects(session).written(since: Int64(since & 0xFFFF_FFFF)))
        return findings
    }
}

extension StoreFinding {
    fileprivate static func fresh(_ table: QualifiedTable, rows: Int64) -> StoreFinding {
        StoreFinding(
            .changed, table: table.description,
            BilingualText(
                zh: "表 \(table) 有 \(rows) 行是之后写入的", en: "\(rows) rows of table \(table) were written since"))
    }
}
