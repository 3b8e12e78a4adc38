// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Testing

@Suite("Two backups are compared by their indexes alone")
struct ArchiveDiffTests {
    private func changes(_ before: RecordStream, _ after: RecordStream) throws -> [String] {
        var lines: [String] = []
        try ArchiveDiff(from: before, to: after).forEachChange { change in
            switch change {
            case .added(let record): lines.append("+ \(record.entry.path)")
            case .removed(let record): lines.append("- \(record.entry.path)")
            case .changed(let old, let new): lines.append("~ \(old.entry.path) \(old.entry.size) \(new.entry.size)")
            }
        }
        return lines
    }

    @Test("what was added, changed and removed is named; a touched file is none of these", arguments: [false, true])
    func differences(asFolder: Bool) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        for path in ["1/a/artifacts", "1/b/artifacts", "2/c"] { try Directory.make(tree.appending(path)) }
        for path in ["1/a/artifacts/m", "1/a/artifacts/n", "1/b/artifacts/m", "2/c/x", "2/c/y"] {
            try OpenFile(tree.appending(path), .createNew(mode: 0o644)).write(Array(path.utf8))
        }
        let (one, two) = (scratch.path.appending("1.tar.gz"), scratch.path.appending("2.tar.gz"))
        try write(tree, one, asFolder)
        try Directory.remove(tree.appending("1/a/artifacts/n"))
        try OpenFile(tree.appending("1/b/artifacts/m"), .append(mode: 0o644)).write([1])
        try OpenFile(tree.appending("1/b/artifacts/new"), .createNew(mode: 0o644)).write([1])
        try Directory.remove(tree.appending("2/c/x"))
        try OpenFile(tree.appending("2"), .directory).makeSymbolicLink(
            Array("c.link".utf8), to: Array("c".utf8), modified: .now())
        try OpenFile(tree.appending("2/c/y"), .read).setModified(FileTime(seconds: 5))
        try write(tree, two, asFolder)
        #expect(
            try changes(stream(one, asFolder), stream(two, asFolder)) == [
                "- artifacts/1/a/artifacts/n", "~ artifacts/1/b/artifacts/m 15 16", "+ artifacts/1/b/artifacts/new",
                "- artifacts/2/c/x", "+ artifacts/2/c.link",
            ])
        #expect(try changes(stream(two, asFolder), stream(two, asFolder)) == [])
    }

    private func write(_ tree: FilePath, _ path: FilePath, _ asFolder: Bool) throws {
        if asFolder {
            try Backups.write(tree, with: FolderWriter(creating: path))
        } else {
            try Backups.archive(tree, to: path)
        }
    }

    private func stream(_ path: FilePath, _ asFolder: Bool) throws -> RecordStream {
        asFolder ? try RecordStream(folder: path) : try RecordStream(archive: path)
    }

    @Test("one file comes out whole, small or large or by another name, and a damaged one does not")
    func content() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        try Directory.link(tree.appending("a"), as: tree.appending("second-name"))
        let path = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: path)
        let archive = try IndexedArchive(path)
        for name in ["a", "b", "f", "p", "second-name", "z/3"] {
            let live = try OpenFile(tree.appending(name), .read).readAll()
            #expect(try archive.content(of: Backups.path("artifacts/\(name)")) == live, "\(name)")
        }
        for name in ["z", "none", "z/33"] { #expect(try archive.content(of: Backups.path("artifacts/\(name)")) == nil) }
        #expect(throws: ArchiveError.self) { try archive.content(of: Backups.path("artifacts/a"), limit: 1 << 20) }
        let member = try #require(try archive.readIndex().members.first { $0.kind == .chunk })
        try OpenFile(path, .readWrite(create: 0o600)).write([0, 0, 0], at: member.offset + member.length / 2)
        #expect(try Refusal.of { _ = try archive.content(of: Backups.path("artifacts/a")) } == .damaged)
    }

    @Test("a rate slows reading down")
    func rate() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        try OpenFile(tree.appending("f"), .createNew(mode: 0o644)).write(SeededRandom.bytes(6_000_000))
        let path = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: path)
        let observer = ReadObserver(rate: ReadRate(bytesPerSecond: 6_000_000))
        for _ in 0..<2 {
            // Idle time, as the wait for a lock, earns no credit worth the name.
            usleep(1_200_000)
            let start = MonotonicTime.seconds(since: 0)
            #expect(try ArchiveCheck(IndexedArchive(path), threads: 2, observer: observer).run().isEmpty)
            #expect(MonotonicTime.seconds(since: 0) - start > 0.7)
        }
    }
}
