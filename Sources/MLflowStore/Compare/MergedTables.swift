// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// One table of two databases of PostgreSQL, read side by side at the moment that both sessions look at.
struct MergedTables {
    let table: ComparedTable
    let live: RowLookup
    let restored: RowLookup
    let cancellation: Cancellation

    /// - Parameter buckets: those whose digests differ.
    func findings(in buckets: [Int]) throws -> StoreFindings {
        let condition = table.condition(buckets: buckets)
        return try findings((condition, condition))
    }

    /// Compares only the rows that were written since; for few of them.
    func findings(writtenSince transaction: Int64) throws -> StoreFindings {
        let fresh = ComparedTable.condition(writtenSince: transaction)
        let columns = table.live.key.map { column -> SQL in "t.\(identifier: column)::text" }
        var keys: [[String]] = []
        for row in try live.session.rows(
            "select \(SQL.list(columns)) from only \(identifier: table.live.table) t\(fresh)")
        {
            keys.append(try columns.indices.map { try row.string(.position($0)) })
        }
        return try findings((fresh, table.condition(keys: keys)))
    }

    private func findings(_ conditions: (live: SQL, restored: SQL)) throws -> StoreFindings {
        var merge = try RowMerge(
            table, conditions, live: live.session.connection, restored: restored.session.connection,
            cancellation: cancellation)
        let findings = try TableComparison(table: table, live: live, restored: restored).findings { try merge.next() }
        try merge.close()
        return findings
    }
}
