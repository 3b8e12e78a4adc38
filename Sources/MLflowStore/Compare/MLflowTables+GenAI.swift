// SPDX-License-Identifier: Apache-2.0

import Wording

/// The tables that came with MLflow 3.
extension MLflowTables {
    private static let trace = TableRule.Owner("trace_info", "request_id")
    private static let spanTrace = TableRule.Owner("trace_info", [("trace_id", "request_id")])
    private static let dataset = TableRule.Owner("evaluation_datasets", "dataset_id")
    private static let queue = TableRule.Owner("review_queues", "queue_id")
    private static let scorer = TableRule.Owner("scorers", "scorer_id")

    static let tracing: [(String, TableRule)] = [
        ("trace_info", .thing("追踪", "trace", title: "trace_name", id: "request_id")),
        ("assessments", .part("评估", "assessment", key: "name", of: spanTrace)),
        ("trace_tags", .part("标签", "tag", key: "key", of: trace)),
        ("trace_request_metadata", .part("元数据", "metadata", key: "key", of: trace)),
        ("trace_metrics", .part("指标", "metrics", of: trace)),
        ("spans", .part("跨度", "spans", of: spanTrace)),
        ("span_metrics", .part("跨度指标", "span metrics", of: spanTrace)),
        (
            "evaluation_datasets",
            // MLflow sums up the records there, also after some were deleted.
            .thing("评估数据集", "evaluation dataset", id: "dataset_id", ignored: ["profile", "schema", "digest"])
        ),
        ("evaluation_dataset_records", .part("记录", "records", of: dataset)),
        ("evaluation_dataset_tags", .part("标签", "tag", key: "key", of: dataset)),
        ("entity_associations", link),
        ("issues", .thing("问题", "issue", id: "issue_id")),
        ("issue_categories", .part("类别", "category", key: "category", of: .init("issues", "issue_id"))),
        ("label_schemas", .thing("标注模式", "label schema", id: "schema_id")),
        ("review_queues", .thing("审阅队列", "review queue", id: "queue_id")),
        ("review_queue_items", .part("条目", "items", of: queue)),
        ("review_queue_users", .part("成员", "users", of: queue)),
        ("review_queue_label_schemas", .part("标注模式", "label schemas", of: queue)),
        ("scorers", .thing("评分器", "scorer", title: "scorer_name", id: "scorer_id")),
        ("scorer_versions", .part("版本", "version", key: "scorer_version", of: scorer)),
        ("online_scoring_configs", .part("在线评分设置", "online scoring settings", of: scorer)),
    ]

    /// Between evaluation datasets, experiments, traces and runs; without foreign keys.
    private static let link = TableRule(
        meaning: .part(BilingualText(zh: "关联", en: "an association"), key: nil),
        owners: [
            .init("evaluation_datasets", [("source_id", "dataset_id")]),
            .init("trace_info", [("source_id", "request_id")]),
            .init("runs", [("source_id", "run_uuid")]),
        ])

    private static let endpoint = TableRule.Owner("endpoints", "endpoint_id")
    private static let server = TableRule.Owner("mcp_servers", "workspace", "name")
    private static let skill = TableRule.Owner("skills", "workspace", "organization", "name")

    static let gateway: [(String, TableRule)] = [
        ("secrets", secret),
        ("model_definitions", .thing("网关模型", "gateway model", id: "model_definition_id")),
        ("endpoints", .thing("网关端点", "gateway endpoint", id: "endpoint_id")),
        ("endpoint_model_mappings", .part("模型", "models", of: endpoint)),
        ("endpoint_bindings", .part("绑定", "bindings", of: endpoint)),
        ("endpoint_tags", .part("标签", "tag", key: "key", of: endpoint)),
        ("budget_policies", .thing("预算策略", "budget policy", title: nil, id: "budget_policy_id")),
        ("guardrails", .thing("护栏", "guardrail", id: "guardrail_id")),
        ("guardrail_configs", .part("护栏", "guardrails", of: endpoint)),
        ("mcp_servers", .thing("MCP 服务器", "MCP server")),
        ("mcp_server_versions", .part("版本", "version", key: "version", of: server)),
        ("mcp_server_aliases", .part("别名", "alias", key: "alias", of: server)),
        ("mcp_server_tags", .part("标签", "tag", key: "key", of: server)),
        (
            "mcp_server_version_tags",
            .part("标签", "tag", key: "key", of: .init("mcp_server_versions", "workspace", "name", "version"))
        ),
        (
            "mcp_access_endpoints",
            .part(
                "访问端点", "access endpoint", key: "url",
                of: .init("mcp_servers", [("workspace", "workspace"), ("server_name", "name")]))
        ),
        // What is looked for in a search is made of the rest.
        ("skills", .thing("技能", "skill", ignored: ["search_text"])),
        ("skill_versions", .part("版本", "version", key: "version", of: skill)),
        ("skill_aliases", .part("别名", "alias", key: "alias", of: skill)),
        ("skill_tags", .part("标签", "tag", key: "key", of: skill)),
        (
            "skill_version_tags",
            .part(
                "标签", "tag", key: "key", of: .init("skill_versions", "workspace", "organization", "name", "version"))
        ),
    ]

    private static let secret: TableRule = {
        var rule = TableRule.thing("密钥", "secret", title: "secret_name", id: "secret_id")
        let value = BilingualText(zh: "值", en: "value")
        rule.words = ["encrypted_value": value, "wrapped_dek": value, "masked_value": value, "kek_version": value]
        return rule
    }()
}
