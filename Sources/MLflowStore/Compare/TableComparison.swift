// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

/// Makes findings of the rows in which one table of a live database differs from that of the restored one.
struct TableComparison {
    let table: ComparedTable
    let live: any RowSource
    let restored: any RowSource
    /// As many things as are looked up at once, and held in memory.
    private static let batch = 500

    /// - Parameter next: the differing rows in the order of their keys; `nil` at the end.
    func findings(of next: () throws -> RowDifference?) throws -> StoreFindings {
        var findings = StoreFindings()
        var pending: [RowDifference] = []
        var subject: [String?]?
        while var difference = try next() {
            guard try isLost(&difference) else { continue }
            let itsSubject = table.key.prefix(table.subjectCount).map { difference.live[$0] }
            if !table.key.isEmpty, itsSubject == subject {
                // Added beside others that were there: what it belongs to has changed.
                continue
            }
            subject = itsSubject
            pending.append(difference)
            if pending.count == Self.batch {
                try tell(pending, &findings)
                pending = []
            }
        }
        try tell(pending, &findings)
        return findings
    }

    private func isLost(_ difference: inout RowDifference) throws -> Bool {
        guard table.rule != nil else { return true }
        let name = table.live.table.name
        guard difference.restored != nil else { return LossRules.isLost(added: difference.live, in: name) }
        difference.columns = LossRules.lostColumns(difference, in: name)
        for reference in table.live.emptied where difference.columns.contains(reference.column) {
            guard difference.live[reference.column] == nil, let value = difference.restored?[reference.column]
            else { continue }
            // Emptied because what it pointed to was deleted, not because a person took it away.
            let target = try live.rows(of: reference.table, by: [reference.target], [[value]])
            if target.isEmpty { difference.columns.remove(reference.column) }
        }
        return !difference.columns.isEmpty
    }

    private func tell(_ differences: [RowDifference], _ findings: inout StoreFindings) throws {
        guard !differences.isEmpty else { return }
        guard let rule = table.rule else {
            for difference in differences { findings.add(generic(difference)) }
            return
        }
        let owners = try OwnerRows(differences, rule, schema: table.live.table.schema, live: live, restored: restored)
        let prompts = try PromptNames(differences, rule, schema: table.live.table.schema, live: live)
        let former = try formerNames(differences)
        let words = FindingText(rule: rule, isPrompt: prompts.contains)
        for (place, difference) in differences.enumerated() {
            if difference.restored == nil, owners.isAdded(place) { continue }
            let text = words.text(
                .init(
                    live: difference.live, restored: difference.restored, columns: difference.columns,
                    owner: owners.owner(place), formerName: former[place]))
            findings.add(
                StoreFinding(
                    difference.restored == nil ? .added : .changed, table: table.live.table.description, text))
        }
    }

    /// A registered model that the backup has under another name, made at the same millisecond: MLflow renames by
    /// changing the key.
    private func formerNames(_ differences: [RowDifference]) throws -> [Int: String] {
        guard table.live.table.name == "registered_models" else { return [:] }
        var times = Set<[String]>()
        for difference in differences where difference.restored == nil {
            if let time = difference.live["creation_time"] { times.insert([time]) }
        }
        let stored = try restored.rows(of: table.live.table, by: ["creation_time"], times, reading: ["name"])
        let names = Set(stored.values.compactMap { $0["name"] }.map { [$0] })
        let still = try live.rows(of: table.live.table, by: ["name"], names)
        var former: [Int: String] = [:]
        for (place, difference) in differences.enumerated() where difference.restored == nil {
            if let time = difference.live["creation_time"], let name = stored[[time]]?["name"], still[[name]] == nil {
                former[place] = name
            }
        }
        return former
    }

    /// A row of a table that is not MLflow's: `public.invoices (17)`.
    private func generic(_ difference: RowDifference) -> StoreFinding {
        let keys = table.key.isEmpty ? [difference.live["row"] ?? ""] : table.key.map { difference.live[$0] ?? "NULL" }
        let key = "\(table.live.table) (\(keys.map(FindingText.clean).joined(separator: ", ")))"
        let added = difference.restored == nil
        return StoreFinding(
            added ? .added : .changed, table: table.live.table.description,
            added
                ? BilingualText(zh: "表 \(key) 中新增了记录", en: "row \(key) was added")
                : BilingualText(zh: "表 \(key) 中的记录已更改", en: "row \(key) was changed"))
    }
}
