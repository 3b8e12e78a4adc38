// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

/// What it costs to take back what was done to files that both trees share.
@Suite("Looks and attributes of shared files", .besideThePool)
struct SharedLooksTests {
    private static let note = OpenFile.Attribute(name: Array("user.note".utf8), value: Array("n".utf8))

    /// Bytes that this thread has read and written.
    private func transferred() throws -> (read: Int, written: Int) {
        let lines = try String(decoding: OpenFile("/proc/thread-self/io", .read).readAll(), as: UTF8.self)
            .split(separator: "\n")
        func count(_ name: String) -> Int {
            lines.first { $0.hasPrefix(name) }.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        }
        return (count("rchar:"), count("wchar:"))
    }

    /// As many files as make an index that is long to read.
    private func many(_ live: LiveStackFixture, _ count: Int) throws -> [FilePath] {
        let folder = live.artifacts.appending("1/many")
        try Directory.make(folder)
        return try (0..<count).map { number in
            let path = folder.appending("file-\(number)")
            try OpenFile(path, .createNew(mode: 0o644)).write(Noise.bytes(4000))
            return path
        }
    }

    private func manyWithAttributes(_ live: LiveStackFixture) throws -> [FilePath] {
        let files = try many(live, 500)
        for file in files { _ = try OpenFile(file, .readWrite(create: 0o644)).set(Self.note) }
        sleep(3)
        return files
    }

    private func inode(_ path: FilePath) throws -> UInt64 { try FileStatus.of(path).inode }

    @Test("mode, time and attributes that are gone are set on the file that both trees share, and no byte is written")
    func inPlace() throws {
        let live = try LiveStackFixture("looks_in_place")
        let files = try manyWithAttributes(live)
        let kept = try #require(try live.restore(try live.backup().name.string).kept)
        let before = try files.map(inode)
        let look = "cd '\(live.artifacts)/1' && stat -c '%n %a %Y' many/* && getfattr -n user.note many/*"
        let looks = try Shell.sh(look)
        try Shell.sh(
            "cd '\(live.artifacts)/1' && chmod -R 444 many/* && touch -d 2001-01-01 many/* && "
                + "setfattr -x user.note many/*")
        let archive = try FileStatus.of(try #require(try Catalogue(live.folder).items().first).path).size
        let shared = SharedFiles(live.workspace(), kept)
        let start = try transferred()
        var overwritten = try shared.overwritten()
        _ = try shared.putRight(&overwritten, keepingOrphansAs: "20260101T000000Z_late")
        let end = try transferred()
        // What changed is read once, and so is the archive, not for each file again.
        #expect(end.read - start.read < 4 * Int(archive) + 500 * 4000)
        #expect(end.written - start.written < 100_000)
        #expect(try Shell.sh(look) == looks)
        try live.undo()
        #expect(try Shell.sh(look) == looks)
        #expect(try files.map(inode) == before)
        // It is one of both trees as before, and the next undo takes nothing for newer.
        try live.undo()
        #expect(try files.map(inode) == before)
    }

    @Test("bytes that were written are put right with one reading of the archive")
    func bytes() throws {
        let live = try LiveStackFixture("bytes_at_once")
        // Large ones are in the archive in pieces.
        let large = try ["1/large", "1/zlarge"].map { name in
            let path = live.artifacts.appending(name)
            try OpenFile(path, .createNew(mode: 0o644)).write(Noise.bytes(9 << 20))
            return path
        }
        let files = try many(live, 500) + large
        sleep(3)
        let kept = try #require(try live.restore(try live.backup().name.string).kept)
        let before = try live.files()
        for file in files { try OpenFile(file, .readWrite(create: 0o644)).write(Array("overwritten".utf8)) }
        let archive = try FileStatus.of(try #require(try Catalogue(live.folder).items().first).path).size
        let shared = SharedFiles(live.workspace(), kept)
        let start = try transferred()
        // As after a run that was cut short.
        let folder = KeptParts(live.workspace()).folder(of: kept.id)
        try Shell.sh("mkdir '\(folder)/right' && echo part > '\(folder)/right/7'")
        var overwritten = try shared.overwritten()
        _ = try shared.putRight(&overwritten, keepingOrphansAs: "20260101T000000Z_late")
        let end = try transferred()
        #expect(end.read - start.read < 4 * Int(archive) + 500 * 4000 + (36 << 20))
        #expect(try Directory.names(in: folder) == [Array("old".utf8)])
        try live.undo(force: true)
        #expect(try live.files() == before)
        try live.expectNothingLeftBehind()
    }

    @Test(
        "where bytes are to be put right and there is no room, an undo is refused with what is needed before anything is done",
        .enabled(if: geteuid() == 0, "mounting a small file system needs root"))
    func noRoom() throws {
        let live = try LiveStackFixture("shared_no_room")
        let image = live.root.path.appending("image")
        try Shell.sh(
            "truncate -s 24M '\(image)' && mkfs.ext4 -q '\(image)' && mount -o loop '\(image)' '\(live.artifacts)'")
        defer { _ = try? Shell.sh("umount '\(live.artifacts)'") }
        let big = live.artifacts.appending("big")
        try OpenFile(big, .createNew(mode: 0o644)).write(Noise.bytes(12 << 20))
        sleep(3)
        try live.restore(try live.backup().name.string)
        // Of no content: it needs no room.
        try Shell.sh("chmod 600 '\(big)'")
        try live.undo()
        try live.undo()
        try Shell.sh("printf clobbered | dd of='\(big)' conv=notrunc status=none")
        let (files, names) = (try live.files(), try live.names())
        let before = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
        let error = #expect(throws: BackupError.self) {
            try UndoJob(live.workspace(), force: true, backupFirst: before).run()
        }
        guard case .notEnoughRoom(let path, let needed, let available, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == live.artifacts.string && needed >= 12 << 20 && available < needed)
        #expect(try live.files() == files)
        #expect(try live.names() == names)
        try live.expectNothingLeftBehind()
    }

    @Test("what is kept is compared with one reading of the covering backup, also where its files have attributes")
    func expiry() throws {
        let live = try LiveStackFixture("many_attributes")
        let files = try manyWithAttributes(live)
        let old = try live.backup().name.string
        for file in files {
            let noted = try OpenFile(file, .readWrite(create: 0o644))
            try noted.write(Array("changed".utf8))
        }
        sleep(3)
        let before = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
        let outcome = try RestoreJob(live.workspace(), options: .init(force: true, backupFirst: before)).run(old)
        let kept = try #require(outcome.kept)
        let archive = try #require(try Catalogue(live.folder).items().map { try FileStatus.of($0.path).size }.max())
        let coverage = KeptCoverage(workspace: live.workspace(), databases: Databases(live.database))
        let start = try transferred()
        #expect(try coverage.missing(kept).isEmpty)
        let end = try transferred()
        #expect(end.read - start.read < 4 * Int(archive) + 500 * 4000)
        // Others than the backup has are found.
        let tree = KeptParts(live.workspace()).tree(of: kept)
        let other = OpenFile.Attribute(name: Array("user.note".utf8), value: Array("other".utf8))
        _ = try OpenFile(tree.appending("1/many/file-7"), .readWrite(create: 0o644)).set(other)
        #expect(try coverage.missing(kept).map(\.english) == ["file 1/many/file-7"])
    }

    @Test(
        "bytes that the backup does not give any more do not keep a forced undo from bringing back the rest, and are named"
    )
    func damagedMember() throws {
        let live = try LiveStackFixture("damaged_member")
        try Shell.sh("head -c 6000000 /dev/urandom > '\(live.artifacts)/1/run3/artifacts/noise.bin'")
        let noise = try OpenFile(live.artifacts.appending("1/run3/artifacts/noise.bin"), .read).readAll()
        try live.letStampsAge()
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        let rows = try live.rows()
        try live.restore(name, force: true)
        let digest = "cd '\(live.artifacts)/1' && sha256sum run4/artifacts/model.bin"
        let whole = try Shell.sh(digest)
        try Shell.sh(
            "cd '\(live.artifacts)/1' && echo over >> run3/artifacts/noise.bin && echo over >> run4/artifacts/model.bin"
        )
        // It does not compress, so that its bytes are found in the archive.
        let path = live.folder.path.appending(name)
        let place = try #require(try OpenFile(path, .read).readAll().firstRange(of: noise[3_000_000..<3_000_032]))
            .lowerBound
        try Shell.sh("printf damage | dd of='\(path)' bs=1 seek=\(place) conv=notrunc status=none")
        let outcome = try live.undo(force: true)
        #expect(try live.rows() == rows)
        #expect(try Shell.sh(digest) == whole)
        #expect(
            outcome.warnings.contains {
                $0.english.contains("run3/artifacts/noise.bin") && !$0.english.contains("run4")
            }, "\(outcome.warnings)")
    }
}
