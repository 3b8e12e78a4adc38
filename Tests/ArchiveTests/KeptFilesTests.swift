// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Testing

@Suite("A restore keeps live files that are right already")
struct KeptFilesTests {
    private let long = FileTime(seconds: 4_000_000_000)

    private func extract(
        _ archive: FilePath, into folder: FilePath, beside live: FilePath, stillSince: FileTime
    ) throws -> Extractor.Outcome {
        try Directory.make(folder, mode: 0o700)
        return try ParallelExtractor(
            [.init(.artifacts, into: folder, existing: .init(live, stillSince: stillSince))], threads: 3
        ).extract(IndexedArchive(archive))
    }

    private func put(_ bytes: [UInt8], _ name: String, in tree: FilePath) throws {
        let file = try OpenFile(tree.appending(name), .createNew(mode: 0o644))
        try file.write(bytes)
        try file.setModified(FileTime(seconds: 1_700_000_000, nanoseconds: 123))
    }

    /// Changes something and puts the time back, as a program that hides its work would.
    private func spoil(_ name: String, in tree: FilePath, _ change: (OpenFile) throws -> Void) throws {
        let file = try OpenFile(tree.appending(name), .readWrite(create: 0o644))
        let time = try file.status().modified
        try change(file)
        try file.setModified(time)
    }

    @Test("what is the same keeps its inode; whatever differs, or only looks the same, is written again")
    func kept() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        for folder in ["a", "b", "c"] { try Directory.make(tree.appending(folder)) }
        let names = ["a/same", "a/byte", "a/mode", "a/attribute", "a/gone", "a/twice", "a/link", "b/inside", "c/other"]
        for name in names { try put(SeededRandom.bytes(5000), name, in: tree) }
        for name in ["large-same", "large-byte"] { try put(SeededRandom.bytes(9 << 20), name, in: tree) }
        let attribute = OpenFile.Attribute(name: Array("user.note".utf8), value: [1, 2])
        _ = try OpenFile(tree.appending("c/other"), .readWrite(create: 0o644)).set(attribute)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let before = try TreeSnapshot(tree)

        try spoil("a/byte", in: tree) { try $0.write([0], at: 2500) }
        try spoil("large-byte", in: tree) { try $0.write([0], at: 5 << 20) }
        try spoil("a/mode", in: tree) { try $0.setMode(0o600) }
        try spoil("a/attribute", in: tree) { _ = try $0.set(attribute) }
        try Directory.remove(tree.appending("a/gone"))
        try Directory.link(tree.appending("a/twice"), as: scratch.path.appending("second name"))
        // Links that lead to the same content: neither the file nor the folder is followed.
        try Directory.rename(tree.appending("a/link"), to: scratch.path.appending("aside"))
        try Tool.shell("ln -s \"$1\" \"$2\"", scratch.path.appending("aside"), tree.appending("a/link"))
        try Directory.rename(tree.appending("b"), to: scratch.path.appending("folder aside"))
        try Tool.shell("ln -s \"$1\" \"$2\"", scratch.path.appending("folder aside"), tree.appending("b"))
        let live = try TreeSnapshot(tree)

        let out = scratch.path.appending("out")
        let estimate = try ParallelExtractor(
            [.init(.artifacts, into: tree, existing: .init(tree, stillSince: long))], threads: 1
        ).estimate(IndexedArchive(archive))
        let outcome = try extract(archive, into: out, beside: tree, stillSince: long)
        #expect(try TreeSnapshot(out).differences(from: before) == [])
        #expect(try TreeSnapshot(tree).differences(from: live) == [])
        #expect(outcome.files == names.count + 2)
        let shared = try (names + ["large-same", "large-byte"]).filter { name in
            let (one, two) = (try FileStatus.of(out.appending(name)), try FileStatus.ifPresent(tree.appending(name)))
            return one.inode == two?.inode
        }
        #expect(shared.sorted() == ["a/same", "c/other", "large-same"])
        #expect(outcome.kept.count == 3)
        // Stamps alone cannot see a changed byte or attribute.
        #expect(estimate.files == outcome.files - outcome.kept.count - 3)
        #expect(try OpenFile(out.appending("a/attribute"), .read).userAttributes() == [])
    }

    @Test("a file written to since the given moment is not kept: nobody could tell whether it is written to again")
    func recent() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        try put(SeededRandom.bytes(5000), "f", in: tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let out = scratch.path.appending("out")
        let outcome = try extract(archive, into: out, beside: tree, stillSince: FileTime(seconds: 1_700_000_000))
        #expect(outcome.kept.isEmpty)
        #expect(try FileStatus.of(out.appending("f")).inode != FileStatus.of(tree.appending("f")).inode)
    }

    @Test("on another file system everything is written", .enabled(if: access("/dev/shm", W_OK) == 0))
    func elsewhere() throws {
        let scratch = try Scratch()
        let tree = FilePath("/dev/shm/\(scratch.path.lastComponent.map { String(UnicodeScalar($0)) }.joined())")
        try Directory.make(tree)
        defer { _ = try? Tool.run("rm", ["-rf", tree.string]) }
        try put(SeededRandom.bytes(5000), "f", in: tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let out = scratch.path.appending("out")
        #expect(try extract(archive, into: out, beside: tree, stillSince: long).kept.isEmpty)
        #expect(try TreeSnapshot(out).differences(from: TreeSnapshot(tree)) == [])
    }
}
