// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import TestSupport
import Testing

@testable import Archive

/// C35's kind: the index of an archive is sealed by its footer, and anybody may write both.
@Suite("Numbers in an index that no archive has")
struct IndexNumberTests {
    @Test("end no process, whoever reads it: it is damaged, or shown as it is (C35)")
    func forged() async {
        await #expect(processExitsWith: .success) { try ForgedIndex().tryAll() }
    }

    @Test("of a time the smallest there is comes back as it was written, through the index and through pax")
    func smallestTime() throws {
        for time in [
            FileTime(seconds: .min), FileTime(seconds: .min, nanoseconds: 250_000_000), FileTime(seconds: .max),
        ] {
            let entry = ArchiveEntry(path: try Backups.path("f"), kind: .file, mode: 0o644, modified: time)
            var line: [UInt8] = []
            IndexEncoder.append(
                .init(kind: .pack, offset: 0, length: 1, tarLength: 512, entries: [.init(entry: entry)]), to: &line)
            var text = IndexText(line[...])
            #expect(text.member()?.entries.first?.entry.modified == time)
            let blocks = TarEncoder.header(of: entry)
            let records = try #require(PaxRecords(decoding: Array(blocks[512..<(blocks.count - 512)])))
            #expect(PaxRecords.time(try #require(records.values["mtime"])) == time)
        }
    }
}

@Suite("Stamps and sizes that a file system may keep and nobody means")
struct StrangeFileTests {
    /// Of tmpfs, which keeps 64 bits of both.
    private let folder: TemporaryFolder
    private var tree: FilePath { folder.path.appending("tree") }

    init() throws {
        folder = try TemporaryFolder("strange", in: "/dev/shm")
        try Directory.make(tree)
    }

    @Test("a file of -2^63 s and one of 2^63-1 s are backed up, verified, taken over and restored as they are")
    func stamps() throws {
        for (name, time) in [("first", "@-9223372036854775808"), ("last", "@9223372036854775807")] {
            try Tool.shell("echo content > \"$1\" && touch -d '\(time)' \"$1\"", tree.appending(name))
        }
        let before = try TreeSnapshot(tree)
        #expect(Set(before.items.values.map(\.modified.seconds)) == [.min, .max])
        let (one, two) = (folder.path.appending("1.tar.gz"), folder.path.appending("2.tar.gz"))
        try Backups.archive(tree, to: one)
        _ = try ContentVerifier().verify(TarGzipReader(one))
        #expect(try ArchiveCheck(IndexedArchive(one), threads: 1).run().isEmpty)
        try Backups.write(tree, with: TarGzipWriter(creating: two, previous: one, threads: 1))
        for (archive, name) in [(one, "out1"), (two, "out2")] {
            let out = folder.path.appending(name)
            _ = try Backups.extract(TarGzipReader(archive), into: out)
            #expect(try TreeSnapshot(out).differences(from: before) == [])
        }
    }

    @Test("files whose sizes no sum can hold are counted, and end nothing")
    func sizes() throws {
        for name in ["a", "b", "c"] {
            try OpenFile(tree.appending(name), .createNew(mode: 0o644)).truncate(to: UInt64(Int64.max))
        }
        let estimate = try BackupEstimate(
            of: [(tree, .artifacts)], ignoring: [], beside: nil, sharesBlocks: false, atMost: 60)
        #expect(estimate.files == 3)
        #expect(estimate.bytes == .max && estimate.freshBytesAtMost == .max)
        _ = estimate.compressedFraction(in: tree)
    }
}

/// One archive whose index says something else each time.
private struct ForgedIndex {
    private let scratch: Scratch
    private let path: FilePath
    private let end: UInt64
    private let text: [UInt8]

    init() throws {
        scratch = try Scratch()
        let tree = try scratch.folder("tree")
        try OpenFile(tree.appending("small"), .createNew(mode: 0o644)).write(Array("content".utf8))
        try OpenFile(tree.appending("large"), .createNew(mode: 0o644)).truncate(to: UInt64(ArchiveLayout.chunkSize) + 7)
        path = scratch.path.appending("forged.tar.gz")
        try Backups.archive(tree, to: path)
        let archive = try IndexedArchive(path)
        end = archive.indexOffset
        let index = try archive.readIndex()
        var text = IndexEncoder.preamble(index.preamble)
        for (number, member) in index.members.enumerated() {
            if number > 0 { text += Array(",\n".utf8) }
            IndexEncoder.append(member, to: &text)
        }
        self.text = text + [UInt8(ascii: "\n")] + IndexEncoder.closing
    }

    /// The first number of each key of each kind of member and of entry, with each value.
    func tryAll() throws {
        var seen: [String: Int] = [:]
        for place in NumberPlaces(text).all {
            let line = text[..<place.range.lowerBound].split(separator: UInt8(ascii: "\n")).last ?? []
            let kind = line.prefix(20) + (line.split(separator: UInt8(ascii: "{")).last ?? []).prefix(14)
            // Times are two numbers of one key.
            let key = place.key + String(decoding: kind, as: UTF8.self)
            seen[key, default: 0] += 1
            guard seen[key] ?? 0 <= (place.key.hasSuffix("time") || place.key == "started" ? 2 : 1) else { continue }
            for value in NumberPlaces.values {
                try write(NumberPlaces.replacing(place.range, of: text, with: value))
                use()
            }
        }
    }

    /// Puts an index and a footer for it behind the members.
    private func write(_ text: [UInt8]) throws {
        var tar = TarEncoder.header(
            of: ArchiveEntry(
                path: .index, kind: .file, size: UInt64(text.count), mode: 0o644, modified: .init(seconds: 0)))
        tar += text + [UInt8](repeating: 0, count: ArchiveLayout.padding(after: UInt64(text.count)))
        let stored = GzipMember.stored(tar, header: GzipFrame.header()).bytes
        let footer = ArchiveFooter(
            indexOffset: end, indexLength: UInt64(stored.count), indexDigest: SHA256.digest(of: stored))
        let file = try OpenFile(path, .readWrite(create: 0o600))
        try file.truncate(to: end)
        try file.seek(to: end)
        try file.write(stored + footer.encoded())
    }

    /// What it says is an error or it is not; nothing else may happen.
    private func use() {
        let (path, scratch) = (path, scratch)
        func attempt(_ body: () throws -> Void) { do { try body() } catch {} }
        attempt {
            let records = try RecordStream(archive: path)
            while try records.next() != nil {}
        }
        attempt {
            try ArchiveDiff(from: RecordStream(archive: path), to: RecordStream(archive: path)).forEachChange { _ in }
        }
        attempt { _ = try ArchiveCheck(IndexedArchive(path), threads: 1).report() }
        let target = scratch.path.appending("out")
        attempt {
            try Directory.make(target, mode: 0o700)
            let extractor = ParallelExtractor([.init(.artifacts, into: target)], threads: 1)
            _ = try extractor.estimate(IndexedArchive(path))
            _ = try extractor.extract(IndexedArchive(path))
        }
        attempt { try Directory.removeTree(target) }
        let next = scratch.path.appending("next.tar.gz")
        attempt {
            let writer = try TarGzipWriter(creating: next, previous: path, threads: 1)
            try Backups.write(scratch.path.appending("tree"), with: writer)
        }
        attempt { try Directory.remove(next) }
    }
}
