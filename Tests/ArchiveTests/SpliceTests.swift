// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import TestSupport
import Testing

@Suite("An archive that takes members over from the one before is as good as one made anew")
struct SpliceTests {
    /// Stamps of files made a moment ago prove nothing. Tests look at them from ten seconds later.
    private static var later: FileTime { FileTime(seconds: FileTime.now().seconds + 10) }

    @discardableResult
    private func archive(
        _ tree: FilePath, to path: FilePath, after previous: FilePath? = nil, packSize: Int = 16 << 10,
        started: FileTime = later
    ) throws -> (summary: ArchiveSummary, report: TreeArchiver.Report) {
        let writer = try TarGzipWriter(
            creating: path, previous: previous, threads: 2, packSize: packSize, started: started)
        let report = try add(tree, to: writer)
        try writer.add(
            ArchiveEntry(path: .manifest, kind: .file, mode: 0o644, modified: started), bytes: Backups.manifest)
        return (try writer.finish(), report)
    }

    /// A dump beside the tree, new each time as dumps are, then the tree.
    private func add(_ tree: FilePath, to writer: TarGzipWriter) throws -> TreeArchiver.Report {
        let dump = tree.parent.appending("dump")
        try Directory.removeTree(dump)
        try Directory.make(dump)
        try OpenFile(dump.appending("toc.dat"), .createNew(mode: 0o644)).write(Array("PGDMP".utf8))
        _ = try TreeArchiver(into: writer).add(tree: dump, as: .database, trust: .content)
        try writer.endSection()
        let report = try TreeArchiver(into: writer).add(tree: tree, as: .artifacts)
        try writer.endSection()
        return report
    }

    /// GNU tar alone unpacks both, and the trees are compared byte for byte with each other.
    private func unpacked(_ archive: FilePath, in folder: FilePath) throws -> TreeSnapshot {
        try Tool.shell("rm -rf \"$2\" && mkdir \"$2\" && tar -xpzf \"$1\" -C \"$2\"", archive, folder)
        return try TreeSnapshot(folder.appending("mlflow_backup").appending("artifacts"))
    }

    /// Fifty rounds, in the long form a thousand.
    @Test(
        "after each round of random edits GNU tar finds the same in both",
        arguments: TestForm.oneIn(4, of: Array(0..<8)))
    func rounds(seed: Int) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        var edits = try RandomEdits(seed: UInt64(1000 + seed), at: tree)
        var previous = scratch.path.appending("0.tar.gz")
        try archive(tree, to: previous)
        var reused = 0
        var files = 0
        for round in 1...TestForm.pick(short: 25, long: 125) {
            try edits.edit()
            let next = scratch.path.appending("\(round).tar.gz")
            let (summary, report) = try archive(tree, to: next, after: previous)
            let fresh = scratch.path.appending("fresh.tar.gz")
            try archive(tree, to: fresh)
            reused += report.reusedFiles
            files += report.files
            let live = try TreeSnapshot(tree)
            try #require(try unpacked(next, in: scratch.path.appending("x")).differences(from: live) == [])
            try #require(try unpacked(fresh, in: scratch.path.appending("x")).differences(from: live) == [])
            #expect(summary.sharing.generation == round)
            if round % 25 == 0 {
                _ = try ContentVerifier().verify(TarGzipReader(next))
                #expect(try ArchiveCheck(IndexedArchive(next), threads: 2).run().isEmpty)
            }
            try Directory.remove(previous)
            try Directory.remove(fresh)
            previous = next
        }
        // Otherwise this would have tested nothing.
        #expect(reused > files / 2)
    }

    @Test("where nothing changed nothing is written, and the writer says so")
    func nothingChanged() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        let first = scratch.path.appending("1.tar.gz")
        try archive(tree, to: first)
        #expect(try equals(first, tree, scratch))
        try OpenFile(tree.appending("z/7"), .append(mode: 0o644)).write([1])
        #expect(try !equals(first, tree, scratch))
    }

    @Test("a file that was removed, even the last of all, is a change")
    func removedLast() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        let last = tree.appending("zz-last")
        try OpenFile(last, .createNew(mode: 0o644)).write(SeededRandom.bytes(20_000))
        let first = scratch.path.appending("1.tar.gz")
        try archive(tree, to: first)
        #expect(try equals(first, tree, scratch))
        try Directory.remove(last)
        #expect(try !equals(first, tree, scratch))
    }

    private func equals(_ archive: FilePath, _ tree: FilePath, _ scratch: Scratch) throws -> Bool {
        let partial = scratch.path.appending("2.partial")
        defer { _ = try? Directory.remove(partial) }
        let writer = try TarGzipWriter(creating: partial, previous: archive, threads: 2, packSize: 16 << 10)
        _ = try add(tree, to: writer)
        let same = try writer.equalsPrevious()
        if same { #expect(try FileStatus.of(partial).size == 0) }
        return same
    }

    @Test("a same-size edit with its time put back is found, by the time of the inode's change")
    func timePutBack() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        let first = scratch.path.appending("1.tar.gz")
        try archive(tree, to: first)
        try Tool.shell(
            "touch -r \"$1\" \"$2\" && printf X | dd of=\"$1\" bs=1 seek=4194400 conv=notrunc status=none && touch -r \"$2\" \"$1\"",
            tree.appending("a"), scratch.path.appending("stamp"))
        let second = scratch.path.appending("2.tar.gz")
        let (summary, _) = try archive(tree, to: second, after: first)
        #expect(try unpacked(second, in: scratch.path.appending("x")).differences(from: TreeSnapshot(tree)) == [])
        // Of the changed file, the chunks that are the same were taken over all the same.
        #expect(summary.sharing.copied + summary.sharing.cloned > summary.size / 2)
    }

    @Test("a write in the same tick of the clock as the walk is read again, whatever the stamps say")
    func racy() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        let file = tree.appending("f")
        try OpenFile(file, .createNew(mode: 0o644)).write(Array("before".utf8))
        let first = scratch.path.appending("1.tar.gz")
        // The walk begins now, within the margin of the file's stamps.
        try archive(tree, to: first, started: .now())
        let second = scratch.path.appending("2.tar.gz")
        let (_, report) = try archive(tree, to: second, after: first)
        #expect(report.reusedFiles == 0)
        // Seen from later, the same stamps are proof.
        let third = scratch.path.appending("3.tar.gz")
        #expect(try archive(tree, to: third, after: second).report.reusedFiles == 1)
    }

    @Test("a file that grew takes its whole chunks over")
    func appended() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        let file = tree.appending("log")
        try OpenFile(file, .createNew(mode: 0o644)).write(SeededRandom.bytes(21 << 20))
        let first = scratch.path.appending("1.tar.gz")
        try archive(tree, to: first)
        try OpenFile(file, .append(mode: 0o644)).write(SeededRandom.bytes(1 << 20))
        let second = scratch.path.appending("2.tar.gz")
        let (summary, report) = try archive(tree, to: second, after: first)
        #expect(report.reusedFiles == 0)
        #expect(summary.sharing.copied + summary.sharing.cloned > 20 << 20)
        #expect(try unpacked(second, in: scratch.path.appending("x")).differences(from: TreeSnapshot(tree)) == [])
    }

    @Test("a member that rotted in the archive before is never taken over", arguments: [0, 1])
    func rotten(place: Int) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        let first = scratch.path.appending("1.tar.gz")
        try archive(tree, to: first)
        let members = try IndexedArchive(first).readIndex().members
        let member = place == 0 ? members[2] : members[members.count - 3]
        var byte = try OpenFile(first, .read).readAll()[Int(member.offset + member.length / 2)]
        byte ^= 4
        try OpenFile(first, .readWrite(create: 0o600)).write([byte], at: member.offset + member.length / 2)
        try OpenFile(tree.appending("zz"), .createNew(mode: 0o644)).write([1])
        let second = scratch.path.appending("2.tar.gz")
        #expect(try Refusal.of { try archive(tree, to: second, after: first) } == .previousDamaged)
    }

    @Test("an index that rotted in the archive before is not believed")
    func rottenIndex() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        let first = scratch.path.appending("1.tar.gz")
        let (summary, _) = try archive(tree, to: first)
        try OpenFile(first, .readWrite(create: 0o600)).write([0x55], at: summary.indexOffset + 300)
        let second = scratch.path.appending("2.tar.gz")
        #expect(try Refusal.of { try archive(tree, to: second, after: first) } == .damaged)
    }

    @Test("packs do not crumble: sixty days of one small file leave no more members than a fresh archive, but a few")
    func crumbling() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        var previous: FilePath?
        for day in 0..<60 {
            for number in 0..<3 {
                let name = "\((day * 7919 + number * 104_729) % 1000)-\(day)-\(number)"
                try OpenFile(tree.appending(name), .createNew(mode: 0o644)).write(SeededRandom.bytes(1500))
            }
            let next = scratch.path.appending("\(day).tar.gz")
            try archive(tree, to: next, after: previous, packSize: 64 << 10)
            previous = next
        }
        let fresh = scratch.path.appending("fresh.tar.gz")
        try archive(tree, to: fresh, packSize: 64 << 10)
        let spliced = try IndexedArchive(#require(previous)).readIndex().members.count
        #expect(try spliced <= 3 * IndexedArchive(fresh).readIndex().members.count)
    }
}
