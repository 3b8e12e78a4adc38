// SPDX-License-Identifier: Apache-2.0

import Postgres
import SQLite
import SystemIO

/// Tells what a live database of SQLite has that the restored one, which would take its place, lacks or has otherwise: the same
/// findings, by the same rules, as `StoreComparison` of PostgreSQL. Both files are on one connection, and exact: every row is read.
package struct SQLiteComparison {
    private let connection: SQLiteConnection
    private let cancellation: Cancellation

    /// - Parameter held: a live database that nobody can write to, beside the restored one, during an exchange.
    package init(_ held: HeldDatabase, cancellation: Cancellation = Cancellation()) {
        connection = held.connection
        self.cancellation = cancellation
    }

    /// - Parameters:
    ///   - live: a copy of the live database, or itself: then whoever writes to one with a rollback journal waits.
    ///   - restored: what would take its place.
    /// - Throws: `SQLiteError`.
    package init(live: FilePath, restored: FilePath, cancellation: Cancellation = Cancellation()) throws(SQLiteError) {
        connection = try SQLiteConnection(live, as: .live, .readWrite, busyTimeout: 10_000)
        try connection.attach(restored, as: Exchange.attached)
        self.cancellation = cancellation
    }

    /// Compares every table, at one moment.
    /// - Throws: `SQLiteError`, `CancelledError`.
    package func findings(progress: StoreComparison.ProgressSink = { _, _, _ in }) throws -> StoreFindings {
        guard !connection.isInTransaction else { return try compare(progress) }
        try connection.run("BEGIN")
        // Nothing was written.
        defer { connection.rollBack() }
        return try compare(progress)
    }

    private func compare(_ progress: StoreComparison.ProgressSink) throws -> StoreFindings {
        try connection.heeding(cancellation) {
            let live = try SQLiteSource(connection, "main")
            let restored = try SQLiteSource(connection, Exchange.attached)
            let own = MLflowTables.own(among: live.shapes)
            let tables = MLflowTables.inOrder(live.shapes.keys)
            var findings = StoreFindings()
            for (done, table) in tables.enumerated() {
                progress(done, tables.count, table.description)
                try cancellation.check()
                findings.add(try self.findings(table, isMLflows: own.contains(table), live, restored))
            }
            return findings
        }
    }

    private func findings(
        _ name: QualifiedTable, isMLflows: Bool, _ live: SQLiteSource, _ restored: SQLiteSource
    ) throws -> StoreFindings {
        var findings = StoreFindings()
        if isMLflows, MLflowTables.machinery[name.name] != nil { return findings }
        guard let shape = live.shapes[name] else { return findings }
        guard let stored = restored.shapes[name] else {
            let rows = try connection.run("SELECT count(*) FROM main.\(name.name.sqliteQuoted)").first?[0].integer ?? 0
            if rows > 0 { findings.add(.unknown(name, rows: rows)) }
            return findings
        }
        let table = ComparedTable(live: shape, restored: stored, rule: isMLflows ? MLflowTables.rule(name.name) : nil)
        for column in table.unknownColumns { findings.add(.unknown(column, in: name)) }
        let differences = try SQLiteDifferences(table, live: live, restored: restored)
        findings.add(
            try TableComparison(table: table, live: live, restored: restored).findings { try differences.next() })
        return findings
    }
}
