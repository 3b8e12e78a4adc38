// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Header text that is not plain ASCII: `=?UTF-8?B?…?=` (RFC 2047).
enum EncodedWord {
    /// A header line with its line end, folded where it must be. Control characters become spaces, so that nothing in
    /// `value` can end the line.
    static func header(_ name: String, _ value: String) -> String {
        let clean = String(String.UnicodeScalarView(value.unicodeScalars.map { isControl($0) ? " " : $0 }))
        let line = "\(name): \(clean)"
        // RFC 5322, 2.1.1: 78 characters a line. `=?` in plain text would be taken for an encoded word.
        if clean.utf8.allSatisfy({ $0 < 0x80 }), line.utf8.count <= 78, !clean.contains("=?") { return line + "\r\n" }
        return "\(name): " + words(clean, firstLineUsed: name.utf8.count + 2).joined(separator: "\r\n ") + "\r\n"
    }

    /// Encoded words of at most 75 octets, on lines of at most 76 (section 2), each a whole number of characters
    /// (section 5).
    private static func words(_ text: String, firstLineUsed: Int) -> [String] {
        var words: [String] = []
        var piece: [UInt8] = []
        var room = bytesFitting(min(75, 76 - firstLineUsed))
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if piece.count + bytes.count > room {
                words.append(word(piece))
                piece = []
                room = bytesFitting(75)
            }
            piece += bytes
        }
        words.append(word(piece))
        return words
    }

    private static func word(_ bytes: [UInt8]) -> String { prefix + Data(bytes).base64EncodedString() + suffix }

    /// Base64 makes four characters of three bytes.
    private static func bytesFitting(_ length: Int) -> Int { (length - prefix.count - suffix.count) / 4 * 3 }

    /// C0, DEL and C1, and Unicode's own line and paragraph separators.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar == "\u{2028}" || scalar == "\u{2029}"
    }

    private static let prefix = "=?UTF-8?B?"
    private static let suffix = "?="
}
