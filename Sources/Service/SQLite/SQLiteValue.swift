// SPDX-License-Identifier: Apache-2.0

/// One bound parameter or one column, in SQLite's own storage classes.
enum SQLiteValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)

    init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    init(_ value: Double?) { self = value.map { .real($0) } ?? .null }
    init(_ value: String?) { self = value.map { .text($0) } ?? .null }
}

/// One result row. A column that is missing or of another class reads as `nil`: what a row must hold is its
/// reader's matter.
struct SQLiteRow: Sendable {
    fileprivate let columns: [String: Int]
    fileprivate let values: [SQLiteValue]

    init(columns: [String: Int], values: [SQLiteValue]) {
        self.columns = columns
        self.values = values
    }

    subscript(name: String) -> SQLiteValue {
        columns[name].map { values[$0] } ?? .null
    }

    subscript(position: Int) -> SQLiteValue { values.indices.contains(position) ? values[position] : .null }
}

extension SQLiteValue {
    var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    var real: Double? {
        switch self {
        case .real(let value): value
        case .integer(let value): Double(value)
        case .null, .text: nil
        }
    }

    var text: String? {
        if case .text(let value) = self { value } else { nil }
    }
}
