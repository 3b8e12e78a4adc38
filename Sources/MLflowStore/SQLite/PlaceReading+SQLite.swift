// SPDX-License-Identifier: Apache-2.0

import SQLite
import SystemIO

extension PlaceReading {
    /// The same of a database of SQLite.
    /// - Parameter seconds: for all answers together.
    /// - Throws: `SQLiteError`, `DatabaseFileError.silent`.
    package init(of path: FilePath, atMost seconds: Double = 10) throws {
        self = try SQLiteQuestions.ask(path, atMost: seconds) { questions in
            guard questions.isMLflows else { return PlaceReading.nothing }
            let (groups, isCut) = try Self.groups(questions)
            let isLeft = questions.has("webhooks", "deleted_timestamp") ? "deleted_timestamp IS NULL" : "1"
            return PlaceReading(
                groups: groups, isCut: isCut,
                newestExperiment: questions.has("experiments", "experiment_id")
                    ? try questions.rows("SELECT max(experiment_id) FROM experiments").first?[0].integer : nil,
                expected: try Self.expected(questions), defaultRoot: try Self.defaultRoot(questions),
                webhookSecrets: questions.has("webhooks", "secret")
                    ? try questions.count("SELECT count(*) FROM webhooks WHERE secret IS NOT NULL AND \(isLeft)") : 0,
                gatewaySecrets: questions.has("secrets", "encrypted_value")
                    ? try questions.count("SELECT count(*) FROM secrets") : 0,
                hasUsers: questions.has("users", "password_hash"))
        }
    }

    private static func defaultRoot(_ questions: SQLiteQuestions) throws -> String? {
        guard questions.has("experiments", "experiment_id", "artifact_location") else { return nil }
        let location = try questions.rows("SELECT artifact_location FROM experiments WHERE experiment_id = 0").first?[0]
        guard let location = location?.text, location.hasSuffix("/0") else { return nil }
        return String(location.dropLast(2))
    }

    /// As `Source` of PostgreSQL.
    private struct SQLiteTable {
        let things: Things
        let table: String
        let location: String
        var experiment = "NULL"
        var tail = "''"
        var isDeleted = "0"
        var condition = "1"
        /// Whether what is a row's own at the end of a location is found by `ModelTail`.
        var hasModelTail = false
    }

    private static func sqliteTables(_ questions: SQLiteQuestions) -> [SQLiteTable] {
        func deleted(_ table: String) -> String {
            questions.has(table, "lifecycle_stage") ? "lifecycle_stage = 'deleted'" : "0"
        }
        func experiment(_ table: String) -> String { questions.has(table, "experiment_id") ? "experiment_id" : "NULL" }
        var tables: [SQLiteTable] = []
        if questions.has("experiments", "artifact_location") {
            tables.append(
                SQLiteTable(
                    things: .experiments, table: "experiments", location: "artifact_location",
                    experiment: experiment("experiments"), isDeleted: deleted("experiments")))
        }
        if questions.has("runs", "artifact_uri", "run_uuid") {
            tables.append(
                SQLiteTable(
                    things: .runs, table: "runs", location: "artifact_uri", experiment: experiment("runs"),
                    tail: "'/' || run_uuid || '/artifacts'", isDeleted: deleted("runs")))
        }
        if questions.has("logged_models", "artifact_location", "model_id") {
            tables.append(
                SQLiteTable(
                    things: .loggedModels, table: "logged_models", location: "artifact_location",
                    experiment: experiment("logged_models"), tail: "'/models/' || model_id || '/artifacts'",
                    isDeleted: deleted("logged_models")))
        }
        if questions.has("model_versions", "source") {
            let isOfRun =
                questions.has("model_versions", "run_id") && questions.has("runs", "run_uuid", "experiment_id")
            tables.append(
                SQLiteTable(
                    things: .modelVersions, table: "model_versions",
                    location: questions.has("model_versions", "storage_location")
                        ? "coalesce(nullif(storage_location, ''), source)" : "source",
                    experiment: isOfRun
                        ? "(SELECT experiment_id FROM runs run WHERE run.run_uuid = run_id)" : "NULL",
                    isDeleted: questions.has("model_versions", "current_stage")
                        ? "current_stage = 'Deleted_Internal'" : "0",
                    hasModelTail: true))
        }
        if questions.has("trace_tags", "request_id", "key", "value") {
            tables.append(
                SQLiteTable(
                    things: .traces, table: "trace_tags", location: "value",
                    tail: "'/traces/' || request_id || '/artifacts'",
                    condition: "key IN ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation')"))
        }
        return tables
    }

    private static func groups(_ questions: SQLiteQuestions) throws -> (groups: [Group], isCut: Bool) {
        var groups: [Group] = []
        var isCut = false
        for source in sqliteTables(questions) {
            let rows = try questions.rows(
                """
                SELECT location, min(whole) AS first, max(whole) AS last, count(*) AS total,
                       count(*) FILTER (WHERE deleted) AS deleted,
                       CASE WHEN count(experiment) = count(*) THEN min(experiment) END AS experiment
                FROM (
                  SELECT whole, deleted, experiment,
                         CASE WHEN tail <> '' AND substr(whole, -length(tail)) = tail
                              THEN substr(whole, 1, length(whole) - length(tail)) ELSE whole END AS location
                  FROM (SELECT CAST(\(source.location) AS TEXT) AS whole, \(source.tail) AS tail,
                               coalesce(\(source.isDeleted), 0) AS deleted, \(source.experiment) AS experiment
                        FROM \(source.table) WHERE \(source.condition)) stored
                  WHERE whole <> '' AND whole NOT LIKE 'mlflow-artifacts:%'
                ) named GROUP BY location ORDER BY total DESC, location LIMIT \(mostGroups)
                """)
            isCut = isCut || rows.count == mostGroups
            let found = rows.compactMap { row -> Group? in
                guard let location = row["location"].text, let first = row["first"].text, let last = row["last"].text
                else { return nil }
                return Group(
                    things: source.things, location: source.hasModelTail ? ModelTail.without(location) : location,
                    examples: [first, last], total: row["total"].integer ?? 0, deleted: row["deleted"].integer ?? 0,
                    experiment: row["experiment"].integer)
            }
            groups += source.hasModelTail ? joined(found) : found
        }
        return (groups, isCut)
    }

    /// Of groups that have one location by now.
    private static func joined(_ groups: [Group]) -> [Group] {
        let byLocation = Dictionary(grouping: groups, by: \.location)
        return byLocation.map { location, parts in
            let experiments = parts.map(\.experiment)
            return Group(
                things: parts[0].things, location: location,
                examples: [parts.flatMap(\.examples).min() ?? "", parts.flatMap(\.examples).max() ?? ""],
                total: parts.reduce(0) { $0.adding(clamped: $1.total) },
                deleted: parts.reduce(0) { $0.adding(clamped: $1.deleted) },
                experiment: experiments.contains(nil) ? nil : experiments.compactMap(\.self).min())
        }.sorted { ($1.total, $0.location) < ($0.total, $1.location) }
    }

    private static func expected(_ questions: SQLiteQuestions) throws -> [Expected] {
        var expected: [Expected] = []
        for query in [expectedModels(questions), expectedRuns(questions)] {
            guard let query else { continue }
            let rows = try questions.rows(
                """
                SELECT CAST(experiment AS TEXT) AS experiment, location FROM (
                  SELECT experiment, location, moment,
                         row_number() OVER (PARTITION BY experiment ORDER BY moment DESC) AS place
                  FROM (\(query)) things
                ) newest WHERE place <= 5 AND location <> '' ORDER BY moment DESC LIMIT \(mostExpected)
                """)
            for row in rows {
                guard let experiment = row["experiment"].text, let location = row["location"].text else { continue }
                expected.append(Expected(experiment: experiment, location: location))
            }
        }
        return expected
    }

    private static func expectedModels(_ questions: SQLiteQuestions) -> String? {
        guard
            questions.has(
                "logged_models", "model_id", "experiment_id", "artifact_location", "creation_timestamp_ms", "status",
                "lifecycle_stage"), questions.has("logged_model_tags", "model_id", "tag_key", "tag_value")
        else { return nil }
        return """
            SELECT experiment_id AS experiment, artifact_location AS location, creation_timestamp_ms AS moment
            FROM logged_models model WHERE status = 2 AND lifecycle_stage = 'active' AND NOT EXISTS (
              SELECT 1 FROM logged_model_tags tag
              WHERE tag.model_id = model.model_id AND tag_key = 'mlflow.model.isExternal' AND lower(tag_value) = 'true')
            """
    }

    private static func expectedRuns(_ questions: SQLiteQuestions) -> String? {
        guard
            questions.has(
                "runs", "run_uuid", "experiment_id", "artifact_uri", "start_time", "status", "lifecycle_stage"),
            questions.has("tags", "run_uuid", "key")
        else { return nil }
        let hasNoModel =
            questions.has("logged_models", "source_run_id")
            ? "NOT EXISTS (SELECT 1 FROM logged_models model WHERE model.source_run_id = run.run_uuid)" : "1"
        return """
            SELECT experiment_id AS experiment, artifact_uri AS location, start_time AS moment FROM runs run
            WHERE status = 'FINISHED' AND lifecycle_stage = 'active' AND \(hasNoModel) AND EXISTS (
              SELECT 1 FROM tags tag
              WHERE tag.run_uuid = run.run_uuid AND key IN ('mlflow.log-model.history', 'mlflow.loggedArtifacts'))
            """
    }
}

/// What is a model version's own at the end of its location: from `/RUN/artifacts` or `/models/m-ID/artifacts` on.
private enum ModelTail {
    static func without(_ location: String) -> String {
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() where part == "artifacts" && index > 0 {
            let owner = parts[index - 1]
            if isID(owner) { return parts[..<(index - 1)].joined(separator: "/") }
            if owner.hasPrefix("m-"), isID(owner.dropFirst(2)), index > 1, parts[index - 2] == "models" {
                return parts[..<(index - 2)].joined(separator: "/")
            }
        }
        return location
    }

    private static func isID(_ text: Substring) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
