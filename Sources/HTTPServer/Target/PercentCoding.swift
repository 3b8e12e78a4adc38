// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Percent-encoding (RFC 3986 §2.1).
package enum PercentCoding {
    /// The bytes meant, or `nil` where a `%` is not followed by two hexadecimal digits.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(HexDigits.value),
                let low = rest.next().flatMap(HexDigits.value)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// Everything but the unreserved characters (letters, digits, `-._~`) as `%HH` of its UTF-8.
    package static func encode(_ text: String) -> String {
        encode(text) { ASCII.isAlphanumeric($0) || "-._~".utf8.contains($0) }
    }

    static func encode(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isKept(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), HexDigits.upper(byte >> 4), HexDigits.upper(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
