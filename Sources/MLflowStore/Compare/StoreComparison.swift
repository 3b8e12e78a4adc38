// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// Tells what a live database has that the restored one, which would take its place, lacks or has otherwise.
///
/// `first` reads everything while clients go on writing. `last`, once nobody can write any more, looks only at what was
/// written since. One thread at a time.
package final class StoreComparison {
    /// How far a comparison is: `done` of `all` tables, and the one that is next.
    package typealias ProgressSink = (_ done: Int, _ all: Int, _ table: String) -> Void

    let live: ComparisonSession
    private let restored: ComparisonSession
    private let cancellation: Cancellation
    /// The oldest transaction that `first` may not have seen, of 64 bits.
    private var unseen: Int64?
    private var results: [QualifiedTable: TableResult] = [:]
    /// What was found of large objects.
    private var objects: StoreFindings?

    private struct TableResult {
        let shape: TableShape
        /// Nothing in this table can be lost.
        var isMachinery = false
        var rows: Int64 = 0
        var findings = StoreFindings()
        /// Of the restored table, which does not change.
        var restoredDigests: [Int: String]?
    }

    /// Opens both sessions. They go on working when a database is closed to new ones (ALLOW_CONNECTIONS).
    /// - Throws: `PostgresError`.
    package init(
        live: ConnectionSettings, restored: ConnectionSettings, cancellation: Cancellation = Cancellation()
    ) throws {
        self.live = try ComparisonSession(live, cancellation)
        self.restored = try ComparisonSession(restored, cancellation)
        self.cancellation = cancellation
    }

    /// The server processes of our own sessions, to be spared where the sessions of a database are ended.
    package func serverProcesses() throws -> [Int] {
        try [live, restored].map { try $0.processID() }
    }

    /// That the live session, with what it has locked, is still there.
    /// - Throws: `PostgresError.connectionLost`.
    package func confirm() throws(PostgresError) { try live.confirm() }

    /// Ends both sessions; a database with one of them in it cannot be renamed.
    package func close() {
        live.connection.close()
        restored.connection.close()
    }

    /// Compares every table, at one moment of the live database.
    /// - Throws: `PostgresError`, or `CancelledError`.
    @discardableResult
    package func first(progress: ProgressSink = { _, _, _ in }) throws -> StoreFindings {
        results = [:]
        objects = nil
        unseen = nil
        return try live.namingHolders { try compare(progress) }
    }

    /// Compares again what may have been written since `first`. Everything a transaction wrote that `first` could not
    /// see is found by the transaction's number in its rows; deletions by the number of rows.
    /// - Throws: `PostgresError`, or `CancelledError`.
    @discardableResult
    package func last(progress: ProgressSink = { _, _, _ in }) throws -> StoreFindings {
        try live.namingHolders { try compare(progress) }
    }

    /// - Parameter inTransaction: the live session has begun, and the caller ends it.
    func compare(_ progress: ProgressSink, inTransaction: Bool = false) throws -> StoreFindings {
        if !inTransaction { try live.begin() }
        defer { if !inTransaction { live.end() } }
        try restored.begin()
        defer { restored.end() }
        let snapshot = try snapshot()
        let shapes = try TableShape.all(in: live)
        let stored = try TableShape.all(in: restored)
        let own = MLflowTables.own(among: shapes)
        let tables = MLflowTables.inOrder(shapes.keys)
        var next: [QualifiedTable: TableResult] = [:]
        var findings = StoreFindings()
        for (done, table) in tables.enumerated() {
            progress(done, tables.count, table.description)
            guard let shape = shapes[table] else { continue }
            let known = results[table]
            let result: TableResult
            if let known, known.shape == shape, let changes = try changes(known, snapshot) {
                result = try compare(known, changes, stored[table], own.contains(table), (shapes, stored))
            } else {
                result = try compare(
                    shape, stored[table], isMLflows: own.contains(table),
                    digests: known?.restoredDigests, (shapes, stored))
            }
            next[table] = result
            findings.add(result.findings)
        }
        findings.add(try HiddenTables(live).findings())
        let objects = try largeObjects()
        findings.add(objects)
        // Only now: what fails half-way leaves the last whole comparison to build on.
        if unseen == nil { unseen = snapshot.oldest }
        results = next
        self.objects = objects
        return findings
    }

    private func largeObjects() throws -> StoreFindings {
        let all = LargeObjects(live)
        if let objects, objects.isEmpty, let unseen, try all.areUnchanged(since: unseen) { return objects }
        return try all.findings(against: LargeObjects(restored), cancellation)
    }

    /// - Returns: the oldest transaction that this snapshot may not see, and the first that was not begun yet.
    private func snapshot() throws -> (oldest: Int64, next: Int64) {
        let rows = try live.rows(
            """
            select pg_snapshot_xmin(s)::text as oldest, pg_snapshot_xmax(s)::text as next
            from (select pg_current_snapshot() as s) q
            """)
        guard let row = rows.first else { throw PostgresError.unexpectedValue(column: "oldest", found: "no row") }
        return (try row.int64("oldest"), try row.int64("next"))
    }

    /// How many rows there are, and how many of them `first` may not have seen: too many rather than too few.
    /// - Returns: `nil` where that cannot be told.
    private func changes(
        _ known: TableResult, _ snapshot: (oldest: Int64, next: Int64)
    ) throws -> (rows: Int64, fresh: Int64)? {
        // Rows have 32 bits of a transaction's number; numbers further apart than half of that cannot be told.
        guard let unseen, snapshot.next.subtracting(clamped: unseen) < 1 << 30 else { return nil }
        if known.isMachinery { return (known.rows, 0) }
        let counts = try live.rows(
            """
            select count(*) as n, count(*) filter (\(ComparedTable.condition(writtenSince: unseen))) as fresh
            from only \(identifier: known.shape.table) t
            """)
        return try counts.first.map { (try $0.int64("n"), try $0.int64("fresh")) }
    }

    /// A table that was compared before. Rows that are not fresh are those that were compared then.
    private func compare(
        _ known: TableResult, _ changes: (rows: Int64, fresh: Int64), _ stored: TableShape?, _ isMLflows: Bool,
        _ shapes: (live: [QualifiedTable: TableShape], restored: [QualifiedTable: TableShape])
    ) throws -> TableResult {
        if changes == (known.rows, 0) { return known }
        var result = known
        result.rows = changes.rows
        if changes.fresh == 0, known.findings.isEmpty { return result }
        if let unseen, let stored, known.findings.isEmpty, changes.fresh <= Self.fewRows {
            let rule = isMLflows ? MLflowTables.rule(known.shape.table.name) : nil
            let table = ComparedTable(live: known.shape, restored: stored, rule: rule)
            if !table.key.isEmpty {
                let comparison = MergedTables(
                    table: table, live: RowLookup(session: live, shapes: shapes.live),
                    restored: RowLookup(session: restored, shapes: shapes.restored), cancellation: cancellation)
                result.findings = try comparison.findings(writtenSince: unseen)
                return result
            }
        }
        return try compare(known.shape, stored, isMLflows: isMLflows, digests: known.restoredDigests, shapes)
    }

    /// Up to as many rows are looked up one by one.
    private static let fewRows = 2000

    private func compare(
        _ shape: TableShape, _ stored: TableShape?, isMLflows: Bool, digests: [Int: String]?,
        _ shapes: (live: [QualifiedTable: TableShape], restored: [QualifiedTable: TableShape])
    ) throws -> TableResult {
        let name = shape.table.name
        var result = TableResult(shape: shape)
        if isMLflows, MLflowTables.machinery[name] != nil {
            result.isMachinery = true
            return result
        }
        guard let stored else {
            let rows = try live.rows("select count(*) as n from only \(identifier: shape.table)")
            result.rows = try rows.first?.int64("n") ?? 0
            if result.rows > 0 { result.findings.add(.unknown(shape.table, rows: result.rows)) }
            return result
        }
        let table = ComparedTable(live: shape, restored: stored, rule: isMLflows ? MLflowTables.rule(name) : nil)
        let before = results[shape.table]?.shape == shape ? digests : nil
        let sums = try Digests(table, live, restored, restoredBefore: before, cancellation)
        result.rows = sums.liveRows
        result.restoredDigests = sums.restored
        for column in table.unknownColumns { result.findings.add(.unknown(column, in: shape.table)) }
        let differing = sums.differing
        if !differing.isEmpty {
            let comparison = MergedTables(
                table: table, live: RowLookup(session: live, shapes: shapes.live),
                restored: RowLookup(session: restored, shapes: shapes.restored), cancellation: cancellation)
            result.findings.add(try comparison.findings(in: differing))
        }
        return result
    }
}
