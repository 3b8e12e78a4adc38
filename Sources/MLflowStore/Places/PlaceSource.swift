// SPDX-License-Identifier: Apache-2.0

import Postgres

/// MLflow's tables in a database of either kind, with the columns that its version has.
protocol StoreTables {
    func has(_ table: String, _ names: String...) -> Bool
    /// As a statement calls it.
    func named(_ table: String) -> SQL
}

/// A table whose rows name locations, in words that PostgreSQL and SQLite both understand.
struct PlaceSource {
    let things: PlaceReading.Things
    let table: String
    /// Text; NULL and empty for none.
    let location: SQL
    /// The experiment that the row is of.
    var experiment: SQL = "null"
    /// What a location ends with that is the row's own; `nil` for what begins with a run's or a model's folder.
    var tail: SQL? = "''"
    var isDeleted: SQL = "false"
    var condition: SQL = "true"

    static func all(in tables: some StoreTables) -> [PlaceSource] {
        func deleted(_ table: String) -> SQL {
            tables.has(table, "lifecycle_stage") ? "lifecycle_stage = 'deleted'" : "false"
        }
        var sources: [PlaceSource] = []
        if tables.has("experiments", "artifact_location") {
            sources.append(
                PlaceSource(
                    things: .experiments, table: "experiments", location: "artifact_location",
                    experiment: tables.has("experiments", "experiment_id") ? "experiment_id" : "null",
                    isDeleted: deleted("experiments")))
        }
        if tables.has("runs", "artifact_uri", "run_uuid") {
            sources.append(
                PlaceSource(
                    things: .runs, table: "runs", location: "artifact_uri",
                    experiment: tables.has("runs", "experiment_id") ? "experiment_id" : "null",
                    tail: "'/' || run_uuid || '/artifacts'",
                    isDeleted: deleted("runs")))
        }
        if tables.has("logged_models", "artifact_location", "model_id") {
            sources.append(
                PlaceSource(
                    things: .loggedModels, table: "logged_models", location: "artifact_location",
                    experiment: tables.has("logged_models", "experiment_id") ? "experiment_id" : "null",
                    tail: "'/models/' || model_id || '/artifacts'", isDeleted: deleted("logged_models")))
        }
        if tables.has("model_versions", "source") {
            let stored: SQL =
                tables.has("model_versions", "storage_location")
                ? "coalesce(nullif(storage_location, ''), source)" : "source"
            let stage: SQL =
                tables.has("model_versions", "current_stage") ? "current_stage = 'Deleted_Internal'" : "false"
            sources.append(
                PlaceSource(
                    things: .modelVersions, table: "model_versions", location: stored,
                    experiment: tables.has("model_versions", "run_id")
                        && tables.has("runs", "run_uuid", "experiment_id")
                        ? "(select experiment_id from \(tables.named("runs")) run where run.run_uuid = run_id)"
                        : "null",
                    tail: nil,
                    isDeleted: stage))
        }
        if tables.has("trace_tags", "request_id", "key", "value") {
            sources.append(
                PlaceSource(
                    things: .traces, table: "trace_tags", location: "value",
                    tail: "'/traces/' || request_id || '/artifacts'",
                    condition: "key in ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation')"))
        }
        return sources
    }

    /// What cannot be without files: logged models that are ready, and runs that logged a model or a table. A run that logged numbers
    /// alone has no folder, and is none of these.
    static func expected(in tables: some StoreTables) -> [SQL] {
        [expectedModels(tables), expectedRuns(tables)].compactMap(\.self)
    }

    private static func expectedModels(_ tables: some StoreTables) -> SQL? {
        guard
            tables.has(
                "logged_models", "model_id", "experiment_id", "artifact_location", "creation_timestamp_ms", "status",
                "lifecycle_stage"), tables.has("logged_model_tags", "model_id", "tag_key", "tag_value")
        else { return nil }
        // LoggedModelStatus.READY; one whose files are not MLflow's says so by a tag.
        return """
            select experiment_id as experiment, artifact_location as location, creation_timestamp_ms as moment
            from \(tables.named("logged_models")) model
            where status = 2 and lifecycle_stage = 'active' and not exists (
              select 1 from \(tables.named("logged_model_tags")) tag
              where tag.model_id = model.model_id and tag_key = 'mlflow.model.isExternal' and lower(tag_value) = 'true')
            """
    }

    private static func expectedRuns(_ tables: some StoreTables) -> SQL? {
        guard
            tables.has(
                "runs", "run_uuid", "experiment_id", "artifact_uri", "start_time", "status", "lifecycle_stage"),
            tables.has("tags", "run_uuid", "key")
        else { return nil }
        // From MLflow 3 on the files of a run's model are in the model's folder.
        let hasNoModel: SQL =
            tables.has("logged_models", "source_run_id")
            ? """
            not exists (select 1 from \(tables.named("logged_models")) model
                        where model.source_run_id = run.run_uuid)
            """ : "true"
        return """
            select experiment_id as experiment, artifact_uri as location, start_time as moment
            from \(tables.named("runs")) run
            where status = 'FINISHED' and lifecycle_stage = 'active' and \(hasNoModel) and exists (
              select 1 from \(tables.named("tags")) tag
              where tag.run_uuid = run.run_uuid and key in ('mlflow.log-model.history', 'mlflow.loggedArtifacts'))
            """
    }
}
