// SPDX-License-Identifier: Apache-2.0

import CCrypto

/// Bytes as printable ASCII: a letter, a digit or one of `._-` is itself, all else `%3d`.
enum PercentText {
    static func encoded(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += byte < 16 ? "%0" + String(byte, radix: 16) : "%" + String(byte, radix: 16)
            }
        }
        return text
    }

    /// A `%` without two digits behind it is itself.
    static func decoded(_ text: some Sequence<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

/// RFC 4648, by libcrypto. libarchive leaves out the padding, and whoever reads may find it or not.
enum Base64 {
    static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
        return text.prefix(Int(count)).filter { $0 != padding }
    }

    /// - Returns: `nil` for what is no base64.
    static func decoded(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.filter { $0 != padding && $0 != UInt8(ascii: "\n") }
        let missing = (4 - digits.count % 4) % 4
        var bytes = [UInt8](repeating: 0, count: (digits.count + missing) / 4 * 3)
        let whole = digits + [UInt8](repeating: padding, count: missing)
        guard EVP_DecodeBlock(&bytes, whole, Int32(clamping: whole.count)) == bytes.count else { return nil }
        return Array(bytes.dropLast(missing))
    }

    private static let padding = UInt8(ascii: "=")
}
