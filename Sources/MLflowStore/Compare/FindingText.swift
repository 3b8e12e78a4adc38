// SPDX-License-Identifier: Apache-2.0

import Wording

/// Names a row, and says what happened to it, the way MLflow's own pages would.
struct FindingText {
    let rule: TableRule
    /// The labels of owners are made of these.
    let isPrompt: (_ model: String) -> Bool

    /// What is known of one row or of several with the same subject.
    struct Subject {
        let live: [String: String]
        let restored: [String: String]?
        let columns: Set<String>
        /// The row of the first owner that has one, and which owner that is.
        let owner: (table: String, values: [String: String])?
        /// The former name of a registered model, where it seems to be a renamed one.
        var formerName: String?
    }

    func text(_ subject: Subject) -> BilingualText {
        let name = label(subject)
        guard subject.restored != nil else {
            if let former = subject.formerName {
                let old = Self.quoted(former)
                return BilingualText(zh: "\(name.chinese) 由 \(old) 改名而来", en: "\(name.english) was renamed from \(old)")
            }
            return BilingualText(zh: "新增了\(spaced(name.chinese))", en: "\(name.english) \(verb) added")
        }
        return changed(subject, name)
    }

    private func changed(_ subject: Subject, _ name: BilingualText) -> BilingualText {
        if subject.columns.contains("lifecycle_stage") {
            return BilingualText(
                zh: "\(name.chinese) 在备份时已删除，之后被恢复", en: "\(name.english), deleted in the backup, was brought back")
        }
        if case .thing(_, let title?, _) = rule.meaning, subject.columns == [title],
            let old = subject.restored?[title], let new = subject.live[title]
        {
            let before = label(
                Subject(live: subject.restored ?? [:], restored: nil, columns: [], owner: subject.owner))
            return BilingualText(
                zh: "\(before.chinese) 已由 \(Self.quoted(old)) 改名为 \(Self.quoted(new))",
                en: "\(before.english) was renamed to \(Self.quoted(new))")
        }
        guard case .thing = rule.meaning else {
            if case .part(_, let key?) = rule.meaning, key == "version", !subject.columns.isEmpty {
                return aspects(subject, name)
            }
            return BilingualText(zh: "\(name.chinese) 已更改", en: "\(name.english) \(verb) changed")
        }
        return aspects(subject, name)
    }

    /// `description and stage of version 2 … were changed`.
    private func aspects(_ subject: Subject, _ name: BilingualText) -> BilingualText {
        var words: [BilingualText] = []
        for column in subject.columns.sorted() {
            let word = rule.words[column] ?? Self.words[column] ?? BilingualText(zh: column, en: column)
            if !words.contains(word) { words.append(word) }
        }
        let english = words.map(\.english)
        let list =
            english.count > 1
            ? english.dropLast().joined(separator: ", ") + " and " + english[english.count - 1] : english.first ?? ""
        return BilingualText(
            zh: "\(name.chinese) 的\(words.map(\.chinese).joined(separator: "、"))已更改",
            en: "\(list) of \(name.english) \(words.count > 1 ? "were" : "was") changed")
    }

    private func label(_ subject: Subject) -> BilingualText {
        switch rule.meaning {
        case .thing: return Self.label(rule, subject.live, isPrompt: isPrompt)
        case .part(let noun, let key):
            var own = noun
            if let key, let value = subject.live[key] {
                own =
                    key == "key" && value == "mlflow.note.content"
                    ? BilingualText(zh: "描述", en: "description") : noun + Self.plain(" \(Self.clean(value))")
            }
            guard let owner = subject.owner, let ownerRule = MLflowTables.rule(owner.table) else {
                // Its owner is not to be found: the key says where it belongs.
                let keys = rule.owners.first?.columns.compactMap { subject.live[$0.part].map(Self.clean) } ?? []
                return keys.isEmpty ? own : own + Self.plain(" (\(keys.joined(separator: ", ")))")
            }
            return Self.of(own, Self.label(ownerRule, owner.values, isPrompt: isPrompt))
        }
    }

    /// A row by its rule alone; a part's owner is named by the columns that the part itself has.
    private static func label(
        _ rule: TableRule, _ values: [String: String], isPrompt: (String) -> Bool
    ) -> BilingualText {
        switch rule.meaning {
        case .thing(let noun, let title, let id):
            var label = noun
            if let model = rule.modelName.flatMap({ values[$0] }), isPrompt(model) {
                label = BilingualText(zh: "提示词", en: "prompt")
            }
            if let name = title.flatMap({ values[$0] }), !name.isEmpty { label = label + plain(" \(quoted(name))") }
            if let id = id.flatMap({ values[$0] }) { label = label + plain(" (\(short(id)))") }
            return label
        case .part(let noun, let key):
            let own = noun + plain(key.flatMap { values[$0] }.map { " \(clean($0))" } ?? "")
            guard let owner = rule.owners.first, let ownerRule = MLflowTables.rule(owner.table) else { return own }
            var ownerValues: [String: String] = [:]
            for (part, column) in owner.columns { ownerValues[column] = values[part] }
            return of(own, label(ownerRule, ownerValues, isPrompt: isPrompt))
        }
    }

    private static func of(_ part: BilingualText, _ owner: BilingualText) -> BilingualText {
        BilingualText(zh: "\(owner.chinese) 的\(part.chinese)", en: "\(part.english) of \(owner.english)")
    }

    /// Parts without a key are told together, and their nouns are plural; all but those that begin with an article.
    private var verb: String {
        guard case .part(let noun, nil) = rule.meaning else { return "was" }
        return noun.english.hasPrefix("an ") ? "was" : "were"
    }

    private func spaced(_ chinese: String) -> String {
        chinese.unicodeScalars.first.map { $0.isASCII } == true ? " \(chinese)" : chinese
    }

    static func plain(_ text: String) -> BilingualText { BilingualText(zh: text, en: text) }
    static func quoted(_ text: String) -> String { "\"\(clean(text))\"" }

    /// The beginning of an identifier that nobody reads to its end.
    static func short(_ id: String) -> String {
        let text = clean(id)
        return text.utf8.count > 20 ? "\(text.prefix(12))…" : text
    }

    /// One line of bounded length, with nothing that moves a terminal's cursor or turns the reading direction.
    static func clean(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(120) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                clean.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: clean.append(scalar)
            }
        }
        return String(clean) + (text.unicodeScalars.count > 120 ? "…" : "")
    }

    private static let words: [String: BilingualText] = [
        "name": BilingualText(zh: "名称", en: "name"),
        "description": BilingualText(zh: "描述", en: "description"),
        "current_stage": BilingualText(zh: "阶段", en: "stage"),
        "status": BilingualText(zh: "状态", en: "status"),
        "end_time": BilingualText(zh: "结束时间", en: "end time"),
        "url": BilingualText(zh: "地址", en: "URL"),
        "secret": BilingualText(zh: "密钥", en: "secret"),
        "artifact_location": BilingualText(zh: "artifact 位置", en: "artifact location"),
    ]
}
