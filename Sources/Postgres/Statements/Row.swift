// SPDX-License-Identifier: Apache-2.0

import CPostgres
import Glibc

/// One row of an answer, in PostgreSQL's text format.
package struct Row: Sendable, Equatable {
    /// A column by name or by position from 0.
    package enum Column: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
        case name(String)
        case position(Int)

        package init(stringLiteral value: String) { self = .name(value) }
        package init(integerLiteral value: Int) { self = .position(value) }

        fileprivate var text: String {
            switch self {
            case .name(let name): name
            case .position(let position): "#\(position)"
            }
        }
    }

    package let columns: [String]
    private let values: [String?]

    static func all(of result: OpaquePointer) -> [Row] {
        let width = PQnfields(result)
        let columns = (0..<width).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        return (0..<PQntuples(result)).map { row in
            Row(
                columns: columns,
                values: (0..<width).map { column in
                    PQgetisnull(result, row, column) == 1 ? nil : PQgetvalue(result, row, column).map { text($0) }
                })
        }
    }

    private static func text(_ value: UnsafePointer<CChar>) -> String {
        String(validatingCString: value)
            ?? String(ofServer: UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    package func string(_ column: Column) throws(PostgresError) -> String { try value(column) }
    package func int(_ column: Column) throws(PostgresError) -> Int { try value(column) }
    package func int64(_ column: Column) throws(PostgresError) -> Int64 { try value(column) }
    package func bool(_ column: Column) throws(PostgresError) -> Bool { try value(column) }

    /// - Throws: `unexpectedValue` for NULL, for another type, and for a column that is not there.
    package func value<Value: ColumnValue>(
        _ column: Column, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let value = try optional(column, as: type) else {
            throw .unexpectedValue(column: column.text, found: "NULL")
        }
        return value
    }

    /// `nil` for NULL.
    package func optional<Value: ColumnValue>(
        _ column: Column, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value? {
        guard let position = position(of: column) else {
            throw .unexpectedValue(column: column.text, found: "no such column")
        }
        guard let text = values[position] else { return nil }
        guard let value = Value(columnText: text) else {
            throw .unexpectedValue(column: column.text, found: "'\(text.prefix(80))'")
        }
        return value
    }

    private func position(of column: Column) -> Int? {
        switch column {
        case .name(let name): columns.firstIndex(of: name)
        case .position(let position): values.indices.contains(position) ? position : nil
        }
    }
}

/// A Swift type that one column of a row can be read as.
package protocol ColumnValue {
    /// - Parameter columnText: PostgreSQL's text format of a value that is not NULL.
    init?(columnText: String)
}

extension String: ColumnValue {
    package init?(columnText: String) { self = columnText }

    /// Text of a database without an encoding may be any bytes. What is no UTF-8 is written byte by byte, so that different bytes stay
    /// different: put right, they would all be one.
    init(ofServer bytes: some Collection<UInt8>) {
        if let text = String(validating: bytes, as: UTF8.self) {
            self = text
            return
        }
        self = bytes.reduce(into: "") { text, byte in
            text += byte < 0x80 ? String(UnicodeScalar(byte)) : "\u{FFFD}" + String(byte, radix: 16, uppercase: true)
        }
    }

    /// The bytes that `init(ofServer:)` read.
    package var serverBytes: [UInt8] {
        let mark = Array("\u{FFFD}".utf8)
        var (bytes, rest) = ([UInt8](), Array(utf8)[...])
        while let byte = rest.first {
            let digits = rest.dropFirst(mark.count).prefix(2)
            if byte == mark[0], rest.starts(with: mark),
                let written = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), written >= 0x80
            {
                bytes.append(written)
                rest = rest.dropFirst(mark.count + 2)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return bytes
    }
}

extension Int: ColumnValue {
    package init?(columnText: String) { self.init(columnText) }
}

extension Int64: ColumnValue {
    package init?(columnText: String) { self.init(columnText) }
}

extension Double: ColumnValue {
    package init?(columnText: String) { self.init(columnText) }
}

extension Bool: ColumnValue {
    package init?(columnText: String) {
        switch columnText {
        case "t": self = true
        case "f": self = false
        default: return nil
        }
    }
}
