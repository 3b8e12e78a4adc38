// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

/// MLflow's tables (mlflow/store/tracking/dbmodels/models.py and its siblings, 1.0 to 3.18).
package enum MLflowTables {
    /// Tables in which no write that a client got an answer for can be lost, with the reason.
    static let machinery: [String: String] = [
        "alembic_version": "one row, the schema's revision, which a restore compares by itself",
        "alembic_version_auth": "the same for the tables of mlflow.server.auth",
        "job_locks": "which job runs exclusively at this moment; the server's own",
        "scheduler_leases": "which worker does the periodic work at this moment; the server's own",
        "latest_metrics": "the newest row of each series in `metrics`, written in the same transaction",
        "sql_assessment_daily_rollups": "a cache of sums over `assessments`, rebuilt by the server",
        "sql_span_cost_daily_rollups": "a cache of sums over `spans`, rebuilt by the server",
        "sql_trace_metric_daily_rollups": "a cache of sums over `trace_info`, rebuilt by the server",
        "sql_trace_rollup_rebuild_queue": "which days of those caches are stale",
    ]

    /// What is told first, in this order; tables that are not listed follow by name.
    static let rules: [(table: String, rule: TableRule)] = tracking + registry + tracing + gateway

    static func rule(_ table: String) -> TableRule? { byName[table] }

    private static let byName = Dictionary(rules.map { ($0.table, $0.rule) }) { first, _ in first }
    private static let places = Dictionary(rules.enumerated().map { ($0.element.table, $0.offset) }) { first, _ in first
    }

    /// Where a table stands among those that are told.
    static func place(_ table: String) -> Int { places[table] ?? Int.max }

    /// As they are told.
    static func inOrder(_ tables: some Sequence<QualifiedTable>) -> [QualifiedTable] {
        tables.sorted { one, other in
            let places = (place(one.name), place(other.name))
            return places.0 == places.1 ? one < other : places.0 < places.1
        }
    }

    private static let run = TableRule.Owner("runs", "run_uuid")
    private static let experiment = TableRule.Owner("experiments", "experiment_id")
    private static let loggedModel = TableRule.Owner("logged_models", "model_id")

    private static let tracking: [(String, TableRule)] = [
        ("workspaces", .thing("工作区", "workspace")),
        ("experiments", .thing("实验", "experiment", id: "experiment_id")),
        ("runs", .thing("运行", "run", id: "run_uuid")),
        ("logged_models", .thing("模型", "logged model", id: "model_id")),
        ("experiment_tags", .part("标签", "tag", key: "key", of: experiment)),
        ("tags", .part("标签", "tag", key: "key", of: run)),
        ("params", .part("参数", "parameter", key: "key", of: run)),
        ("metrics", .part("指标", "metrics", of: run)),
        ("datasets", .part("数据集", "dataset", key: "name", of: experiment)),
        (
            "inputs",
            TableRule(
                meaning: .part(BilingualText(zh: "输入或输出", en: "an input or output"), key: nil),
                owners: [
                    .init("runs", [("destination_id", "run_uuid")]), .init("runs", [("source_id", "run_uuid")]),
                    .init("logged_models", [("destination_id", "model_id")]),
                ])
        ),
        ("input_tags", .part("标签", "tag", key: "name", of: .init("inputs", "input_uuid"))),
        ("logged_model_tags", .part("标签", "tag", key: "tag_key", of: loggedModel)),
        ("logged_model_params", .part("参数", "parameter", key: "param_key", of: loggedModel)),
        ("logged_model_metrics", .part("指标", "metrics", of: loggedModel)),
        (
            "jobs",
            // How far the server is with a job changes by itself, all the time.
            .thing(
                "作业", "job", title: "job_name", id: "id",
                ignored: [
                    "lease_expires_at", "progress", "progress_updated_at", "token_hash", "next_attempt_at",
                    "executor_backend", "retry_count", "status_message", "status_details",
                ])
        ),
    ]

    private static let model = TableRule.Owner("registered_models", "workspace", "name")
    private static let version = TableRule.Owner("model_versions", "workspace", "name", "version")

    private static let registry: [(String, TableRule)] = [
        ("registered_models", registeredModel),
        ("model_versions", .modelPart("版本", "version", key: "version", of: model)),
        ("registered_model_aliases", .modelPart("别名", "alias", key: "alias", of: model)),
        ("registered_model_tags", .modelPart("标签", "tag", key: "key", of: model)),
        ("model_version_tags", .modelPart("标签", "tag", key: "key", of: version)),
        ("webhooks", .thing("Webhook", "webhook", id: "webhook_id")),
        ("webhook_events", .part("事件", "events", of: .init("webhooks", "webhook_id"))),
    ]

    private static let registeredModel: TableRule = {
        var rule = TableRule.thing("注册模型", "registered model")
        rule.modelName = "name"
        return rule
    }()
}
