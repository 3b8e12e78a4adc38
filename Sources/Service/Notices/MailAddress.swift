// SPDX-License-Identifier: Apache-2.0

import Wording

/// One address as SMTP takes it: `local@domain`, a dot-string and a domain name or a bracketed address literal
/// (RFC 5321, section 4.1.2), in ASCII.
///
/// Stricter than the RFC on purpose: no quoted local part, no comment, no display name, no list. So nothing in it
/// can end a header or begin a second recipient.
package struct MailAddress: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// - Throws: `MailAddressError`, for people and for a 422 answer.
    package init(_ text: String) throws(MailAddressError) {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 < 0x80 }) else { throw MailAddressError(reason: .notASCII) }
        // RFC 5321, 4.5.3.1: a path is 256 octets with its angle brackets, a local part 64.
        guard bytes.count <= 254 else { throw MailAddressError(reason: .tooLong) }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw MailAddressError(reason: .malformed) }
        guard parts[0].utf8.count <= 64 else { throw MailAddressError(reason: .tooLong) }
        let atoms = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard atoms.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isAtomByte) }), Self.isDomain(parts[1]) else {
            throw MailAddressError(reason: .malformed)
        }
        self.text = text
    }

    package var description: String { text }
    var domain: Substring { text[text.index(after: text.firstIndex(of: "@") ?? text.startIndex)...] }

    private static func isDomain(_ domain: Substring) -> Bool {
        if domain.hasPrefix("["), domain.hasSuffix("]") {
            let literal = domain.dropFirst().dropLast()
            return !literal.isEmpty && literal.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2e || $0 == 0x3a }
        }
        // One label is enough: `root@localhost` and names inside a company are used.
        return domain.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }
}

/// Why a text is no usable address.
package struct MailAddressError: ExplainedError, Equatable {
    package enum Reason: Sendable { case malformed, tooLong, notASCII }

    package let reason: Reason

    /// What would do, as the second half of a sentence.
    package var allowed: BilingualText {
        switch reason {
        case .malformed:
            BilingualText(
                zh: "一个邮箱地址，如 admin@company.com（不含空格、引号、逗号）",
                en: "one address such as admin@company.com, without spaces, quotes or commas")
        case .tooLong:
            BilingualText(
                zh: "最长 254 个字符、@ 之前最长 64 个字符的邮箱地址",
                en: "an address of at most 254 characters, 64 before the @")
        case .notASCII:
            BilingualText(
                zh: "ASCII 字符的邮箱地址（国际化域名请写成 xn-- 形式）",
                en: "an address in ASCII (write an international domain in its xn-- form)")
        }
    }

    package var explanation: BilingualText {
        BilingualText(
            zh: "邮箱地址无效，应为：\(allowed.chinese)。", en: "The e-mail address is not valid; it must be \(allowed.english).")
    }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}

/// `atext` of RFC 5322, section 3.2.3.
private func isAtomByte(_ byte: UInt8) -> Bool {
    isLetterOrDigit(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
}
