// SPDX-License-Identifier: Apache-2.0

/// An entity tag (RFC 9110 §8.8.3).
package struct EntityTag: Sendable, Equatable, CustomStringConvertible {
    /// What stands between the quotes.
    package let opaque: String
    package let isWeak: Bool

    /// `nil` when the text holds a quote, a space or a control character.
    package init?(_ opaque: String, isWeak: Bool = false) {
        guard opaque.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x22 && $0 != 0x7F }) else { return nil }
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// One tag as a header holds it, `"x"` or `W/"x"`.
    package init?(header: String) {
        var text = ASCII.trimmed(header[...])
        let weak = text.hasPrefix("W/")
        if weak { text = text.dropFirst(2) }
        guard text.utf8.count >= 2, text.utf8.first == 0x22, text.utf8.last == 0x22 else { return nil }
        self.init(String(text.dropFirst().dropLast()), isWeak: weak)
    }

    package var description: String { "\(isWeak ? "W/" : "")\"\(opaque)\"" }

    /// Same bytes: neither is weak (RFC 9110 §8.8.3.2).
    package func matchesStrongly(_ other: EntityTag) -> Bool {
        !isWeak && !other.isWeak && opaque.utf8.elementsEqual(other.opaque.utf8)
    }

    package func matchesWeakly(_ other: EntityTag) -> Bool {
        opaque.utf8.elementsEqual(other.opaque.utf8)
    }

    /// The tags of If-Match or If-None-Match lines; what is not a tag is skipped. A tag may hold a comma.
    static func list(_ lines: [String]) -> [EntityTag] {
        lines.flatMap { line -> [EntityTag] in
            var items: [String] = [""]
            var quoted = false
            for scalar in line.unicodeScalars {
                if scalar == "\"" { quoted.toggle() }
                if scalar == ",", !quoted {
                    items.append("")
                } else {
                    items[items.count - 1].unicodeScalars.append(scalar)
                }
            }
            return items.compactMap(EntityTag.init(header:))
        }
    }
}
