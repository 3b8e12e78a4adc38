// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// A cursor over one line of `index.json`. Every method returns `nil` where the text is not what it must be.
struct IndexText {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func preamble() -> ArchiveIndex.Preamble? {
        guard let format = format(), format <= IndexEncoder.newestFormat, format >= IndexEncoder.plainFormat,
            take(",\"started\":"), let started = time(), take(",\"generation\":"),
            let generation = number(), let generation = Int(exactly: generation), take(",\"alignment\":"),
            let alignment = number(), let alignment = Int(exactly: alignment), alignment > 0
        else { return nil }
        let hasLists = take(",\"acls\":true")
        guard take(",\"members\":[") else { return nil }
        return .init(
            started: started, generation: generation, alignment: alignment, hasLists: hasLists,
            hasObjects: format > IndexEncoder.plainFormat)
    }

    /// What the first line begins with.
    mutating func format() -> Int? {
        guard take("{\"format\":"), let format = number() else { return nil }
        return Int(exactly: format)
    }

    mutating func member() -> ArchiveIndex.Member? {
        guard take("{\"kind\":\""), let kind = kind(), take("\",\"offset\":"), let offset = number(),
            take(",\"length\":"), let length = number(), take(",\"tar\":"), let tar = number()
        else { return nil }
        var member = ArchiveIndex.Member(kind: kind, offset: offset, length: length, tarLength: tar, entries: [])
        guard optionalDigest(",\"sha256\":\"", &member.digest) else { return nil }
        if take(",\"crc64\":") {
            guard let checksum = number() else { return nil }
            member.checksum = checksum
        }
        guard optionalDigest(",\"content\":\"", &member.content), take(",\"entries\":[")
        else { return nil }
        if !take("]}") {
            repeat {
                guard let record = record() else { return nil }
                member.entries.append(record)
            } while skip(UInt8(ascii: ","))
            guard take("]}") else { return nil }
        }
        return member
    }

    @discardableResult
    mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.endIndex, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func kind() -> ArchiveIndex.Member.Kind? {
        if take("pack") { return .pack }
        if take("chunk") { return .chunk }
        if take("header") { return .header }
        return take("loose") ? .loose : nil
    }

    private mutating func record() -> ArchiveIndex.Record? {
        guard take("{\"type\":\"") else { return nil }
        let isFile = take("file\"")
        let isFolder = !isFile && take("dir\"")
        let isSymbolic = !isFile && !isFolder && take("symlink\"")
        guard isFile || isFolder || isSymbolic || take("link\"") else { return nil }
        guard let name = name("path"), let path = EntryPath(name) else { return nil }
        var kind = isFile ? ArchiveEntry.Kind.file : .directory
        if !isFile && !isFolder {
            guard let target = self.name("target") else { return nil }
            if isSymbolic {
                kind = .symbolicLink(target: target)
            } else {
                guard let linked = EntryPath(target) else { return nil }
                kind = .hardLink(target: linked)
            }
        }
        guard take(",\"size\":"), let size = number(), take(",\"mode\":"), let mode = smallNumber(), take(",\"uid\":"),
            let owner = smallNumber(), take(",\"gid\":"), let group = smallNumber(), take(",\"mtime\":"),
            let modified = time()
        else { return nil }
        var entry = ArchiveEntry(
            path: path, kind: kind, size: size, mode: mode, owner: owner, group: group, modified: modified)
        if take(",\"dev\":") {
            guard let device = number(), take(",\"ino\":"), let inode = number(), take(",\"ctime\":"),
                let changed = time()
            else { return nil }
            entry.origin = .init(device: device, inode: inode, changed: changed)
        }
        guard object(&entry.object) else { return nil }
        guard accessList(",\"acl\":\"", .access, &entry.access),
            accessList(",\"default_acl\":\"", .inheritance, &entry.defaultAccess)
        else { return nil }
        var record = ArchiveIndex.Record(entry: entry)
        guard optionalDigest(",\"sha256\":\"", &record.digest), take("}") else { return nil }
        return record
    }

    private mutating func object(_ object: inout ArchiveEntry.Object?) -> Bool {
        guard take(",\"unit\":") else { return true }
        guard let unit = number() else { return false }
        var found = ArchiveEntry.Object(unit: unit)
        found.key = optionalName("key")
        found.tag = optionalName("tag").map { String(decoding: $0, as: UTF8.self) }
        found.version = optionalName("version").map { String(decoding: $0, as: UTF8.self) }
        object = found
        return true
    }

    private mutating func optionalName(_ key: StaticString) -> [UInt8]? {
        let start = position
        if let name = name(key) { return name }
        position = start
        return nil
    }

    private mutating func optionalDigest(_ key: StaticString, _ digest: inout Digest?) -> Bool {
        guard take(key) else { return true }
        guard bytes.endIndex - position > 64, bytes[position + 64] == UInt8(ascii: "\"") else { return false }
        digest = Digest(hex: bytes[position..<(position + 64)])
        position += 65
        return digest != nil
    }

    private mutating func accessList(
        _ key: StaticString, _ purpose: AccessList.Purpose, _ list: inout AccessList?
    ) -> Bool {
        guard take(key) else { return true }
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\"")) else { return false }
        let text = String(decoding: bytes[position..<end], as: UTF8.self)
        position = end + 1
        guard case .list(let found) = AccessList.parse(text, for: purpose, AccountNames()) else { return false }
        list = found
        return true
    }

    private mutating func take(_ expected: StaticString) -> Bool {
        let count = expected.utf8CodeUnitCount
        guard bytes.endIndex - position >= count else { return false }
        for index in 0..<count where bytes[position + index] != expected.utf8Start[index] { return false }
        position += count
        return true
    }

    private mutating func number() -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < bytes.endIndex, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }

    private mutating func smallNumber() -> UInt32? { number().flatMap { UInt32(exactly: $0) } }

    private mutating func time() -> FileTime? {
        guard skip(UInt8(ascii: "[")) else { return nil }
        let isNegative = skip(UInt8(ascii: "-"))
        guard let magnitude = number(), let seconds = Int64(magnitude: magnitude, isNegative: isNegative),
            skip(UInt8(ascii: ",")), let nanoseconds = smallNumber(), nanoseconds < 1_000_000_000,
            skip(UInt8(ascii: "]"))
        else { return nil }
        return FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }

    private mutating func name(_ key: StaticString) -> [UInt8]? {
        guard skip(UInt8(ascii: ",")), skip(UInt8(ascii: "\"")), take(key) else { return nil }
        if take("_hex\":\"") { return hexName() }
        guard take("\":\"") else { return nil }
        // The common name has nothing escaped in it and is copied whole.
        let start = position
        while position < bytes.endIndex, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
            position += 1
        }
        var name = Array(bytes[start..<position])
        while position < bytes.endIndex, !skip(UInt8(ascii: "\"")) {
            guard skip(UInt8(ascii: "\\")) else {
                name.append(bytes[position])
                position += 1
                continue
            }
            if skip(UInt8(ascii: "\"")) {
                name.append(UInt8(ascii: "\""))
            } else if skip(UInt8(ascii: "\\")) {
                name.append(UInt8(ascii: "\\"))
            } else {
                guard take("u00"), let byte = hexByte() else { return nil }
                name.append(byte)
            }
        }
        return position > start && bytes[position - 1] == UInt8(ascii: "\"") ? name : nil
    }

    private mutating func hexName() -> [UInt8]? {
        var name: [UInt8] = []
        while !skip(UInt8(ascii: "\"")) {
            guard let byte = hexByte() else { return nil }
            name.append(byte)
        }
        return name
    }

    private mutating func hexByte() -> UInt8? {
        guard bytes.endIndex - position >= 2, let high = HexDigits.value(of: bytes[position]),
            let low = HexDigits.value(of: bytes[position + 1])
        else { return nil }
        position += 2
        return high << 4 | low
    }
}
