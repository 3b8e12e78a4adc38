// SPDX-License-Identifier: Apache-2.0

/// The numbers of a JSON text, each with the key that it belongs to.
package struct NumberPlaces {
    package struct Place: Sendable {
        package let key: String
        package let range: Range<Int>
    }

    package private(set) var all: [Place] = []

    package init(_ text: [UInt8]) {
        var (key, index) = ("", 0)
        while index < text.count {
            if text[index] == UInt8(ascii: "\"") {
                let start = index + 1
                index = start
                while index < text.count, text[index] != UInt8(ascii: "\"") {
                    index += text[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                let rest = text[min(index + 1, text.count)...].drop { $0 == UInt8(ascii: " ") }
                if rest.first == UInt8(ascii: ":") { key = String(decoding: text[start..<index], as: UTF8.self) }
                index += 1
            } else if Self.isPart(text[index]) {
                let start = index
                while index < text.count, Self.isPart(text[index]) || text[index] == UInt8(ascii: ".") { index += 1 }
                all.append(Place(key: key, range: start..<index))
            } else {
                index += 1
            }
        }
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }

    /// The text with another number in a place.
    package static func replacing(_ range: Range<Int>, of text: [UInt8], with value: String) -> [UInt8] {
        text[..<range.lowerBound] + Array(value.utf8) + text[range.upperBound...]
    }

    /// The text with another number in each place.
    package static func replacingAll(of text: [UInt8], with value: String) -> [UInt8] {
        NumberPlaces(text).all.reversed().reduce(text) { replacing($1.range, of: $0, with: value) }
    }

    /// What nobody means and anybody may write.
    package static let values = [
        "0", "-1", "2147483648", "4294967296", "9007199254740992", "9223372036854775807", "-9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e308", "nan",
    ]

    /// Those of them at which arithmetic ends, where each takes a file of its own.
    package static let edges = [
        "-1", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e308",
    ]
}
