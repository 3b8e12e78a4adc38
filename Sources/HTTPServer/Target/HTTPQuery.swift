// SPDX-License-Identifier: Apache-2.0

/// The parameters after `?`, in order, decoded as forms are: `+` is a space, then percent-encoding.
///
/// A `%` that starts no encoding stands for itself; bytes that are not UTF-8 become U+FFFD.
package struct HTTPQuery: Sendable {
    /// One parameter; without `=` its value is empty.
    package struct Item: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package let items: [Item]

    /// Parses what follows the `?`.
    package init(_ text: String) {
        self.init(bytes: Array(text.utf8))
    }

    init(bytes: some Collection<UInt8>) {
        items = bytes.split(separator: UInt8(ascii: "&")).map { pair in
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            return Item(
                name: HTTPQuery.decode(pair[..<(equals ?? pair.endIndex)]),
                value: equals.map { HTTPQuery.decode(pair[pair.index(after: $0)...]) } ?? "")
        }
    }

    /// The first value given for the name.
    package subscript(name: String) -> String? {
        items.first { $0.name == name }?.value
    }

    private static func decode(_ bytes: some Collection<UInt8>) -> String {
        let spaced = bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
        return String(decoding: PercentCoding.decode(spaced) ?? spaced, as: UTF8.self)
    }
}
