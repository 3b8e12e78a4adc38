// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Testing

@testable import Archive

@Suite("Names and numbers in a tar header")
struct TarNumberTests {
    private func decoded(_ blocks: [UInt8]) throws -> TarHeader {
        try blocks.withUnsafeBytes { try TarHeader(UnsafeRawBufferPointer(rebasing: $0.suffix(512))) }
    }

    @Test(
        "GNU's binary times before 1970 and after 2242 are read, not set to zero",
        arguments: [-1, -1_500_000_000, 9_000_000_000] as [Int64])
    func binaryTimes(seconds: Int64) throws {
        let path = try Backups.path("f")
        var block = TarEncoder.header(
            of: ArchiveEntry(path: path, kind: .file, mode: 0o644, modified: .init(seconds: 0)))
        block[136..<148] =
            ([UInt8](repeating: seconds < 0 ? 0xff : 0, count: 4)
            + withUnsafeBytes(of: seconds.bigEndian) { Array($0) })[...]
        if seconds >= 0 { block[136] = 0x80 }
        block.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        block.replaceSubrange(148..<(148 + sum.utf8.count), with: sum.utf8)
        #expect(try decoded(block).modified == FileTime(seconds: seconds))
    }

    @Test("what is encoded is decoded, for every length of name around ustar's limits")
    func names() throws {
        for length in 1...300 {
            let name = String((0..<length).map { $0 % 37 == 36 ? "/" : "n" })
            guard let path = EntryPath(name) else { continue }
            let blocks = TarEncoder.header(
                of: ArchiveEntry(path: path, kind: .file, size: 5, mode: 0o640, modified: .init(seconds: 7)))
            var header = try decoded(blocks)
            if blocks.count > 512 {
                let records = PaxRecords(decoding: Array(blocks[512..<(blocks.count - 512)]))
                #expect(header.apply(try #require(records)))
            }
            #expect(header.path == ArchiveLayout.top + [UInt8(ascii: "/")] + path.bytes)
            #expect(header.size == 5)
        }
    }

    @Test("sizes, ids and times that ustar has no room for go through pax")
    func large() throws {
        let path = try Backups.path("f")
        for (size, owner, time) in [
            (8_589_934_591, 2_097_151, FileTime(seconds: 8_589_934_591)),
            (8_589_934_592, 2_097_152, FileTime(seconds: 8_589_934_592, nanoseconds: 1)),
            (1 << 60, UInt32.max, FileTime(seconds: -1, nanoseconds: 750_000_000)),
        ] as [(UInt64, UInt32, FileTime)] {
            let blocks = TarEncoder.header(
                of: ArchiveEntry(
                    path: path, kind: .file, size: size, mode: 0o640, owner: owner, group: owner, modified: time))
            var header = try decoded(blocks)
            if blocks.count > 512 {
                #expect(header.apply(try #require(PaxRecords(decoding: Array(blocks[512..<(blocks.count - 512)])))))
            }
            #expect(header.size == size)
            #expect(header.owner == owner)
            #expect(header.group == owner)
            #expect(header.modified == time)
        }
    }

    @Test("a pax record of any length counts itself right")
    func records() throws {
        for length in 0..<1100 {
            var records = PaxRecords()
            records.add("path", [UInt8](repeating: UInt8(ascii: "p"), count: length))
            let decoded = try #require(PaxRecords(decoding: records.encoded()))
            #expect(decoded.values["path"]?.count == length)
        }
    }
}
