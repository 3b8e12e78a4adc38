// SPDX-License-Identifier: Apache-2.0

import Postgres
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

    private static func groups(_ questions: SQLiteQuestions) throws -> (groups: [Group], isCut: Bool) {
        var groups: [Group] = []
        var isCut = false
        for source in PlaceSource.all(in: questions) {
            let hasModelTail = source.tail == nil
            let rows = try questions.rows(
                """
                SELECT location, min(whole) AS first, max(whole) AS last, count(*) AS total,
                       count(*) FILTER (WHERE deleted) AS deleted,
                       CASE WHEN count(experiment) = count(*) THEN min(experiment) END AS experiment
                FROM (
                  SELECT whole, deleted, experiment,
                         CASE WHEN tail <> '' AND substr(whole, -length(tail)) = tail
                              THEN substr(whole, 1, length(whole) - length(tail)) ELSE whole END AS location
                  FROM (SELECT CAST(\(source.location.constant) AS TEXT) AS whole, \((source.tail ?? "''").constant) AS tail,
                               coalesce(\(source.isDeleted.constant), 0) AS deleted, \(source.experiment.constant) AS experiment
                        FROM \(questions.named(source.table).constant) WHERE \(source.condition.constant)) stored
                  WHERE whole <> '' AND whole NOT LIKE 'mlflow-artifacts:%'
                ) named GROUP BY location ORDER BY total DESC, location LIMIT \(mostGroups)
                """)
            isCut = isCut || rows.count == mostGroups
            let found = rows.compactMap { row -> Group? in
                guard let location = row["location"].text, let first = row["first"].text, let last = row["last"].text
                else { return nil }
                return Group(
                    things: source.things, location: hasModelTail ? ModelTail.without(location) : location,
                    examples: [first, last], total: row["total"].integer ?? 0, deleted: row["deleted"].integer ?? 0,
                    experiment: row["experiment"].integer)
            }
            groups += hasModelTail ? joined(found) : found
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
        for query in PlaceSource.expected(in: questions) {
            let rows = try questions.rows(
                """
                SELECT CAST(experiment AS TEXT) AS experiment, location FROM (
                  SELECT experiment, location, moment,
                         row_number() OVER (PARTITION BY experiment ORDER BY moment DESC) AS place
                  FROM (\(query.constant)) things
                ) newest WHERE place <= 5 AND location <> '' ORDER BY moment DESC LIMIT \(mostExpected)
                """)
            for row in rows {
                guard let experiment = row["experiment"].text, let location = row["location"].text else { continue }
                expected.append(Expected(experiment: experiment, location: location))
            }
        }
        return expected
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
