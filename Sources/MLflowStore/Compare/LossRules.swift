// SPDX-License-Identifier: Apache-2.0

/// Which differences in MLflow's tables lose nothing that a client wrote.
enum LossRules {
    /// The columns whose difference would be lost; empty where a restore loses nothing of this row.
    static func lostColumns(_ difference: RowDifference, in table: String) -> Set<String> {
        var columns = difference.columns
        let live = difference.live
        guard let restored = difference.restored, !isMLflowsOwn(live, in: table), !isErased(live, in: table) else {
            return []
        }
        if live["lifecycle_stage"] == "deleted" { columns.subtract(["lifecycle_stage", "deleted_time"]) }
        // Told by the stage already.
        if columns.contains("lifecycle_stage") { columns.remove("deleted_time") }
        // An assessment is valid again once the one that replaced it is deleted.
        if table == "assessments", live["valid"] == "true", restored["valid"] == "false" { columns.remove("valid") }
        return columns
    }

    /// Whether a row that the backup lacks would be lost.
    static func isLost(added live: [String: String], in table: String) -> Bool {
        !isMLflowsOwn(live, in: table) && !isErased(live, in: table)
    }

    /// Whether an owner that the backup lacks is told of, so that its parts need not be.
    static func isTold(owner live: [String: String], in table: String) -> Bool {
        !(table == "experiments" && live["experiment_id"] == "0")
    }

    /// Rows that MLflow writes into an empty database (3.17.2: `mlflow db upgrade`, then the first start).
    private static func isMLflowsOwn(_ live: [String: String], in table: String) -> Bool {
        switch table {
        case "experiments":
            // Whatever a client does to it sets the time of its last update, except tags, which are rows themselves.
            live["experiment_id"] == "0" && live["name"] == "Default" && live["lifecycle_stage"] != "deleted"
                && live["creation_time"] != nil && live["creation_time"] == live["last_update_time"]
        case "workspaces":
            live["name"] == "default" && live["description"] == "Default workspace for legacy resources"
                && live.count == 2
        case "label_schemas":
            // The question that each experiment gets when someone first looks at its questions.
            live["is_default"] == "true" && live["created_time"] == live["last_update_time"]
        default: false
        }
    }

    /// Deleted for good though its row is still there: MLflow has overwritten the content of a model version, and
    /// offers nothing to bring a webhook back.
    private static func isErased(_ live: [String: String], in table: String) -> Bool {
        switch table {
        case "model_versions": live["current_stage"] == "Deleted_Internal"
        case "webhooks": live["deleted_timestamp"] != nil
        case "mcp_server_versions": live["status"] == "deleted"
        default: false
        }
    }
}
