// SPDX-License-Identifier: Apache-2.0

/// One bound parameter or one column, in SQLite's own storage classes.
package enum SQLiteValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    /// Text whose bytes are not UTF-8. SQLite keeps what it is given.
    case otherText([UInt8])
    case blob([UInt8])

    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    package init(_ value: Double?) { self = value.map { .real($0) } ?? .null }
    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
}

/// One result row. A column that is missing or of another class reads as `nil`: what a row must hold is its
/// reader's matter.
package struct SQLiteRow: Sendable {
    package var count: Int { values.count }

    private let columns: [String: Int]
    private let values: [SQLiteValue]

    init(columns: [String: Int], values: [SQLiteValue]) {
        self.columns = columns
        self.values = values
    }

    package subscript(name: String) -> SQLiteValue {
        columns[name].map { values[$0] } ?? .null
    }

    package subscript(position: Int) -> SQLiteValue { values.indices.contains(position) ? values[position] : .null }
}

extension SQLiteValue {
    package var isNull: Bool { self == .null }

    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    package var real: Double? {
        switch self {
        case .real(let value): value
        case .integer(let value): Double(value)
        case .null, .text, .otherText, .blob: nil
        }
    }

    /// `nil` also for text that is not UTF-8, which would have to be changed to be a `String`.
    package var text: String? {
        if case .text(let value) = self { value } else { nil }
    }

    /// Text for people: what is not UTF-8 in it is shown as U+FFFD.
    package var shownText: String? {
        switch self {
        case .text(let value): value
        case .otherText(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null, .integer, .real, .blob: nil
        }
    }

    /// The bytes of text or of a blob.
    package var bytes: [UInt8]? {
        switch self {
        case .text(let value): Array(value.utf8)
        case .otherText(let bytes), .blob(let bytes): bytes
        case .null, .integer, .real: nil
        }
    }
}
