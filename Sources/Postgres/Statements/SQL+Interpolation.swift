// SPDX-License-Identifier: Apache-2.0

import Wording

extension SQL {
    package struct Interpolation: StringInterpolationProtocol {
        var pieces: [Piece] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            pieces.reserveCapacity(2 * interpolationCount + 1)
        }

        package mutating func appendLiteral(_ literal: String) { pieces.append(.text(literal)) }

        package mutating func appendInterpolation(_ value: String?) { pieces.append(.parameter(value)) }
        package mutating func appendInterpolation(_ value: some BinaryInteger) {
            pieces.append(.parameter(String(value)))
        }
        package mutating func appendInterpolation(_ value: Bool) { pieces.append(.parameter(value ? "t" : "f")) }

        /// An array, for `= any(\(names)::text[])`.
        package mutating func appendInterpolation(_ values: [String]) {
            let elements = values.map { "\"" + $0.escaping(["\"", "\\"]) { "\\\($0)" } + "\"" }
            pieces.append(.parameter("{" + elements.joined(separator: ",") + "}"))
        }

        /// Another statement's text and values, in place.
        package mutating func appendInterpolation(_ fragment: SQL) { pieces += fragment.pieces }

        /// A name of a table, column, role, database: always quoted.
        package mutating func appendInterpolation(identifier: String) { pieces.append(.text(quote(identifier))) }

        /// A table with its schema.
        package mutating func appendInterpolation(identifier table: QualifiedTable) {
            pieces.append(.text(quote(table.schema) + "." + quote(table.name)))
        }

        /// A number, for utility commands.
        package mutating func appendInterpolation(number: Int) { pieces.append(.text(String(number))) }

        /// A string constant, for utility commands, which take no parameters.
        package mutating func appendInterpolation(literal: String) {
            let doubled = literal.escaping(["'", "\\"]) { "\($0)\($0)" }
            // E'' means the same whatever standard_conforming_strings says.
            pieces.append(.text(literal.utf8.contains(UInt8(ascii: "\\")) ? " E'\(doubled)'" : "'\(doubled)'"))
        }
    }
}

private func quote(_ name: String) -> String { name.asQuotedIdentifier }
