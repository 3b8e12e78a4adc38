// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

extension StoreSurvey {
    /// Surveys through a snapshot that a dump uses too, so that the numbers are the dump's own.
    /// - Parameter isOfReadable: leaves out what this role may not read, or not all of, on which a dump fails.
    /// - Throws: `PostgresError`, `CancelledError`.
    package init(
        _ snapshot: ExportedSnapshot, ofReadable isOfReadable: Bool = false,
        cancellation: Cancellation = Cancellation()
    ) throws {
        let rows = QualifiedTable.byDistinctName(
            try snapshot.rowCounts(ofReadable: isOfReadable, cancellation: cancellation))
        let query = { (sql: SQL) in try snapshot.rows(sql, cancellation: cancellation) }
        let schema = try snapshot.withSession { session throws(PostgresError) in try StoreSchema(on: session).name }
        guard let schema else {
            self.init(revision: nil, rows: rows, newest: [:])
            return
        }
        self.init(
            revision: try Self.revision(schema, rows, query), rows: rows,
            newest: try Self.newest(schema, rows, query), schema: schema)
    }

    /// How much the tables speak of files that lie with us: logged models, and runs with a tag that MLflow's client sets beside a file
    /// that it logs (`mlflow/utils/mlflow_tags.py`). Metrics and parameters have no files, and of `log_artifact` alone no table
    /// knows. Who holds a table is waited for a second.
    /// - Parameter artifacts: the folder, as the server names it where it does not proxy (`mlflow-artifacts:`).
    /// - Returns: the number of them, and that of all runs, deleted ones, too.
    package static func filesSpokenOf(
        in artifacts: FilePath, on session: Connection
    ) throws(PostgresError) -> (files: Int64, runs: Int64) {
        try session.execute("set lock_timeout = '1s'")
        guard let schema = try StoreSchema(on: session).name else { return (0, 0) }
        func table(_ name: String) -> QualifiedTable { QualifiedTable(schema: schema, name: name) }
        let places = ["mlflow-artifacts:", "\(artifacts)/", "file://\(artifacts)/"]
        func count(_ name: String, _ columns: [String], _ query: SQL) throws(PostgresError) -> Int64 {
            let known = try session.rows(
                """
                select from pg_catalog.pg_attribute where attrelid = pg_catalog.to_regclass(\(table(name).description))
                and attname = any(\(columns))
                """)
            guard known.count == columns.count else { return 0 }
            return try session.rows("select count(*) from \(query)").first?.int64(0) ?? 0
        }
        let models = try count(
            "logged_models", ["artifact_location", "lifecycle_stage"],
            """
            \(identifier: table("logged_models")) where lifecycle_stage = 'active'
            and exists (select from unnest(\(places)::text[]) place where starts_with(artifact_location, place))
            """)
        let tagged = try count(
            "runs", ["artifact_uri", "lifecycle_stage"],
            """
            \(identifier: table("tags")) join \(identifier: table("runs")) using (run_uuid)
            where key in ('mlflow.log-model.history', 'mlflow.loggedArtifacts') and lifecycle_stage = 'active'
            and exists (select from unnest(\(places)::text[]) place where starts_with(artifact_uri, place))
            """)
        return (models + tagged, try count("runs", ["run_uuid"], "\(identifier: table("runs"))"))
    }

    /// `alembic_version.version_num` alone; `nil` where MLflow never set this database up.
    package static func revision(of settings: ConnectionSettings) throws -> String? {
        let session = try Connection(settings)
        defer { session.close() }
        guard let schema = try StoreSchema(on: session).name else { return nil }
        // A migration holds it for as long as it lasts.
        try session.execute("set lock_timeout = '\(number: Int(settings.patience * 1000))ms'")
        do throws(PostgresError) {
            return try session.rows(revisionQuery(schema)).first?.string(0)
        } catch {
            throw error.namingHolders(in: settings, seconds: settings.patience)
        }
    }

    private static func revisionQuery(_ schema: String) -> SQL {
        "select version_num from \(identifier: QualifiedTable(schema: schema, name: "alembic_version"))"
    }

    private static func revision(
        _ schema: String, _ tables: [String: Int64], _ query: (SQL) throws -> [Row]
    ) throws -> String? {
        // One that this role may not read is not counted.
        guard tables[QualifiedTable(schema: schema, name: "alembic_version").description] != nil else { return nil }
        return try query(revisionQuery(schema)).first?.string(0)
    }

    /// MLflow's tables differ between versions: only the columns that exist are asked for.
    private static func newest(
        _ schema: String, _ tables: [String: Int64], _ query: (SQL) throws -> [Row]
    ) throws -> [String: Int64] {
        let existing = try query(
            """
            SELECT table_name::text, column_name::text FROM information_schema.columns
            WHERE table_schema = \(schema) AND data_type IN ('bigint', 'integer')
            """)
        var columns = Set<String>()
        for row in existing { columns.insert("\(try row.string(0)).\(try row.string(1))") }
        var newest: [String: Int64] = [:]
        for (name, column) in birthColumns {
            let table = QualifiedTable(schema: schema, name: name)
            guard columns.contains("\(name).\(column)"), tables[table.description, default: 0] > 0 else { continue }
            let rows = try query("SELECT max(\(identifier: column))::bigint FROM \(identifier: table)")
            if let moment = try rows.first?.optional(0, as: Int64.self) { newest["\(table).\(column)"] = moment }
        }
        return newest
    }
}
