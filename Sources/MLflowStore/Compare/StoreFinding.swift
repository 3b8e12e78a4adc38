// SPDX-License-Identifier: Apache-2.0

import Wording

/// One thing in the live database that a restore would lose.
package struct StoreFinding: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, Codable {
        /// The backup lacks it.
        case added
        /// The backup has it with other values.
        case changed
    }

    package let kind: Kind
    /// `public.runs`: where it is in the database.
    package let table: String
    /// `tag team of run "lr sweep" (3f2a91c0…) was changed`: a clause, without a full stop.
    package let text: BilingualText

    package init(_ kind: Kind, table: String, _ text: BilingualText) {
        self.kind = kind
        self.table = table
        self.text = text
    }

    private enum CodingKeys: String, CodingKey { case kind, table, zh, en }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        kind = try values.decode(Kind.self, forKey: .kind)
        table = try values.decode(String.self, forKey: .table)
        text = BilingualText(
            zh: try values.decode(String.self, forKey: .zh), en: try values.decode(String.self, forKey: .en))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(table, forKey: .table)
        try values.encode(text.chinese, forKey: .zh)
        try values.encode(text.english, forKey: .en)
    }
}

/// What was found, as far as it is kept in words, and how much there is.
package struct StoreFindings: Sendable, Equatable, Codable {
    /// The most that are kept of one table, so that a million traces leave room for the one alias.
    package static let limitPerTable = 100
    /// The most that are kept in all.
    package static let limit = 1000

    package private(set) var kept: [StoreFinding] = []
    /// Counts those that were not kept, too. Rows of one thing (the metrics of a run) count once.
    package private(set) var total = 0

    package init() {}

    package var isEmpty: Bool { total == 0 }

    mutating func add(_ finding: StoreFinding) {
        if kept.count < Self.limitPerTable { kept.append(finding) }
        total += 1
    }

    /// Adds another table's.
    mutating func add(_ table: StoreFindings) {
        kept += table.kept.prefix(max(0, Self.limit - kept.count))
        total += table.total
    }
}
