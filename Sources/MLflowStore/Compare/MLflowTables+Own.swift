// SPDX-License-Identifier: Apache-2.0

import Postgres

/// Other programs have tables of these names, too: in a schema of their own, or beside those of an MLflow that is too old to have
/// them. What is MLflow's is known by its neighbours and its columns.
extension MLflowTables {
    /// - Parameter shapes: of a database, all.
    static func own(among shapes: [QualifiedTable: TableShape]) -> Set<QualifiedTable> {
        func has(_ columns: [String], _ table: QualifiedTable) -> Bool {
            shapes[table].map { $0.membership == nil && columns.allSatisfy($0.columns.contains) } ?? false
        }
        let schemas = Set(shapes.keys.map(\.schema)).filter { schema in
            core.allSatisfy { name, columns in has(columns, QualifiedTable(schema: schema, name: name)) }
        }
        return Set(shapes.keys.filter { schemas.contains($0.schema) && has(columns(of: $0.name), $0) })
    }

    /// Names of `core`.
    package static let coreNames = Set(core.map(\.table))

    /// What every MLflow has had since 1.0.
    private static let core: [(table: String, columns: [String])] = [
        ("alembic_version", ["version_num"]), ("experiments", ["experiment_id", "name", "lifecycle_stage"]),
        ("runs", ["run_uuid", "experiment_id"]), ("metrics", ["key", "value", "timestamp", "run_uuid"]),
    ]

    /// Columns that a table of this name has where it is MLflow's: those that its rule speaks of, and such as another program's
    /// would hardly have. Keys got `workspace` in between.
    private static func columns(of table: String) -> [String] {
        var columns = telling[table] ?? []
        guard let rule = rule(table) else { return columns }
        columns += rule.subject.filter { $0 != "workspace" }
        // A name of its own some things got, or got anew, later.
        if case .thing(_, let title, let id) = rule.meaning { columns += [id ?? title].compactMap { $0 } }
        return columns
    }

    private static let telling: [String: [String]] = [
        "alembic_version": ["version_num"],
        "alembic_version_auth": ["version_num"],
        "job_locks": ["lock_key", "job_id", "acquired_at"],
        "scheduler_leases": ["lease_key", "acquired_at", "ttl_seconds"],
        "latest_metrics": ["key", "value", "timestamp", "run_uuid"],
        "sql_assessment_daily_rollups": ["experiment_id", "rollup_day", "grouping_set", "sample_count"],
        "sql_span_cost_daily_rollups": ["experiment_id", "rollup_day", "grouping_set", "sample_count"],
        "sql_trace_metric_daily_rollups": ["experiment_id", "rollup_day", "grouping_set", "sample_count"],
        "sql_trace_rollup_rebuild_queue": ["experiment_id", "rollup_day", "rollup_family"],
        "workspaces": ["default_artifact_root"],
        "inputs": ["source_type", "source_id", "destination_type", "destination_id"],
        "entity_associations": ["source_type", "source_id", "destination_type", "destination_id"],
        "datasets": ["dataset_uuid", "digest"],
        "jobs": ["params", "timeout", "retry_count"],
        "trace_info": ["experiment_id", "timestamp_ms", "execution_time_ms", "status"],
        "registered_models": ["creation_time"],
        "model_versions": ["source", "current_stage"],
        "webhooks": ["deleted_timestamp", "url"],
        "evaluation_datasets": ["profile", "digest"],
        "label_schemas": ["experiment_id", "instruction"],
        "mcp_servers": ["icons"],
        "mcp_server_versions": ["server_json"],
        "issue_categories": ["category_hash"],
        "skills": ["organization", "icons", "search_text"],
        "skill_versions": ["source_type", "digest"],
    ]
}
