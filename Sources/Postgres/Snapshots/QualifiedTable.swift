// SPDX-License-Identifier: Apache-2.0

/// A table and the schema it is in.
public struct QualifiedTable: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let schema: String
    public let name: String

    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    public static func < (lhs: QualifiedTable, rhs: QualifiedTable) -> Bool {
        (lhs.schema, lhs.name) < (rhs.schema, rhs.name)
    }

    /// `public.runs`; each part is quoted where it has to be, so that two tables never look the same.
    public var description: String { "\(Self.shown(schema)).\(Self.shown(name))" }

    static func shown(_ part: String) -> String {
        let plain = part.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
        return plain && !part.isEmpty ? part : "\"\(part.replacing("\"", with: "\"\""))\""
    }
}
