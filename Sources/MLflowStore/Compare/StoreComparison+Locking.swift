// SPDX-License-Identifier: Apache-2.0

import Postgres

extension StoreComparison {
    /// As `last`, with every table of the live database locked against writing, and they stay locked when it returns: until
    /// `close`, what it found is all there is.
    /// - Returns: also the first transaction that had not begun: what it and later ones write was not compared.
    /// - Throws: `PostgresError`, also `tablesInUse`; `CancelledError`.
    package func lastLocking(
        progress: ProgressSink = { _, _, _ in }
    ) throws -> (findings: StoreFindings, moment: String) {
        try live.lockingTables {
            let findings = try compare(progress, inTransaction: true)
            let rows = try live.rows("select pg_snapshot_xmax(pg_current_snapshot())::text as next")
            guard let row = rows.first else { throw PostgresError.unexpectedValue(column: "next", found: "no row") }
            return (findings, try row.string("next"))
        }
    }
}
