// SPDX-License-Identifier: Apache-2.0

import CCrypto

/// RFC 4648, by libcrypto. libarchive leaves out the padding, and whoever reads may find it or not.
package enum Base64 {
    package static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
        return text.prefix(Int(count)).filter { $0 != padding }
    }

    /// - Returns: `nil` for what is no base64.
    package static func decoded(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.filter { $0 != padding && $0 != UInt8(ascii: "\n") }
        let missing = (4 - digits.count % 4) % 4
        var bytes = [UInt8](repeating: 0, count: (digits.count + missing) / 4 * 3)
        let whole = digits + [UInt8](repeating: padding, count: missing)
        guard EVP_DecodeBlock(&bytes, whole, Int32(clamping: whole.count)) == bytes.count else { return nil }
        return Array(bytes.dropLast(missing))
    }

    private static let padding = UInt8(ascii: "=")
}
