// SPDX-License-Identifier: Apache-2.0

extension Suspicion {
    /// Tables of MLflow that hold what people made, and that none of its own work empties. Spans are not among them: archiving moves
    /// them into files.
    private static let tables: Set<String> = [
        "experiments", "runs", "metrics", "latest_metrics", "params", "tags", "inputs", "datasets", "registered_models",
        "model_versions", "logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics",
        "trace_info",
        "trace_tags",
    ]
    /// Fewer rows than this a person may well have deleted.
    private static let fewestRows: Int64 = 100

    /// One table of many that had rows in the backup before and has none. A rewrite of the table (`ALTER … TYPE`, as
    /// `mlflow db upgrade` does it) that ends at the wrong moment looks like that (PostgreSQL manual, 13.6 "Caveats").
    ///
    /// The backup before is asked, and not the largest: what was empty in a good one is no news.
    static func emptied(_ rows: [String: Int64], since before: Measuring?) -> Suspicion? {
        let empty = rows.filter { $0.value == 0 && isMLflows($0.key, among: rows) }
        guard !empty.isEmpty, let before else { return nil }
        let then = before.manifest()?.database.rows ?? [:]
        return empty.keys.compactMap { table in
            then[table].flatMap { $0 < fewestRows ? nil : (table, $0) }
        }
        .max { ($0.1, $1.0) < ($1.1, $0.0) }
        .map { table, rows in
            Suspicion(measure: .rows, found: 0, expected: rows, than: before.name, table: table)
        }
    }

    /// Whether a table is one of these, and not another program's that has the name, too.
    private static func isMLflows(_ table: String, among rows: [String: Int64]) -> Bool {
        guard let dot = table.lastIndex(of: ".") else { return false }
        return tables.contains(String(table[table.index(after: dot)...]))
            && rows["\(table[..<dot]).alembic_version"] != nil
    }
}
