// SPDX-License-Identifier: Apache-2.0

import SystemIO

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

/// As Signature Version 4 wants it (RFC 3986, section 2.1): all but unreserved characters, hexadecimal digits in upper case.
enum PercentEncoding {
    private static let unreserved: Set<UInt8> = [UInt8(ascii: "~")]

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        PercentText.encoded(bytes, keeping: unreserved, .upper)
    }

    /// A path: its slashes stay.
    static func path(_ bytes: some Sequence<UInt8>) -> String {
        PercentText.encoded(bytes, keeping: unreserved.union([UInt8(ascii: "/")]), .upper)
    }

    /// - Parameter plusIsSpace: as in an answer of S3 with `encoding-type=url`.
    static func decode(_ text: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8] {
        guard plusIsSpace else { return PercentText.decoded(text) }
        return PercentText.decoded(text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 })
    }
}
