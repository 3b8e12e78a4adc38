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
        self.init(revision: try Self.revision(rows, query), rows: rows, newest: try Self.newest(rows, query))
    }

    /// Whether MLflow ever set this database up, without a lock on anything.
    package static func isThere(on session: Connection) throws(PostgresError) -> Bool {
        try !session.rows(
            "select from pg_catalog.pg_class where oid = pg_catalog.to_regclass('public.alembic_version')"
        ).isEmpty
    }

    /// Schemas but `public` in which MLflow's tables are: its database or role can have a `search_path` that leads there.
    package static func schemasElsewhere(_ query: (SQL) throws -> [Row]) throws -> [String] {
        try query(
            """
            select n.nspname::text as schema from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relname in ('alembic_version', 'experiments', 'runs', 'metrics') and c.relkind in ('r', 'p')
              and n.nspname <> 'public'
            group by 1 having count(*) = 4 order by 1
            """
        ).map { try $0.string("schema") }
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
        let places = ["mlflow-artifacts:", "\(artifacts)/", "file://\(artifacts)/"]
        func count(_ table: String, _ columns: [String], _ query: SQL) throws(PostgresError) -> Int64 {
            let known = try session.rows(
                """
                select from pg_catalog.pg_attribute where attrelid = pg_catalog.to_regclass(\("public.\(table)"))
                and attname = any(\(columns))
                """)
            guard known.count == columns.count else { return 0 }
            return try session.rows("select count(*) from \(query)").first?.int64(0) ?? 0
        }
        let models = try count(
            "logged_models", ["artifact_location", "lifecycle_stage"],
            """
            public.logged_models where lifecycle_stage = 'active'
            and exists (select from unnest(\(places)::text[]) place where starts_with(artifact_location, place))
            """)
        let tagged = try count(
            "runs", ["artifact_uri", "lifecycle_stage"],
            """
            public.tags join public.runs using (run_uuid)
            where key in ('mlflow.log-model.history', 'mlflow.loggedArtifacts') and lifecycle_stage = 'active'
            and exists (select from unnest(\(places)::text[]) place where starts_with(artifact_uri, place))
            """)
        return (models + tagged, try count("runs", ["run_uuid"], "public.runs"))
    }

    /// `alembic_version.version_num` alone; `nil` where MLflow never set this database up.
    package static func revision(of settings: ConnectionSettings) throws -> String? {
        let session = try Connection(settings)
        defer { session.close() }
        guard try isThere(on: session) else { return nil }
        // A migration holds it for as long as it lasts.
        try session.execute("set lock_timeout = '\(number: Int(settings.patience * 1000))ms'")
        do throws(PostgresError) {
            return try session.rows("select version_num from public.alembic_version").first?.string(0)
        } catch {
            throw error.namingHolders(in: settings, seconds: settings.patience)
        }
    }

    private static func revision(_ tables: [String: Int64], _ query: (SQL) throws -> [Row]) throws -> String? {
        guard tables["public.alembic_version"] != nil else { return nil }
        return try query("SELECT version_num FROM public.alembic_version").first?.string(0)
    }

    /// MLflow's tables differ between versions: only the columns that exist are asked for.
    private static func newest(_ tables: [String: Int64], _ query: (SQL) throws -> [Row]) throws -> [String: Int64] {
        let existing = try query(
            """
            SELECT table_name::text, column_name::text FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type IN ('bigint', 'integer')
            """)
        var columns = Set<String>()
        for row in existing { columns.insert("\(try row.string(0)).\(try row.string(1))") }
        var newest: [String: Int64] = [:]
        for (table, column) in birthColumns
        where columns.contains("\(table).\(column)") && tables["public.\(table)", default: 0] > 0 {
            let rows = try query("SELECT max(\(identifier: column))::bigint FROM public.\(identifier: table)")
            if let moment = try rows.first?.optional(0, as: Int64.self) { newest["public.\(table).\(column)"] = moment }
        }
        return newest
    }
}
