// SPDX-License-Identifier: Apache-2.0

import Wording

/// A table and the schema it is in.
package struct QualifiedTable: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let schema: String
    package let name: String

    package init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    // Names are bytes to the server: two that Swift finds canonically equivalent (é, e with an accent) are two tables.
    package static func == (lhs: QualifiedTable, rhs: QualifiedTable) -> Bool {
        lhs.schema.utf8.elementsEqual(rhs.schema.utf8) && lhs.name.utf8.elementsEqual(rhs.name.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for part in [schema, name] {
            hasher.combine(part.utf8.count)
            for byte in part.utf8 { hasher.combine(byte) }
        }
    }

    package static func < (lhs: QualifiedTable, rhs: QualifiedTable) -> Bool {
        lhs.schema.utf8.elementsEqual(rhs.schema.utf8)
            ? lhs.name.utf8.lexicographicallyPrecedes(rhs.name.utf8)
            : lhs.schema.utf8.lexicographicallyPrecedes(rhs.schema.utf8)
    }

    /// What is known of tables, by names that nobody takes for equal: of several that are canonically equivalent (to Swift, and to whoever
    /// reads JSON) the first is called what it is, and the others by their bytes.
    package static func byDistinctName<Value>(_ values: [QualifiedTable: Value]) -> [String: Value] {
        var named: [String: Value] = [:]
        for (table, value) in values.sorted(by: { $0.key < $1.key }) {
            named[named[table.description] == nil ? table.description : table.inBytes] = value
        }
        return named
    }

    /// `U&"public".U&"cafe\+000301"` (PostgreSQL manual, 4.1.1).
    private var inBytes: String {
        [schema, name].map { part in
            let escaped = part.unicodeScalars.map { scalar in
                if scalar == "\\" || scalar == "\"" { return "\(scalar)\(scalar)" }
                if scalar.isASCII { return "\(scalar)" }
                let digits = String(scalar.value, radix: 16, uppercase: true)
                return "\\+" + String(repeating: "0", count: 6 - digits.count) + digits
            }
            return "U&\"\(escaped.joined())\""
        }.joined(separator: ".")
    }

    /// `public.runs`; each part is quoted where it has to be, so that two tables never look the same.
    package var description: String { "\(Self.shown(schema)).\(Self.shown(name))" }

    static func shown(_ part: String) -> String {
        let plain = part.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
        return plain && !part.isEmpty ? part : part.asQuotedIdentifier
    }
}

extension String {
    /// As SQL names it, whatever it is: a word of the language, too.
    package var asQuotedIdentifier: String { "\"" + escaping(["\""]) { "\($0)\($0)" } + "\"" }
}
