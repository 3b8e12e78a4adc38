// SPDX-License-Identifier: Apache-2.0

import Postgres

extension PlaceReading {
    /// A table whose rows name locations.
    private struct Source {
        let things: Things
        let table: String
        /// Text; NULL and empty for none.
        let location: SQL
        /// The experiment that the row is of.
        var experiment: SQL = "null"
        /// What a location ends with that is the row's own.
        var tail: SQL = "''"
        var isDeleted: SQL = "false"
        var condition: SQL = "true"
    }

    /// Looked for on the disk, each: of two thousand experiments and more the newest.
    static let mostExpected = 10_000
    /// Of one kind at most; each experiment may have a location of its own.
    static let mostGroups = 200_000

    private static func sources(_ columns: StoreColumns) -> [Source] {
        func deleted(_ table: String) -> SQL {
            columns.has(table, "lifecycle_stage") ? "lifecycle_stage = 'deleted'" : "false"
        }
        var sources: [Source] = []
        if columns.has("experiments", "artifact_location") {
            sources.append(
                Source(
                    things: .experiments, table: "experiments", location: "artifact_location",
                    experiment: columns.has("experiments", "experiment_id") ? "experiment_id" : "null",
                    isDeleted: deleted("experiments")))
        }
        if columns.has("runs", "artifact_uri", "run_uuid") {
            sources.append(
                Source(
                    things: .runs, table: "runs", location: "artifact_uri",
                    experiment: columns.has("runs", "experiment_id") ? "experiment_id" : "null",
                    tail: "'/' || run_uuid || '/artifacts'",
                    isDeleted: deleted("runs")))
        }
        if columns.has("logged_models", "artifact_location", "model_id") {
            sources.append(
                Source(
                    things: .loggedModels, table: "logged_models", location: "artifact_location",
                    experiment: columns.has("logged_models", "experiment_id") ? "experiment_id" : "null",
                    tail: "'/models/' || model_id || '/artifacts'", isDeleted: deleted("logged_models")))
        }
        if columns.has("model_versions", "source") {
            let stored: SQL =
                columns.has("model_versions", "storage_location")
                ? "coalesce(nullif(storage_location, ''), source)" : "source"
            let stage: SQL =
                columns.has("model_versions", "current_stage") ? "current_stage = 'Deleted_Internal'" : "false"
            sources.append(
                Source(
                    things: .modelVersions, table: "model_versions", location: stored,
                    experiment: columns.has("model_versions", "run_id")
                        && columns.has("runs", "run_uuid", "experiment_id")
                        ? "(select experiment_id from \(identifier: columns.table("runs")) run where run.run_uuid = run_id)"
                        : "null",
                    tail: """
                        coalesce(substring(\(stored) from '(?:/[0-9a-f]{32}|/models/m-[0-9a-f]{32})/artifacts.*$'), '')
                        """,
                    isDeleted: stage))
        }
        if columns.has("trace_tags", "request_id", "key", "value") {
            sources.append(
                Source(
                    things: .traces, table: "trace_tags", location: "value",
                    tail: "'/traces/' || request_id || '/artifacts'",
                    condition: "key in ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation')"))
        }
        return sources
    }

    /// What `mlflow-artifacts:` serves, which is nearly all of most stacks, is left out: nothing in the database says where
    /// that is (`expected`).
    static func groups(_ session: BoundedSession, _ columns: StoreColumns) throws -> (groups: [Group], isCut: Bool) {
        var groups: [Group] = []
        var isCut = false
        for source in sources(columns) {
            let rows = try session.rows(
                """
                select location, min(whole) as first, max(whole) as last, count(*) as total,
                       count(*) filter (where deleted) as deleted, 
                       case when not bool_or(experiment is null) then min(experiment) end as experiment
                from (
                  select whole, deleted, experiment,
                         case when tail <> '' and right(whole, length(tail)) = tail
                              then left(whole, length(whole) - length(tail)) else whole end as location
                  from (select (\(source.location))::text as whole, (\(source.tail))::text as tail,
                               coalesce(\(source.isDeleted), false) as deleted,
                               (\(source.experiment))::bigint as experiment
                        from \(identifier: columns.table(source.table)) where \(source.condition)) stored
                  where whole <> '' and whole not like 'mlflow-artifacts:%'
                ) named group by location order by total desc, location limit \(number: mostGroups)
                """)
            isCut = isCut || rows.count == mostGroups
            for row in rows {
                groups.append(
                    Group(
                        things: source.things, location: try row.string("location"),
                        examples: [try row.string("first"), try row.string("last")], total: try row.int64("total"),
                        deleted: try row.int64("deleted"), experiment: try row.optional("experiment", as: Int64.self)))
            }
        }
        return (groups, isCut)
    }

    /// The newest five of each experiment that cannot be without files: logged models that are ready, and runs that logged a model
    /// or a table. A run that logged numbers alone has no folder, and is none of these.
    static func expected(_ session: BoundedSession, _ columns: StoreColumns) throws -> [Expected] {
        var expected: [Expected] = []
        for query in [expectedModels(columns), expectedRuns(columns)] {
            guard let query else { continue }
            let rows = try session.rows(
                """
                select experiment::text as experiment, location from (
                  select experiment, location, moment,
                         row_number() over (partition by experiment order by moment desc nulls last) as place
                  from (\(query)) things
                ) newest where place <= 5 and location <> '' order by moment desc nulls last limit \(number: mostExpected)
                """)
            for row in rows {
                expected.append(
                    Expected(experiment: try row.string("experiment"), location: try row.string("location")))
            }
        }
        return expected
    }

    private static func expectedModels(_ columns: StoreColumns) -> SQL? {
        guard
            columns.has(
                "logged_models", "model_id", "experiment_id", "artifact_location", "creation_timestamp_ms", "status",
                "lifecycle_stage"), columns.has("logged_model_tags", "model_id", "tag_key", "tag_value")
        else { return nil }
        // LoggedModelStatus.READY; one whose files are not MLflow's says so by a tag.
        return """
            select experiment_id as experiment, artifact_location as location, creation_timestamp_ms as moment
            from \(identifier: columns.table("logged_models")) model
            where status = 2 and lifecycle_stage = 'active' and not exists (
              select from \(identifier: columns.table("logged_model_tags")) tag
              where tag.model_id = model.model_id and tag_key = 'mlflow.model.isExternal' and lower(tag_value) = 'true')
            """
    }

    private static func expectedRuns(_ columns: StoreColumns) -> SQL? {
        guard
            columns.has(
                "runs", "run_uuid", "experiment_id", "artifact_uri", "start_time", "status", "lifecycle_stage"),
            columns.has("tags", "run_uuid", "key")
        else { return nil }
        // From MLflow 3 on the files of a run's model are in the model's folder.
        let hasNoModel: SQL =
            columns.has("logged_models", "source_run_id")
            ? """
            not exists (select from \(identifier: columns.table("logged_models")) model
                        where model.source_run_id = run.run_uuid)
            """ : "true"
        return """
            select experiment_id as experiment, artifact_uri as location, start_time as moment
            from \(identifier: columns.table("runs")) run
            where status = 'FINISHED' and lifecycle_stage = 'active' and \(hasNoModel) and exists (
              select from \(identifier: columns.table("tags")) tag
              where tag.run_uuid = run.run_uuid and key in ('mlflow.log-model.history', 'mlflow.loggedArtifacts'))
            """
    }
}
