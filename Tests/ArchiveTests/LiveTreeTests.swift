// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Synchronization
import SystemIO
import Testing
import Wording

@Suite("A tree that is in use while it is backed up")
struct LiveTreeTests {
    /// A real writer that lets something happen to the tree at a chosen entry.
    private final class Interrupted: ArchiveWriter {
        private let writer: TarGzipWriter
        private let path: EntryPath
        private let event: () throws -> Void

        init(_ writer: TarGzipWriter, at path: EntryPath, _ event: @escaping () throws -> Void) {
            self.writer = writer
            self.path = path
            self.event = event
        }

        func add(_ entry: ArchiveEntry) throws {
            if entry.path == path { try event() }
            try writer.add(entry)
        }

        func add(_ entry: ArchiveEntry, content: ContentSource) throws -> UInt64 {
            if entry.path == path { try event() }
            return try writer.add(entry, content: content)
        }

        func finish() throws -> ArchiveSummary { try writer.finish() }
    }

    @Test(
        "a name is something else by the time its turn comes",
        arguments: [
            ("rm \"$1\"", SkipReason.vanished), ("rm \"$1\"; ln -s a \"$1\"", nil), ("rm \"$1\"; mkdir \"$1\"", nil),
            ("rm \"$1\"; mkfifo \"$1\"", .notAFile),
            (
                "/usr/bin/python3 -c 'import os,socket,sys; os.unlink(sys.argv[1]); socket.socket(1).bind(sys.argv[1])' \"$1\"",
                .notAFile
            ),
        ] as [(String, SkipReason?)])
    func replaced(script: String, reason: SkipReason?) throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        for name in ["a", "b", "c"] { try scratch.file("tree/\(name)", [1]) }
        let archive = scratch.path.appending("b.tar.gz")
        let writer = Interrupted(
            try TarGzipWriter(creating: archive, threads: 1), at: try Backups.path("artifacts/a")
        ) { try Tool.shell(script, tree.appending("b")) }
        let (_, report) = try Backups.write(tree, with: writer)
        #expect(report.files == 2)
        #expect(report.skipped.map(\.reason) == (reason.map { [$0] } ?? []))
        _ = try ContentVerifier().verify(TarGzipReader(archive))
    }

    @Test("a large file shrinks under the reader: the rest is zeros, and it is said so")
    func shrinks() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        var random = SeededRandom(31)
        let size = 3 * ArchiveLayout.chunkSize
        let file = try scratch.file("tree/w", random.noise(size))
        let archive = scratch.path.appending("b.tar.gz")
        let writer = Interrupted(
            try TarGzipWriter(creating: archive, threads: 1), at: try Backups.path("artifacts/w")
        ) { _ = truncate(file.string, off_t(ArchiveLayout.chunkSize + 10)) }
        let (_, report) = try Backups.write(tree, with: writer)
        #expect(report.changedWhileRead.map(\.description) == ["artifacts/w"])
        _ = try ContentVerifier().verify(TarGzipReader(archive))
        let out = scratch.path.appending("out")
        _ = try Backups.extract(TarGzipReader(archive), into: out)
        #expect(try FileStatus.of(out.appending("w")).size == UInt64(size))
    }

    @Test("a large file grows under the reader: its length at the start is kept, and it is said so")
    func grows() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        var random = SeededRandom(32)
        let size = 2 * ArchiveLayout.chunkSize
        let file = try scratch.file("tree/w", random.noise(size))
        let archive = scratch.path.appending("b.tar.gz")
        let writer = Interrupted(
            try TarGzipWriter(creating: archive, threads: 1), at: try Backups.path("artifacts/w")
        ) { try OpenFile(file, .append(mode: 0)).write([1, 2, 3]) }
        let (_, report) = try Backups.write(tree, with: writer)
        #expect(report.changedWhileRead.count == 1)
        let out = scratch.path.appending("out")
        _ = try Backups.extract(TarGzipReader(archive), into: out)
        #expect(try FileStatus.of(out.appending("w")).size == UInt64(size))
    }

    @Test("a small file that outgrows the buffer while it is read is stored whole, not cut at the buffer's end")
    func outgrows() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        let file = try scratch.file("tree/log", [])
        let stop = Cancellation()
        let small = UInt64(1 << 20)
        let big = UInt64(3 * ArchiveLayout.chunkSize)
        let hammer = try WorkerThread("hammer") {
            while !stop.isCancelled {
                _ = truncate(file.string, off_t(big))
                usleep(200)
                _ = truncate(file.string, off_t(small))
                usleep(200)
            }
        }
        defer {
            stop.cancel()
            hammer.join()
        }
        for number in 0..<60 {
            let archive = scratch.path.appending("\(number).tar.gz")
            try Backups.archive(tree, to: archive)
            for record in try IndexedArchive(archive).readIndex().records
            where record.entry.path.description.hasSuffix("log") {
                #expect(record.entry.size != UInt64(ArchiveLayout.chunkSize + 1))
            }
        }
    }

    @Test("files appear, go and change places all the time: every archive is whole")
    func hammered() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        let stop = Cancellation()
        let hammer = try WorkerThread("hammer") {
            var random = SeededRandom(33)
            while !stop.isCancelled {
                let name = tree.appending("\(random.next() % 8)")
                switch random.next() % 7 {
                case 0: _ = unlink(name.string)
                case 1: _ = symlink("elsewhere", name.string)
                case 2: _ = mkdir(name.string, 0o700)
                case 3: _ = rmdir(name.string)
                case 4: _ = mkfifo(name.string, 0o600)
                case 5: _ = rename(name.string, tree.appending("\(random.next() % 8)").string)
                default:
                    // Failing is part of the game: the name may be a folder, a link or a pipe by now.
                    let file = open(name.string, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o644)
                    guard file >= 0 else { continue }
                    let bytes = random.noise(Int(random.next() % 40_000))
                    _ = write(file, bytes, bytes.count)
                    close(file)
                }
            }
        }
        defer {
            stop.cancel()
            hammer.join()
        }
        for number in 0..<80 {
            let archive = scratch.path.appending("\(number).tar.gz")
            try Backups.archive(tree, to: archive)
            _ = try ContentVerifier().verify(TarGzipReader(archive))
            _ = try Backups.extract(TarGzipReader(archive), into: scratch.path.appending("out-\(number)"))
            try Directory.remove(archive)
        }
    }

    @Test("a file that cannot be read stops the backup: a backup without it would only look whole")
    func unreadable() throws {
        let scratch = try Scratch()
        // Reading these fails by the kernel's own rules, which bind root as well.
        let error = #expect(throws: ArchiveError.self) {
            try Backups.archive("/proc/sys/vm", to: scratch.path.appending("b.tar.gz"))
        }
        guard case .unreadable(let path, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.hasPrefix("/proc/sys/vm/"))
        #expect(!reason.english.isEmpty && !reason.chinese.isEmpty)
    }

    @Test("a missing artifacts folder is never an empty backup", arguments: ["absent", "absent/below", "file"])
    func missing(name: String) throws {
        let scratch = try Scratch()
        try scratch.file("file", [])
        let refusal = try Refusal.of {
            try Backups.archive(scratch.path.appending(name), to: scratch.path.appending("b.tar.gz"))
        }
        #expect(refusal == .nothingToBackUp)
    }

    @Test("sockets, pipes and links that leave the tree are left out and named")
    func skipped() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        try Tool.shell(
            "cd \"$1\"; mkfifo pipe; ln -s /etc/passwd absolute; ln -s ../../x climbs; ln -s ok fine; mknod null c 1 3",
            tree)
        let (_, report) = try Backups.archive(tree, to: scratch.path.appending("b.tar.gz"))
        #expect(
            report.skipped.map { "\($0.path) \($0.reason)" }
                == [
                    "artifacts/absolute linkLeavesTree", "artifacts/climbs linkLeavesTree", "artifacts/null notAFile",
                    "artifacts/pipe notAFile",
                ])
    }

    @Test("a cancelled backup stops between two chunks")
    func cancelled() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        try scratch.file("tree/w", [UInt8](repeating: 1, count: 3 * ArchiveLayout.chunkSize))
        let stop = Cancellation()
        stop.cancel()
        let writer = try TarGzipWriter(creating: scratch.path.appending("b"), threads: 2)
        #expect(throws: CancelledError.self) {
            try TreeArchiver(into: writer, cancellation: stop).add(tree: tree, as: .artifacts)
        }
    }
}
