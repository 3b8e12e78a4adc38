// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO

/// `index.json`: one member a line, so that it can be read line by line, whatever its size.
extension ArchiveIndex {
    static let formatVersion = 1

    func encoded() -> [UInt8] {
        var out: [UInt8] = Array("{\"format\":\(Self.formatVersion),\"members\":[\n".utf8)
        for (number, member) in members.enumerated() {
            out += "{\"kind\":\"\(member.kind.rawValue)\",\"offset\":\(member.offset),\"length\":\(member.length)".utf8
            out += ",\"tar\":\(member.tarLength)".utf8
            if let digest = member.digest { out += ",\"sha256\":\"\(digest.hex)\"".utf8 }
            out += ",\"entries\":[".utf8
            for (position, record) in member.entries.enumerated() {
                if position > 0 { out.append(UInt8(ascii: ",")) }
                record.append(to: &out)
            }
            out += (number + 1 < members.count ? "]},\n" : "]}\n").utf8
        }
        out += "]}\n".utf8
        return out
    }

    /// - Throws: `ArchiveError.damaged` where the text is not an index of this format.
    init(decoding bytes: [UInt8], archive: String) throws(ArchiveError) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, first.elementsEqual("{\"format\":\(Self.formatVersion),\"members\":[".utf8),
            lines.last?.elementsEqual("]}".utf8) == true
        else {
            throw .damaged(archive: archive, offset: 0, reason: "index.json is not of format \(Self.formatVersion)")
        }
        let decoder = JSONDecoder()
        members = []
        for line in lines.dropFirst().dropLast() {
            let body = line.last == UInt8(ascii: ",") ? line.dropLast() : line
            do {
                members.append(try decoder.decode(StoredMember.self, from: Data(body)).member())
            } catch {
                throw .damaged(
                    archive: archive, offset: 0, reason: "index.json has a line that cannot be read: \(error)")
            }
        }
    }
}

extension ArchiveIndex.Record {
    fileprivate func append(to out: inout [UInt8]) {
        out += "{\"type\":\"".utf8
        var link: [UInt8]?
        switch entry.kind {
        case .file: out += "file".utf8
        case .directory: out += "dir".utf8
        case .symbolicLink(let target):
            out += "symlink".utf8
            link = target
        case .hardLink(let target):
            out += "link".utf8
            link = target.bytes
        }
        out += "\"".utf8
        appendName("path", entry.path.bytes, to: &out)
        if let link { appendName("target", link, to: &out) }
        out += ",\"size\":\(entry.size),\"mode\":\(entry.mode),\"uid\":\(entry.owner),\"gid\":\(entry.group)".utf8
        out += ",\"mtime\":[\(entry.modified.seconds),\(entry.modified.nanoseconds)]".utf8
        if let origin = entry.origin {
            out += ",\"dev\":\(origin.device),\"ino\":\(origin.inode)".utf8
            out += ",\"ctime\":[\(origin.changed.seconds),\(origin.changed.nanoseconds)]".utf8
        }
        if let digest { out += ",\"sha256\":\"\(digest.hex)\"".utf8 }
        out.append(UInt8(ascii: "}"))
    }

    /// A name that is UTF-8 is a string. Any other becomes `KEY_hex`: JSON has no room for raw bytes.
    private func appendName(_ key: String, _ bytes: [UInt8], to out: inout [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            out += ",\"\(key)_hex\":\"".utf8
            let digits = Array("0123456789abcdef".utf8)
            for byte in bytes { out += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
            out.append(UInt8(ascii: "\""))
            return
        }
        out += ",\"\(key)\":\"".utf8
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7f:
                let hex = String(byte, radix: 16)
                out += ("\\u" + String(repeating: "0", count: 4 - hex.count) + hex).utf8
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

private struct StoredMember: Decodable {
    var kind: ArchiveIndex.Member.Kind
    var offset: UInt64
    var length: UInt64
    var tar: UInt64
    var sha256: String?
    var entries: [StoredRecord]

    func member() throws -> ArchiveIndex.Member {
        ArchiveIndex.Member(
            kind: kind, offset: offset, length: length, tarLength: tar, digest: try digest(sha256),
            entries: try entries.map { try $0.record() })
    }
}

private struct StoredRecord: Decodable {
    var type: String
    var path: String?
    var path_hex: String?
    var target: String?
    var target_hex: String?
    var size: UInt64
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    var mtime: [Int64]
    var dev: UInt64?
    var ino: UInt64?
    var ctime: [Int64]?
    var sha256: String?

    func record() throws -> ArchiveIndex.Record {
        guard let path = EntryPath(try name(path, path_hex)) else { throw BadIndex.path }
        let kind: ArchiveEntry.Kind
        switch type {
        case "file": kind = .file
        case "dir": kind = .directory
        case "symlink": kind = .symbolicLink(target: try name(target, target_hex))
        case "link":
            guard let target = EntryPath(try name(target, target_hex)) else { throw BadIndex.path }
            kind = .hardLink(target: target)
        default: throw BadIndex.type
        }
        var origin: ArchiveEntry.Origin?
        if let dev, let ino, let ctime { origin = .init(device: dev, inode: ino, changed: try time(ctime)) }
        return ArchiveIndex.Record(
            entry: ArchiveEntry(
                path: path, kind: kind, size: size, mode: mode, owner: uid, group: gid, modified: try time(mtime),
                origin: origin),
            digest: try digest(sha256))
    }

    private func name(_ text: String?, _ hex: String?) throws -> [UInt8] {
        if let text { return Array(text.utf8) }
        guard let hex, hex.utf8.count % 2 == 0 else { throw BadIndex.path }
        let digits = Array(hex.utf8)
        return try stride(from: 0, to: digits.count, by: 2).map { at in
            guard let byte = UInt8(String(decoding: digits[at..<(at + 2)], as: UTF8.self), radix: 16) else {
                throw BadIndex.path
            }
            return byte
        }
    }

    private func time(_ parts: [Int64]) throws -> FileTime {
        guard parts.count == 2, let nanoseconds = UInt32(exactly: parts[1]) else { throw BadIndex.time }
        return FileTime(seconds: parts[0], nanoseconds: nanoseconds)
    }
}

private enum BadIndex: Error { case path, type, time, digest }

private func digest(_ hex: String?) throws -> Digest? {
    guard let hex else { return nil }
    guard let digest = Digest(hex: hex) else { throw BadIndex.digest }
    return digest
}
