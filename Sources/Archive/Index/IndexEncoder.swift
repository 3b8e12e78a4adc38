// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// The text of `index.json`: one member a line with its keys in a fixed order, so that it is written and read a
/// line at a time, whatever its size. `IndexDecoder` reads it; other programs may read it as the JSON it is.
enum IndexEncoder {
    static let newestFormat = 3
    /// Of a backup without objects, which every version reads.
    static let plainFormat = 2

    static func preamble(_ preamble: ArchiveIndex.Preamble) -> [UInt8] {
        let format = preamble.hasObjects ? newestFormat : plainFormat
        return Array(
            ("{\"format\":\(format),\"started\":[\(preamble.started.seconds),\(preamble.started.nanoseconds)],"
                + "\"generation\":\(preamble.generation),\"alignment\":\(preamble.alignment),"
                + (preamble.hasLists ? "\"acls\":true," : "") + "\"members\":[\n").utf8)
    }

    /// Ends the list that `preamble` began.
    static let closing = Array("]}\n".utf8)

    /// The line of one member, without the comma or line feed that follows it.
    static func append(_ member: ArchiveIndex.Member, to out: inout [UInt8]) {
        out += "{\"kind\":\"".utf8
        out += member.kind.rawValue.utf8
        out += "\",\"offset\":".utf8
        append(member.offset, to: &out)
        out += ",\"length\":".utf8
        append(member.length, to: &out)
        out += ",\"tar\":".utf8
        append(member.tarLength, to: &out)
        append(",\"sha256\":\"", member.digest, to: &out)
        if let checksum = member.checksum {
            out += ",\"crc64\":".utf8
            append(checksum, to: &out)
        }
        append(",\"content\":\"", member.content, to: &out)
        out += ",\"entries\":[".utf8
        for (position, record) in member.entries.enumerated() {
            if position > 0 { out.append(UInt8(ascii: ",")) }
            append(record, to: &out)
        }
        out += "]}".utf8
    }

    private static func append(_ record: ArchiveIndex.Record, to out: inout [UInt8]) {
        let entry = record.entry
        switch entry.kind {
        case .file: out += "{\"type\":\"file\"".utf8
        case .directory: out += "{\"type\":\"dir\"".utf8
        case .symbolicLink: out += "{\"type\":\"symlink\"".utf8
        case .hardLink: out += "{\"type\":\"link\"".utf8
        }
        append("path", entry.path.bytes, to: &out)
        switch entry.kind {
        case .file, .directory: break
        case .symbolicLink(let target): append("target", target, to: &out)
        case .hardLink(let target): append("target", target.bytes, to: &out)
        }
        out += ",\"size\":".utf8
        append(entry.size, to: &out)
        out += ",\"mode\":".utf8
        append(UInt64(entry.mode), to: &out)
        out += ",\"uid\":".utf8
        append(UInt64(entry.owner), to: &out)
        out += ",\"gid\":".utf8
        append(UInt64(entry.group), to: &out)
        append(",\"mtime\":[", entry.modified, to: &out)
        if let origin = entry.origin {
            out += ",\"dev\":".utf8
            append(origin.device, to: &out)
            out += ",\"ino\":".utf8
            append(origin.inode, to: &out)
            append(",\"ctime\":[", origin.changed, to: &out)
        }
        if let object = entry.object { append(object, to: &out) }
        append(",\"acl\":\"", entry.access, to: &out)
        append(",\"default_acl\":\"", entry.defaultAccess, to: &out)
        append(",\"sha256\":\"", record.digest, to: &out)
        out.append(UInt8(ascii: "}"))
    }

    private static func append(_ object: ArchiveEntry.Object, to out: inout [UInt8]) {
        out += ",\"unit\":".utf8
        append(object.unit, to: &out)
        if let key = object.key { append("key", key, to: &out) }
        if let tag = object.tag { append("tag", Array(tag.utf8), to: &out) }
        if let version = object.version { append("version", Array(version.utf8), to: &out) }
    }

    private static func append(_ key: StaticString, _ digest: Digest?, to out: inout [UInt8]) {
        guard let digest else { return }
        key.withUTF8Buffer { out += $0 }
        digest.appendHex(to: &out)
        out.append(UInt8(ascii: "\""))
    }

    private static func append(_ key: StaticString, _ list: AccessList?, to out: inout [UInt8]) {
        guard let list else { return }
        key.withUTF8Buffer { out += $0 }
        out += list.text.utf8
        out.append(UInt8(ascii: "\""))
    }

    private static func append(_ key: StaticString, _ time: FileTime, to out: inout [UInt8]) {
        key.withUTF8Buffer { out += $0 }
        if time.seconds < 0 { out.append(UInt8(ascii: "-")) }
        append(time.seconds.magnitude, to: &out)
        out.append(UInt8(ascii: ","))
        append(UInt64(time.nanoseconds), to: &out)
        out.append(UInt8(ascii: "]"))
    }

    private static func append(_ number: UInt64, to out: inout [UInt8]) {
        let start = out.count
        var rest = number
        repeat {
            out.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        out[start...].reverse()
    }

    /// A name that is UTF-8 is a string. Any other becomes `KEY_hex`: JSON has no room for raw bytes.
    private static func append(_ key: String, _ bytes: [UInt8], to out: inout [UInt8]) {
        out += ",\"".utf8
        out += key.utf8
        guard bytes.allSatisfy({ $0 < 0x80 }) || String(validating: bytes, as: UTF8.self) != nil else {
            out += "_hex\":\"".utf8
            for byte in bytes { out += [HexDigits.lower(byte >> 4), HexDigits.lower(byte & 15)] }
            out.append(UInt8(ascii: "\""))
            return
        }
        out += "\":\"".utf8
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7f: out += "\\u00".utf8 + [HexDigits.lower(byte >> 4), HexDigits.lower(byte & 15)]
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
