// SPDX-License-Identifier: Apache-2.0

import Wording

/// How much of a JSON text is read at all. Counted in one pass over its bytes, before a decoder sees them: Foundation's
/// descends once a level, and objects nested 350 deep, two kilobytes, ended the process.
///
/// What is well-formed stays the decoder's to say; here a text is only ever found too large, too deep or too full.
struct JSONBounds {
    /// In bytes.
    var size = 64 << 10
    /// Objects and arrays within each other.
    var depth = 4
    /// Members of objects, elements of arrays, and the objects and arrays themselves.
    var values = 64

    /// What a request to this API may be: one object of a few fields.
    static let request = JSONBounds()

    /// What one pass over a text found.
    struct Look {
        /// What is too much, or a comma behind which nothing comes, which Foundation's decoder lets pass; `nil` where the decoder may read it.
        var fault: BilingualText?
        /// Members of the outermost object, each counted also where it has the name of another: the decoder keeps one of them unsaid.
        var members = 0
    }

    func look(at bytes: [UInt8]) -> Look {
        var look = Look()
        look.fault = fault(in: bytes, &look.members)
        return look
    }

    private func fault(in bytes: [UInt8], _ members: inout Int) -> BilingualText? {
        guard bytes.count <= size else {
            return BilingualText(zh: "超过 \(size) 字节", en: "it is larger than \(size) bytes")
        }
        var level = 0
        var found = 0
        var isInString = false
        var isEscaped = false
        var isAfterComma = false
        for byte in bytes {
            // In UTF-16 and UTF-32, which a decoder would tell by it, a quotation mark is not where this looks for it.
            if byte == 0 { return BilingualText(zh: "不是 UTF-8 文本", en: "it is not UTF-8 text") }
            if isInString {
                // Within a string (RFC 8259 section 7) only an unescaped quotation mark means anything.
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
            case UInt8(ascii: "}") where isAfterComma, UInt8(ascii: "]") where isAfterComma:
                return BilingualText(zh: "逗号之后没有内容", en: "nothing comes after a comma")
            default: isAfterComma = byte == UInt8(ascii: ",")
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: ":") where level == 1: members += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                level += 1
                found += 1
                if level > depth {
                    return BilingualText(zh: "嵌套超过 \(depth) 层", en: "it is nested more than \(depth) levels deep")
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): level -= 1
            case UInt8(ascii: ","): found += 1
            default: break
            }
            if found > values {
                return BilingualText(zh: "超过 \(values) 个值", en: "it holds more than \(values) values")
            }
        }
        return nil
    }
}
