// SPDX-License-Identifier: Apache-2.0

/// Bytes as printable ASCII (RFC 3986, section 2.1).
package enum PercentText {
    package enum Digits { case lower, upper }

    /// A letter, a digit, one of `._-` and what is kept is itself, all else `%3d`.
    package static func encoded(
        _ bytes: some Sequence<UInt8>, keeping kept: Set<UInt8> = [], _ digits: Digits = .lower
    ) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                text.append(byte)
            case _ where kept.contains(byte): text.append(byte)
            default:
                let digit = digits == .lower ? HexDigits.lower : HexDigits.upper
                text += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A `%` without two digits behind it is itself.
    package static func decoded(_ text: some Sequence<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(HexDigits.value),
                let low = rest.dropFirst().first.flatMap(HexDigits.value)
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
