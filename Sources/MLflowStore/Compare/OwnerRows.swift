// SPDX-License-Identifier: Apache-2.0

import Postgres

/// The rows that a batch of differences belongs to, in both databases.
struct OwnerRows {
    private let differences: [RowDifference]
    private let found: [(owner: TableRule.Owner, live: [[String]: [String: String]], restored: Set<[String]>)]

    init(
        _ differences: [RowDifference], _ rule: TableRule, schema: String, live: any RowSource, restored: any RowSource
    ) throws {
        self.differences = differences
        found = try rule.owners.compactMap { owner in
            let table = QualifiedTable(schema: schema, name: owner.table)
            guard let one = live.shapes[table], let other = restored.shapes[table] else { return nil }
            // Before workspaces came, a model's key was its name alone.
            let columns = owner.columns.filter { pair in
                one.columns.contains(pair.owner) && other.columns.contains(pair.owner)
                    && differences.contains { $0.live[pair.part] != nil }
            }
            let usable = TableRule.Owner(owner.table, columns)
            let keys = Set(differences.compactMap { Self.key($0, usable) })
            var wanted: [String] = []
            switch MLflowTables.rule(owner.table)?.meaning {
            case .thing(_, let title, let id): wanted = [title, id].compactMap { $0 }
            case .part(_, let key): wanted = [key].compactMap { $0 }
            case nil: break
            }
            let names = columns.map(\.owner)
            let rows = try live.rows(of: table, by: names, keys, reading: wanted)
            return (usable, rows, Set(try restored.rows(of: table, by: names, keys).keys))
        }
    }

    /// Whether what the row belongs to is itself told as added.
    func isAdded(_ place: Int) -> Bool {
        found.contains { owner, live, restored in
            guard let key = Self.key(differences[place], owner), let row = live[key], !restored.contains(key)
            else { return false }
            return LossRules.isTold(owner: row, in: owner.table)
        }
    }

    /// The row that names what it belongs to.
    func owner(_ place: Int) -> (table: String, values: [String: String])? {
        for (owner, live, _) in found {
            if let key = Self.key(differences[place], owner), let row = live[key] { return (owner.table, row) }
        }
        return nil
    }

    private static func key(_ difference: RowDifference, _ owner: TableRule.Owner) -> [String]? {
        let values = owner.columns.compactMap { difference.live[$0.part] }
        return values.count == owner.columns.count && !values.isEmpty ? values : nil
    }
}

/// Which registered models of a batch are prompts: MLflow keeps those in the same tables, told apart by a tag.
struct PromptNames {
    private let names: Set<String>

    init(_ differences: [RowDifference], _ rule: TableRule, schema: String, live: any RowSource) throws {
        guard let column = rule.modelName else {
            names = []
            return
        }
        let keys = differences.compactMap { $0.live[column] }.map { ["mlflow.prompt.is_prompt", $0] }
        let tags = try live.rows(
            of: QualifiedTable(schema: schema, name: "registered_model_tags"), by: ["key", "name"], Set(keys),
            reading: ["value"])
        names = Set(tags.compactMap { $0.value["value"]?.lowercased() == "true" ? $0.key.last : nil })
    }

    func contains(_ name: String) -> Bool { names.contains(name) }
}
