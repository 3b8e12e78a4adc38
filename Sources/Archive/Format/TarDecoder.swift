// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One decoded ustar or GNU header block, before pax records are laid over it.
struct TarHeader {
    var path: [UInt8]
    var link: [UInt8]
    var size: UInt64
    var mode: UInt32
    var owner: UInt32
    var group: UInt32
    var modified: FileTime
    var type: UInt8

    enum Fault: Error { case checksum, number }

    /// - Parameter block: 512 bytes that are not all zero.
    init(_ block: UnsafeRawBufferPointer) throws(Fault) {
        func text(_ range: Range<Int>) -> [UInt8] { Array(block[range].prefix { $0 != 0 }) }
        var sum: Int64 = 0
        for (index, byte) in block.enumerated() {
            sum += (148..<156).contains(index) ? Int64(UInt8(ascii: " ")) : Int64(byte)
        }
        guard try Self.number(block[148..<156]) == sum else { throw .checksum }
        type = block[156]
        path = text(0..<100)
        link = text(157..<257)
        guard let length = UInt64(exactly: try Self.number(block[124..<136])) else { throw .number }
        size = length
        mode = UInt32(truncatingIfNeeded: try Self.number(block[100..<108])) & 0o7777
        owner = Self.account(try Self.number(block[108..<116]))
        group = Self.account(try Self.number(block[116..<124]))
        modified = FileTime(seconds: try Self.number(block[136..<148]))
        // POSIX says "ustar\0"; GNU's "ustar  " uses the prefix field for times instead.
        if block[257..<263].elementsEqual("ustar\u{0}".utf8) {
            let prefix = text(345..<500)
            if !prefix.isEmpty { path = prefix + [UInt8(ascii: "/")] + path }
        }
    }

    /// A number that no user or group has is nobody's: cut to 32 bits it could be root's.
    private static func account(_ number: Int64) -> UInt32 {
        UInt32(exactly: number) ?? nobody
    }

    private static let nobody: UInt32 = 65534

    /// Octal text, or GNU's big-endian two's complement where the first bit is set.
    private static func number(_ field: Slice<UnsafeRawBufferPointer>) throws(Fault) -> Int64 {
        guard let first = field.first else { throw .number }
        if first == 0x80 || first == 0xff {
            var value: Int64 = first == 0xff ? -1 : 0
            for byte in field.dropFirst() {
                guard (-1 << 54..<1 << 54).contains(value) else { throw .number }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        var value: Int64 = 0
        var sawDigit = false
        for byte in field {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                if value >> 59 != 0 { throw .number }
                value = value << 3 | Int64(byte - UInt8(ascii: "0"))
                sawDigit = true
            case UInt8(ascii: " "), 0:
                if sawDigit { return value }
            default: throw .number
            }
        }
        return value
    }

    mutating func apply(_ pax: PaxRecords) -> Bool {
        if let path = pax.values["path"] { self.path = path }
        if let link = pax.values["linkpath"] { self.link = link }
        func decimal(_ key: String) -> UInt64?? {
            guard let bytes = pax.values[key] else { return .some(nil) }
            guard let value = UInt64(String(decoding: bytes, as: UTF8.self)) else { return nil }
            return .some(value)
        }
        guard let size = decimal("size"), let owner = decimal("uid"), let group = decimal("gid") else { return false }
        if let size {
            // Later sums must not overflow; no file system has files this long.
            guard size <= Int64.max else { return false }
            self.size = size
        }
        if let owner { self.owner = Self.account(Int64(clamping: owner)) }
        if let group { self.group = Self.account(Int64(clamping: group)) }
        if let bytes = pax.values["mtime"] {
            guard let time = PaxRecords.time(bytes) else { return false }
            modified = time
        }
        return true
    }
}
