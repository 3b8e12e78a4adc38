// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Testing

@Suite("A tree comes back as it was")
struct RoundTripTests {
    @Test(
        "through our own extractor and through GNU tar, with one thread and with two",
        arguments: [(1, 1), (2, 2), (3, 1), (4, 2), (5, 2)] as [(UInt64, Int)])
    func bothWays(seed: UInt64, threads: Int) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: seed, at: tree)
        let before = try TreeSnapshot(tree)
        let archive = scratch.path.appending("b.tar.gz")
        let (summary, report) = try Backups.archive(tree, to: archive, threads: threads)
        #expect(report.skipped.isEmpty)
        #expect(report.changedWhileRead.isEmpty)

        let ours = scratch.path.appending("ours")
        let outcome = try Backups.extract(TarGzipReader(archive), into: ours)
        #expect(try TreeSnapshot(ours).differences(from: before) == [])
        #expect(outcome.files == report.files)

        let theirs = try scratch.folder("theirs")
        try Tool.shell("tar -xpzf \"$1\" -C \"$2\"", archive, theirs)
        let restored = theirs.appending("mlflow_backup").appending("artifacts")
        #expect(try TreeSnapshot(restored).differences(from: before) == [])

        try StoredFileVerifier.verify(archive, size: summary.size, digest: summary.digest)
        let reader = try TarGzipReader(archive)
        let content = try ContentVerifier().verify(reader)
        #expect(content.manifest == Backups.manifest)
        #expect(content.files == summary.files)
        #expect(content.contentSize == summary.contentSize)
        let end = try reader.finish()
        #expect(end.size == summary.size)
        #expect(end.digest == summary.digest)
        #expect(try ArchiveCheck(IndexedArchive(archive), threads: 2).run().isEmpty)
    }

    @Test("one thread and two write the same bytes")
    func sameBytes() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: 9, at: tree)
        let one = scratch.path.appending("1.tar.gz")
        let two = scratch.path.appending("2.tar.gz")
        try Backups.archive(tree, to: one, threads: 1)
        try Backups.archive(tree, to: two, threads: 2)
        let first = try IndexedArchive(one).readIndex()
        let second = try IndexedArchive(two).readIndex()
        #expect(first.members.map(\.digest) == second.members.map(\.digest))
        #expect(first.members.map(\.offset) == second.members.map(\.offset))
    }

    @Test("the index gives back every stamp and name it was given, and finds one file without reading the rest")
    func index() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: 6, at: tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let indexed = try IndexedArchive(archive)
        #expect(try indexed.content(of: .manifest) == Backups.manifest)
        #expect(try indexed.content(of: Backups.path("artifacts/absent")) == nil)
        let index = try indexed.readIndex()
        for record in index.records where record.entry.path.relative(to: .artifacts) != nil {
            guard case .file = record.entry.kind else { continue }
            let live = try FileStatus.of(
                scratch.path.appending("tree").appending(record.entry.path.bytes.dropFirst(10)))
            #expect(record.entry.modified == live.modified)
            #expect(record.entry.size == live.size)
            #expect(record.entry.origin?.device == live.device)
            #expect(record.entry.origin?.inode == live.inode)
            #expect(record.entry.origin?.changed == live.changed)
        }
        #expect(index.members.map(\.kind).contains(.chunk))
        #expect(index.members.map(\.kind).contains(.header))
    }

    @Test("a tree behind a configured symbolic link is backed up, not called missing")
    func linkedRoot() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("real")
        try scratch.file("real/f", [1, 2])
        try OpenFile(scratch.path, .directory).makeSymbolicLink(
            Array("configured".utf8), to: Array("real".utf8), modified: .now())
        let archive = scratch.path.appending("b.tar.gz")
        let (_, report) = try Backups.archive(scratch.path.appending("configured"), to: archive)
        #expect(report.files == 1)
        #expect(try Directory.names(in: tree).count == 1)
    }

    @Test("an archive of nothing but a manifest is whole")
    func emptyTree() throws {
        let scratch = try Scratch()
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(scratch.folder("tree"), to: archive)
        let report = try ContentVerifier().verify(TarGzipReader(archive))
        #expect(report.files == 2)
    }
}
