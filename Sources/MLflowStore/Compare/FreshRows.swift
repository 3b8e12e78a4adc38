// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

/// Rows of one database that were written since a moment. Deleted rows leave nothing to find.
public final class FreshRows {
    private let session: ComparisonSession
    private let cancellation: Cancellation

    /// Opens a session in the database.
    public init(_ settings: ConnectionSettings, cancellation: Cancellation = Cancellation()) throws {
        session = try ComparisonSession(settings, cancellation)
        self.cancellation = cancellation
    }

    /// Our own server process, to be spared where the sessions of the database are ended.
    public func serverProcess() throws -> Int { try session.processID() }

    public func close() { session.connection.close() }

    /// The first transaction that has not begun yet: what it and all later ones write is fresh.
    public func moment() throws -> String {
        let rows = try session.rows("select pg_snapshot_xmax(pg_current_snapshot())::text as next")
        guard let row = rows.first else { throw PostgresError.unexpectedValue(column: "next", found: "no row") }
        return try row.string("next")
    }

    /// What was written at or after `moment`, table by table.
    /// - Parameter moment: of `moment()`, or the oldest running transaction of a snapshot (`pg_snapshot_xmin`).
    /// - Returns: `nil` where the moment is too far away to be told: half of the 2^32 numbers of transactions.
    public func written(since moment: String) throws -> StoreFindings? {
        try session.begin()
        defer { session.end() }
        return try session.namingHolders { try find(since: moment) }
    }

    /// As `written`, with every table locked against writing until `close`.
    /// - Returns: also the first transaction that had not begun.
    public func writtenLocking(since moment: String) throws -> (findings: StoreFindings?, moment: String) {
        try session.lockingTables { (try find(since: moment), try self.moment()) }
    }

    private func find(since moment: String) throws -> StoreFindings? {
        guard let since = Int64(moment), let now = Int64(try self.moment()), now >= since, now - since < 1 << 30 else {
            return nil
        }
        var findings = StoreFindings()
        let shapes = try TableShape.all(in: session)
        let schemas = Set(shapes.keys.filter { $0.name == "alembic_version" }.map(\.schema))
        for table in shapes.keys.sorted() {
            try cancellation.check()
            if schemas.contains(table.schema), MLflowTables.machinery[table.name] != nil { continue }
            let rows = try session.rows(
                """
                select count(*) as n from only \(identifier: table) t
                where age(t.xmin) <= age(\(String(since & 0xFFFF_FFFF))::xid)
                """)
            let count = try rows.first?.int64("n") ?? 0
            if count > 0 { findings.add(.fresh(table, rows: count)) }
        }
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
