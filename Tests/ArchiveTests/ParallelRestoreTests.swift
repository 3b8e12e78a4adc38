// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import TestSupport
import Testing

@Suite("All cores restore what one does")
struct ParallelRestoreTests {
    private func extract(_ archive: FilePath, into folder: FilePath) throws -> Extractor.Outcome {
        try Directory.make(folder, mode: 0o700)
        return try ParallelExtractor([.init(.artifacts, into: folder)], threads: 3).extract(IndexedArchive(archive))
    }

    @Test("a strange tree comes back whole", arguments: [31, 32, 33])
    func strangeTree(seed: Int) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: UInt64(seed), at: tree)
        let archive = scratch.path.appending("b.tar.gz")
        let (summary, _) = try Backups.archive(tree, to: archive)
        let out = scratch.path.appending("out")
        let outcome = try extract(archive, into: out)
        #expect(try TreeSnapshot(out).differences(from: TreeSnapshot(tree)) == [])
        // Beside the artifacts there are the dump's one file and the manifest.
        #expect(outcome.files == summary.files - 2)
    }

    @Test("a damaged member is an error, wherever it is, and so is a destination that is not empty")
    func damage() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let whole = try OpenFile(archive, .read).readAll()
        for member in try IndexedArchive(archive).readIndex().members
        where member.entries.allSatisfy({ $0.entry.path.relative(to: .artifacts) != nil }) {
            var bytes = whole
            bytes[Int(member.offset + member.length / 2)] ^= 1
            let copy = scratch.path.appending("copy-\(member.offset).tar.gz")
            try OpenFile(copy, .createNew(mode: 0o600)).write(bytes)
            let out = scratch.path.appending("out-\(member.offset)")
            #expect(try Refusal.of { _ = try extract(copy, into: out) } == .damaged)
            try Directory.removeTree(out)
            try Directory.remove(copy)
        }
        let out = scratch.path.appending("out")
        _ = try extract(archive, into: out)
        #expect(try Refusal.of { _ = try extract(archive, into: out) } == .unsafeEntry)
    }

    /// In the long form beyond the 8 GiB that the number in a tar header can say (`TarNumberTests` has such a header).
    @Test("a sparse file costs little in the archive, and comes back sparse")
    func sparse() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        let size: UInt64 = TestForm.pick(short: 512 << 20, long: 9 << 30)
        let file = try OpenFile(tree.appending("sparse"), .createNew(mode: 0o644))
        try file.truncate(to: size)
        for place: UInt64 in [0, size / 2, size - 10] { try file.write(Array("something".utf8), at: place) }
        let archive = scratch.path.appending("b.tar.gz")
        let (summary, _) = try Backups.archive(tree, to: archive)
        #expect(summary.contentSize > size)
        #expect(summary.size < 64 << 20)
        let out = scratch.path.appending("out")
        _ = try extract(archive, into: out)
        let restored = out.appending("sparse")
        #expect(try FileStatus.of(restored).size == size)
        let blocks = try Tool.shell("stat -c %b \"$1\"", restored)
        #expect(Int(blocks.filter(\.isNumber)) ?? .max < 2000)
        try Tool.shell("cmp \"$1\" \"$2\"", tree.appending("sparse"), restored)
    }

    @Test("a path longer than any system call takes is backed up, taken over, found and restored")
    func longerThanPathMax() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        var folder = try OpenFile(tree, .directory)
        var path: [UInt8] = []
        for depth in 0..<20 {
            let name = [UInt8](repeating: UInt8(ascii: "a") + UInt8(depth), count: 255)
            folder = try folder.openOrMakeFolder(name)
            path += name + [UInt8(ascii: "/")]
        }
        #expect(path.count > Int(PATH_MAX))
        path += "model.bin".utf8
        try folder.open(Array("model.bin".utf8), .createNew(mode: 0o644)).write(SeededRandom.bytes(5000))
        let later = FileTime(seconds: FileTime.now().seconds + 10)
        let (first, second) = (scratch.path.appending("1.tar.gz"), scratch.path.appending("2.tar.gz"))
        try Backups.write(tree, with: TarGzipWriter(creating: first, threads: 2, started: later))
        try OpenFile(tree.appending("zz-new"), .createNew(mode: 0o644)).write(SeededRandom.bytes(50))
        try Backups.write(tree, with: TarGzipWriter(creating: second, previous: first, threads: 2, started: later))
        let expected = try TreeSnapshot(tree)
        let entry = try #require(EntryPath(Array("artifacts/".utf8) + path))
        for (number, archive) in [first, second].enumerated() {
            #expect(try IndexedArchive(archive).content(of: entry) == SeededRandom.bytes(5000))
            guard number == 1 else { continue }
            let (ours, one) = (scratch.path.appending("ours"), scratch.path.appending("one"))
            _ = try extract(archive, into: ours)
            _ = try Backups.extract(TarGzipReader(archive), into: one)
            for out in [ours, one] { #expect(try TreeSnapshot(out).differences(from: expected) == []) }
        }
        let copy = scratch.path.appending("folder")
        try Backups.write(tree, with: FolderWriter(creating: copy))
        let out = scratch.path.appending("out")
        _ = try Backups.extract(FolderReader(copy), into: out)
        #expect(try TreeSnapshot(out).differences(from: expected) == [])
    }

    @Test("extended attributes come back, from us and from GNU tar")
    func attributes() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        let file = try OpenFile(tree.appending("f"), .createNew(mode: 0o644))
        let attributes = [
            OpenFile.Attribute(name: Array("user.mlflow.note".utf8), value: Array("α\0β".utf8)),
            OpenFile.Attribute(name: Array("user.z".utf8), value: []),
        ]
        for attribute in attributes { try #require(try file.set(attribute), "this file system keeps no attributes") }
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let (ours, one, theirs) = (
            scratch.path.appending("ours"), scratch.path.appending("one"), try scratch.folder("theirs")
        )
        _ = try extract(archive, into: ours)
        _ = try Backups.extract(TarGzipReader(archive), into: one)
        try Tool.shell("tar --xattrs -xpzf \"$1\" -C \"$2\" --strip-components=2", archive, theirs)
        for folder in [ours, one, theirs] {
            #expect(try OpenFile(folder.appending("f"), .read).userAttributes() == attributes, "\(folder)")
        }
    }
}

@Suite("On a file system that shares blocks", .enabled(if: geteuid() == 0 && access("/dev/loop-control", F_OK) == 0))
struct SharedBlocksTests {
    @Test("an archive shares what did not change, is aligned for it, and everybody reads it")
    func sharing() throws {
        let scratch = try Scratch()
        let disk = try scratch.folder("disk")
        try Tool.shell(
            "truncate -s 600M \"$1\" && mkfs.xfs -q -m reflink=1 \"$1\" && mount -o loop \"$1\" \"$2\"",
            scratch.path.appending("image"), disk)
        defer { _ = try? Tool.shell("umount \"$1\"", disk) }
        #expect(FileSystem.sharesBlocks(in: disk))
        let type = try FileSystem.type(holding: disk)
        #expect(type == "xfs")

        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        try OpenFile(tree.appending("weights"), .createNew(mode: 0o644)).write(SeededRandom.bytes(60 << 20))
        let later = FileTime(seconds: FileTime.now().seconds + 10)
        let (first, second) = (disk.appending("1.tar.gz"), disk.appending("2.tar.gz"))
        let before = try Backups.write(tree, with: TarGzipWriter(creating: first, threads: 2, started: later)).summary
        try OpenFile(tree.appending("zz-new"), .createNew(mode: 0o644)).write(SeededRandom.bytes(50_000))
        try FileSystem.sync(holding: disk)
        let free = Int64(try DiskSpace.at(disk).available)
        let after = try Backups.write(
            tree, with: TarGzipWriter(creating: second, previous: first, threads: 2, started: later)
        ).summary
        try FileSystem.sync(holding: disk)
        // Signed: xfs may give back meanwhile what it had set aside for the first one to grow.
        let used = free - Int64(try DiskSpace.at(disk).available)
        #expect(after.sharing.copied == 0)
        #expect(after.sharing.cloned > before.size * 9 / 10)
        #expect(used < Int64(after.size / 10), "\(used) new bytes of \(after.size)")
        let index = try IndexedArchive(second).readIndex()
        #expect(index.members.allSatisfy { $0.offset % 4096 == 0 && $0.length % 4096 == 0 })

        let expected = try Tool.shell("gzip -dc \"$1\" | sha256sum", second)
        for command in [
            "pigz -dc \"$1\"", "igzip -dc \"$1\"", "busybox gzip -dc \"$1\"", "bsdcat \"$1\"",
            "zstd -dcq --format=gzip \"$1\"", "7z x -so -tgzip \"$1\"",
            "/usr/bin/python3 -c 'import gzip,sys,shutil; shutil.copyfileobj(gzip.open(sys.argv[1]), sys.stdout.buffer)' \"$1\"",
            "perl -MIO::Uncompress::Gunzip=gunzip -e 'gunzip $ARGV[0] => \"-\", MultiStream => 1 or die' \"$1\"",
        ] {
            #expect(try Tool.shell(command + " | sha256sum", second) == expected, "\(command)")
        }
        let out = scratch.path.appending("out")
        try Directory.make(out)
        _ = try ParallelExtractor([.init(.artifacts, into: out)], threads: 2).extract(IndexedArchive(second))
        #expect(try TreeSnapshot(out).differences(from: TreeSnapshot(tree)) == [])
        #expect(try ArchiveCheck(IndexedArchive(second), threads: 2).run().isEmpty)
    }
}
