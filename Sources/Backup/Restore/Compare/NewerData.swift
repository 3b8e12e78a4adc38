// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// What the live stack has and a restore would replace by something else: refused without force, named with it.
package struct NewerData: Sendable, Equatable, Codable {
    /// A clause each, as far as they are kept in words.
    package private(set) var findings: [BilingualText] = []
    /// Counts those that were not kept, too.
    package private(set) var total = 0

    package init() {}

    package var isEmpty: Bool { total == 0 }

    init(_ rows: StoreFindings) {
        findings = rows.kept.map(\.text)
        total = rows.total
    }

    init(_ files: TreeFindings) {
        findings = files.kept.map(\.text)
        total = files.total
    }

    /// Of these nothing but the names is known.
    init(files paths: [String]) {
        self.init(
            paths.prefix(TreeFindings.limit).map {
                let shown = TreeFinding.shown("artifacts/\($0)")
                return BilingualText(zh: "文件 \(shown)", en: shown)
            }, total: paths.count)
    }

    /// Rows may have been written, and nobody can tell which.
    static let unknownRows = NewerData([
        BilingualText(zh: "可能写入了数据库记录，无法得知是哪些", en: "rows may have been written, and which cannot be told")
    ])

    package init(_ findings: [BilingualText], total: Int? = nil) {
        self.findings = findings
        self.total = max(total ?? findings.count, findings.count)
    }

    /// The first few, and how many more there are.
    func shown(_ language: Language) -> String {
        let first = findings.prefix(12).map { $0[language] }
        let more = total - first.count
        let rest =
            more > 0 ? [BilingualText(zh: "另有 \(more) 项", en: "and \(more) more")[language]] : []
        return (first + rest).joined(separator: language == .chinese ? "；" : "; ")
    }

    static func + (one: NewerData, other: NewerData) -> NewerData {
        // A record may say any number.
        NewerData(one.findings + other.findings, total: one.total.adding(clamped: other.total))
    }

    private enum CodingKeys: String, CodingKey { case zh, en, total }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let chinese = try values.decode([String].self, forKey: .zh)
        let english = try values.decode([String].self, forKey: .en)
        findings = zip(chinese, english).map { BilingualText(zh: $0, en: $1) }
        total = max(try values.decode(Int.self, forKey: .total), findings.count)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(findings.map(\.chinese), forKey: .zh)
        try values.encode(findings.map(\.english), forKey: .en)
        try values.encode(total, forKey: .total)
    }
}

extension NewerData {
    /// - Parameter rows: `nil` for none that were looked for.
    init(known rows: StoreFindings?) { self = rows.map { NewerData($0) } ?? NewerData() }
}
