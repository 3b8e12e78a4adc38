// SPDX-License-Identifier: Apache-2.0

/// Header fields in order, looked up without regard to case (RFC 9110 §5.1).
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
    /// One field line.
    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package private(set) var fields: [Field] = []

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }

    /// Fields as a client sent them, unchecked.
    init(received fields: [Field]) {
        self.fields = fields
    }

    /// The first value of the field.
    package subscript(name: String) -> String? {
        fields.first { ASCII.equalIgnoringCase($0.name, name) }?.value
    }

    /// Every value of the field, in order.
    package func values(_ name: String) -> [String] {
        fields.filter { ASCII.equalIgnoringCase($0.name, name) }.map(\.value)
    }

    /// Adds a field line.
    ///
    /// A value cannot start another line or end the head: each control character in it becomes a space (RFC 9110 §5.5 has
    /// it so for CR, LF and NUL; it would let a tab be). Names are literals of the program, so one that is not a
    /// token (RFC 9110 §5.6.2) is a programming error and stops it.
    package mutating func add(_ name: String, _ value: String) {
        precondition(ASCII.isToken(name.utf8), "a header name is a token")
        let clean =
            value.unicodeScalars.contains(where: HTTPHeaders.isControl)
            ? String(String.UnicodeScalarView(value.unicodeScalars.map { HTTPHeaders.isControl($0) ? " " : $0 }))
            : value
        fields.append(Field(name: name, value: clean))
    }

    /// Adds the field, after removing those of the same name.
    package mutating func set(_ name: String, _ value: String) {
        fields.removeAll { ASCII.equalIgnoringCase($0.name, name) }
        add(name, value)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || scalar.value == 0x7F
    }
}
