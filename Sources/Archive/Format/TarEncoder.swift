// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Writes tar header blocks: POSIX ustar, with a pax extended header for what ustar has no room for
/// (POSIX.1-2017, pax, "pax Interchange Format").
enum TarEncoder {
    /// The header blocks of one entry, a multiple of 512 bytes. Content and padding follow them.
    /// - Parameter names: of users and groups, for programs of others; ours go by numbers.
    static func header(
        of entry: ArchiveEntry, under top: [UInt8] = ArchiveLayout.top, names: AccountNames = AccountNames()
    ) -> [UInt8] {
        var path = top + [slash] + entry.path.bytes
        var link: [UInt8] = []
        var type = UInt8(ascii: "0")
        switch entry.kind {
        case .file: break
        case .directory:
            type = UInt8(ascii: "5")
            path.append(slash)
        case .symbolicLink(let target):
            type = UInt8(ascii: "2")
            link = target
        case .hardLink(let target):
            type = UInt8(ascii: "1")
            link = top + [slash] + target.bytes
        }

        var pax = PaxRecords()
        let split = splitName(path)
        if split == nil { pax.add("path", path) }
        if link.count > 100 { pax.add("linkpath", link) }
        if entry.size > 0o777_7777_7777 { pax.add("size", "\(entry.size)") }
        if entry.owner > 0o777_7777 { pax.add("uid", "\(entry.owner)") }
        if entry.group > 0o777_7777 { pax.add("gid", "\(entry.group)") }
        if entry.modified.nanoseconds != 0 || entry.modified.seconds < 0 || entry.modified.seconds > 0o777_7777_7777 {
            pax.add("mtime", decimal(entry.modified))
        }

        // GNU tar and bsdtar restore these with --xattrs and --acls.
        for attribute in entry.attributes { pax.add(attribute: attribute) }
        if let list = entry.access { pax.add(PaxRecords.accessKey, list.linesOfText) }
        if let list = entry.defaultAccess { pax.add(PaxRecords.defaultAccessKey, list.linesOfText) }

        if let key = entry.object?.key { pax.add(PaxRecords.keyOfObject, key) }

        var blocks: [UInt8] = []
        if !pax.isEmpty {
            let records = pax.encoded()
            blocks += block(
                name: Array("././@PaxHeader".utf8), prefix: [], type: UInt8(ascii: "x"), link: [],
                size: UInt64(records.count), mode: 0o644, owner: 0, group: 0, seconds: 0)
            blocks += records
            blocks += [UInt8](repeating: 0, count: ArchiveLayout.padding(after: UInt64(records.count)))
        }
        let name = split ?? (prefix: [], name: Array(path.prefix(100)))
        blocks += block(
            name: name.name, prefix: name.prefix, type: type, link: Array(link.prefix(100)),
            size: entry.size > 0o777_7777_7777 ? 0 : entry.size, mode: entry.mode, owner: min(entry.owner, 0o777_7777),
            group: min(entry.group, 0o777_7777), seconds: entry.modified.seconds,
            names: (names.name(ofUser: entry.owner), names.name(ofGroup: entry.group)))
        return blocks
    }

    /// Two blocks of zeros end an archive.
    static let endOfArchive = [UInt8](repeating: 0, count: 2 * ArchiveLayout.blockSize)

    /// ustar keeps 100 bytes of name and 155 of what stands before a slash.
    private static func splitName(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        if path.count <= 100 { return ([], path) }
        guard path.count <= 256 else { return nil }
        // The last byte may be a folder's own slash, which stays with the name.
        for cut in stride(from: min(155, path.count - 2), through: 1, by: -1) where path[cut] == slash {
            let name = path[(cut + 1)...]
            return name.count <= 100 ? (Array(path[..<cut]), Array(name)) : nil
        }
        return nil
    }

    private static func block(
        name: [UInt8], prefix: [UInt8], type: UInt8, link: [UInt8], size: UInt64, mode: UInt32, owner: UInt32,
        group: UInt32, seconds: Int64, names: (user: String?, group: String?) = (nil, nil)
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: ArchiveLayout.blockSize)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        func putOctal(_ value: UInt64, at offset: Int, width: Int) {
            let digits = String(value, radix: 8).utf8
            put(repeatElement(UInt8(ascii: "0"), count: width - 1 - digits.count), at: offset)
            put(digits, at: offset + width - 1 - digits.count)
        }
        put(name, at: 0)
        putOctal(UInt64(mode & 0o7777), at: 100, width: 8)
        putOctal(UInt64(owner), at: 108, width: 8)
        putOctal(UInt64(group), at: 116, width: 8)
        putOctal(size, at: 124, width: 12)
        putOctal(UInt64(clamping: min(max(seconds, 0), 0o777_7777_7777)), at: 136, width: 12)
        block[156] = type
        put(link, at: 157)
        put("ustar\u{0}00".utf8, at: 257)
        // 32 bytes each, with a NUL at the end.
        if let user = names.user, user.utf8.count < 32 { put(user.utf8, at: 265) }
        if let group = names.group, group.utf8.count < 32 { put(group.utf8, at: 297) }
        put(prefix, at: 345)
        // The checksum is summed with its own field read as spaces.
        put(repeatElement(UInt8(ascii: " "), count: 8), at: 148)
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        putOctal(sum, at: 148, width: 7)
        return block
    }

    /// Seconds with nanoseconds, as pax wants them. -0.25 s is stored as second -1 and 750,000,000 ns.
    private static func decimal(_ time: FileTime) -> String {
        let negative = time.seconds < 0 && time.nanoseconds > 0
        let whole = negative ? -(time.seconds + 1) : time.seconds
        let nanoseconds = negative ? 1_000_000_000 - time.nanoseconds : time.nanoseconds
        let digits = String(nanoseconds)
        var fraction = String(repeating: "0", count: 9 - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return (negative ? "-" : "") + "\(whole)" + (fraction.isEmpty ? "" : "." + fraction)
    }
}

private let slash = UInt8(ascii: "/")
