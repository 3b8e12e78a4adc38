// SPDX-License-Identifier: Apache-2.0

import Wording

/// What the rows of one of MLflow's tables are to a person, and which of them no client wrote.
struct TableRule: Sendable {
    enum Meaning: Sendable {
        /// A row is a thing with a name of its own: a run.
        /// - `title`: the column with its name; `id`: the column with what identifies it, where that is another.
        case thing(BilingualText, title: String?, id: String?)
        /// A row, or several with the same `subject`, is a part of another thing: a tag of a run.
        /// - `key`: the column that tells it from its siblings; `nil` where they are named together.
        case part(BilingualText, key: String?)
    }

    /// The table that a part belongs to.
    struct Owner: Sendable {
        let table: String
        /// Which column of the part holds which column of the owner's key.
        let columns: [(part: String, owner: String)]

        init(_ table: String, _ columns: [(part: String, owner: String)]) {
            self.table = table
            self.columns = columns
        }

        /// Where both columns have the same name.
        init(_ table: String, _ columns: String...) { self.init(table, columns.map { ($0, $0) }) }
    }

    let meaning: Meaning
    /// Where there are several, whichever has a row. A part of something that was added is not told by itself.
    var owners: [Owner] = []
    /// Rows that agree in these are one finding; empty for the primary key.
    var subject: [String] = []
    /// Columns beside the times of touch in which a difference loses nothing.
    var ignored: Set<String> = []
    /// The column with a registered model's name, which may be a prompt.
    var modelName: String?
    /// Columns in which a difference has a word of its own.
    var words: [String: BilingualText] = [:]

    static func thing(
        _ zh: String, _ en: String, title: String? = "name", id: String? = nil, ignored: Set<String> = []
    ) -> TableRule {
        TableRule(meaning: .thing(BilingualText(zh: zh, en: en), title: title, id: id), ignored: ignored)
    }

    static func part(
        _ zh: String, _ en: String, key: String? = nil, of owner: Owner
    ) -> TableRule {
        TableRule(
            meaning: .part(BilingualText(zh: zh, en: en), key: key), owners: [owner],
            subject: owner.columns.map(\.part) + (key.map { [$0] } ?? []))
    }

    /// Part of a registered model or of one of its versions.
    static func modelPart(_ zh: String, _ en: String, key: String, of owner: Owner) -> TableRule {
        var rule = part(zh, en, key: key, of: owner)
        rule.modelName = "name"
        return rule
    }

    /// Columns that say when, or by whom, a row was last touched. MLflow sets them when a part is added or deleted, so
    /// they tell nothing by themselves; what was really edited differs elsewhere.
    static let touched: Set<String> = [
        "last_update_time", "last_updated_time", "last_updated_timestamp", "last_updated_timestamp_ms",
        "last_update_time_ms", "last_updated_at", "last_updated_by",
    ]
}
