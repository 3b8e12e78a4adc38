// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

/// What an MLflow database holds, in numbers: how many rows a table has and how new its newest row is.
///
/// Two surveys of the same kind are compared to tell whether one database has something that the other lacks.
package struct StoreSurvey: Sendable, Equatable {
    /// `alembic_version.version_num`; `nil` where MLflow never set this database up.
    package let revision: String?
    /// Rows by `schema.table`.
    package let rows: [String: Int64]
    /// The newest moment by `schema.table.column`, in milliseconds since 1970 as MLflow stores it.
    package let newest: [String: Int64]

    /// Where MLflow's tables are.
    package let schema: String

    package init(
        revision: String?, rows: [String: Int64], newest: [String: Int64], schema: String = StoreSchema.usual
    ) {
        self.schema = schema
        self.revision = revision
        self.rows = rows
        self.newest = newest
    }

    /// Columns that say when a row came to be (mlflow/store/tracking/dbmodels/models.py, 3.17). Times of change are
    /// left out: deleting is a change too, and nobody should be kept from restoring what was deleted.
    static let birthColumns: [(table: String, column: String)] = [
        ("runs", "start_time"),
        ("latest_metrics", "timestamp"),
        ("experiments", "creation_time"),
        ("registered_models", "creation_time"),
        ("model_versions", "creation_time"),
        ("logged_models", "creation_timestamp_ms"),
        ("trace_info", "timestamp_ms"),
        ("assessments", "created_timestamp"),
        ("evaluation_datasets", "created_time"),
        ("webhooks", "creation_timestamp"),
    ]

    /// Tables that hold what people made. Rows in others (revisions, defaults) are not theirs to lose.
    static let contentTables = [
        "runs", "registered_models", "model_versions", "logged_models", "trace_info", "evaluation_datasets", "scorers",
    ]

    /// Whether nobody has put anything in yet: a stack just set up has one experiment, `Default`.
    package var isUntouched: Bool {
        Self.contentTables.allSatisfy { rows[called($0), default: 0] == 0 }
            && rows[called("experiments"), default: 0] <= 1
    }

    /// As `rows` calls a table of MLflow's.
    private func called(_ table: String) -> String { QualifiedTable(schema: schema, name: table).description }

    /// Where one row more is one row lost. The others hold rows of MLflow's own, or such as are deleted for good
    /// (`LossRules`): of them, only a comparison of contents can tell.
    private static func losesWhateverIsNew(_ table: String) -> Bool {
        !["experiments", "model_versions", "webhooks"].contains(table)
    }

    /// What `self`, the live database, certainly has beyond `backup`: nothing of it that a comparison of contents would let
    /// pass, and by far not all that one finds.
    /// - Returns: findings for a person.
    package func beyond(_ backup: StoreSurvey) -> [BilingualText] {
        guard !isUntouched else { return [] }
        var findings: [BilingualText] = []
        for (table, column) in Self.birthColumns where Self.losesWhateverIsNew(table) {
            guard let moment = newest["\(called(table)).\(column)"],
                moment > backup.newest["\(backup.called(table)).\(column)"] ?? 0
            else { continue }
            findings.append(
                BilingualText(
                    zh: "表 \(called(table)) 中有备份之后新增的记录（最新 \(Self.time(moment))）",
                    en: "\(called(table)) has rows that came after the backup (newest \(Self.time(moment)))"))
        }
        for table in Self.contentTables where Self.losesWhateverIsNew(table) {
            let (count, stored) = (rows[called(table)] ?? 0, backup.rows[backup.called(table)] ?? 0)
            guard count > stored else { continue }
            findings.append(
                BilingualText(
                    zh: "表 \(called(table)) 现有 \(count) 行，备份中为 \(stored) 行",
                    en: "\(called(table)) has \(count) rows, the backup \(stored)"))
        }
        return findings
    }

    private static func time(_ milliseconds: Int64) -> String {
        LocalMoment(milliseconds: milliseconds).description
    }
}
