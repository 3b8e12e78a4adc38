// SPDX-License-Identifier: Apache-2.0

/// The name of an object below the root of a store: bytes, which need be no legal path (`a//b`, `..`, a trailing slash).
///
/// Keys compare by their bytes, as S3 lists them; a `String` would compare by what it looks like.
package struct ObjectKey: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }
    package init(_ string: String) { bytes = Array(string.utf8) }
    package init(stringLiteral value: String) { self.init(value) }

    /// For people; what is no UTF-8 is shown as U+FFFD.
    package var description: String { String(decoding: bytes, as: UTF8.self) }

    package static func < (lhs: ObjectKey, rhs: ObjectKey) -> Bool { lhs.bytes.lexicographicallyPrecedes(rhs.bytes) }
}

/// RFC 3986 section 2.1, as Signature Version 4 wants it: all but unreserved characters, hexadecimal digits in upper case.
enum PercentEncoding {
    static func encode(_ bytes: some Sequence<UInt8>, keeping kept: Set<UInt8> = []) -> String {
        var encoded: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            case _ where kept.contains(byte): encoded.append(byte)
            default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// A path: its slashes stay.
    static func path(_ bytes: some Sequence<UInt8>) -> String { encode(bytes, keeping: [UInt8(ascii: "/")]) }

    /// - Parameter plusIsSpace: as in an answer of S3 with `encoding-type=url`.
    static func decode(_ text: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(value),
                let low = rest.dropFirst().first.flatMap(value)
            {
                decoded.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                decoded.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
            }
        }
        return decoded
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
