// SPDX-License-Identifier: Apache-2.0

import Postgres
import SQLite
import SystemIO

extension StoreSurvey {
    /// Surveys a database of SQLite: the same values as of one of PostgreSQL with the same rows.
    /// - Parameter connection: of the copy that a backup holds, so that the numbers are the backup's own; in a transaction, where
    ///   somebody may write meanwhile.
    /// - Throws: `SQLiteError`, `CancelledError`.
    package init(_ connection: SQLiteConnection, cancellation: Cancellation = Cancellation()) throws {
        self = try connection.heeding(cancellation) {
            var rows: [QualifiedTable: Int64] = [:]
            for name in try SQLiteShapes.tables(in: "main", of: connection) {
                let count = try connection.run("SELECT count(*) FROM main.\(name.sqliteQuoted)").first?[0].integer
                rows[QualifiedTable(schema: SQLiteShapes.schema, name: name)] = count ?? 0
            }
            let named = QualifiedTable.byDistinctName(rows)
            return StoreSurvey(
                revision: try Self.revision(on: connection), rows: named, newest: try Self.newest(named, connection))
        }
    }

    /// `alembic_version.version_num` alone; `nil` where MLflow never set this database up.
    package static func revision(on connection: SQLiteConnection) throws -> String? {
        guard try SQLiteShapes.tables(in: "main", of: connection).contains("alembic_version") else { return nil }
        return try connection.run("SELECT version_num FROM main.alembic_version").first?[0].text
    }

    /// MLflow's tables differ between versions: only the columns that exist are asked for.
    private static func newest(
        _ tables: [String: Int64], _ connection: SQLiteConnection
    ) throws(SQLiteError) -> [String: Int64] {
        var newest: [String: Int64] = [:]
        for (table, column) in birthColumns where tables["\(SQLiteShapes.schema).\(table)", default: 0] > 0 {
            let known = try connection.run(
                "SELECT 1 FROM pragma_table_xinfo(?, 'main') WHERE name = ?", [.text(table), .text(column)])
            guard !known.isEmpty else { continue }
            let moment = try connection.run("SELECT max(\(column.sqliteQuoted)) FROM main.\(table.sqliteQuoted)")
                .first?[0]
            if let moment = moment?.integer { newest["\(SQLiteShapes.schema).\(table).\(column)"] = moment }
        }
        return newest
    }
}

extension StoreSurvey {
    /// As `filesSpokenOf(in:on:)` of PostgreSQL.
    /// - Throws: `SQLiteError`, `DatabaseFileError.silent`.
    package static func filesSpokenOf(
        in artifacts: FilePath, database path: FilePath
    ) throws -> (files: Int64, runs: Int64) {
        try SQLiteQuestions.ask(path, atMost: 10) { questions in
            let places = ["mlflow-artifacts:", "\(artifacts)/", "file://\(artifacts)/"]
            func isHere(_ column: String) -> String {
                places.map { "substr(\(column), 1, \($0.unicodeScalars.count)) = \($0.sqliteLiteral)" }
                    .joined(separator: " OR ")
            }
            let models =
                questions.has("logged_models", "artifact_location", "lifecycle_stage")
                ? try questions.count(
                    """
                    SELECT count(*) FROM logged_models
                    WHERE lifecycle_stage = 'active' AND (\(isHere("artifact_location")))
                    """) : 0
            let tagged =
                questions.has("runs", "run_uuid", "artifact_uri", "lifecycle_stage")
                    && questions.has("tags", "run_uuid", "key")
                ? try questions.count(
                    """
                    SELECT count(*) FROM tags JOIN runs USING (run_uuid)
                    WHERE key IN ('mlflow.log-model.history', 'mlflow.loggedArtifacts') AND lifecycle_stage = 'active'
                    AND (\(isHere("artifact_uri")))
                    """) : 0
            let runs = questions.has("runs", "run_uuid") ? try questions.count("SELECT count(*) FROM runs") : 0
            return (models.adding(clamped: tagged), runs)
        }
    }
}
