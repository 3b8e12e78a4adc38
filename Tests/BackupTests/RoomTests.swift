// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

extension LiveStackFixture {
    func preflight(_ kind: BackupName.Kind = .compressed, patience: Double = 60) -> BackupPreflight {
        BackupPreflight(workspace(), options: .init(kind: kind), patience: patience)
    }

    /// - Returns: what is needed, and what there is.
    func refusedForRoom(_ kind: BackupName.Kind = .compressed) throws -> (needed: UInt64, available: UInt64)? {
        for case .notEnoughRoom(_, let needed, let available, _) in preflight(kind).run().obstacles.compactMap({
            $0 as? BackupError
        }) {
            return (needed, available)
        }
        return nil
    }

    /// Runs a test with the folder on a small file system of its own.
    func mounting(_ options: String, on path: FilePath, _ body: () throws -> Void) throws {
        try Directory.make(path)
        try Shell.sh("mount -t tmpfs -o \(options) none '\(path)'")
        defer { _ = try? Shell.sh("umount '\(path)'") }
        if path == folder.path { try prepareAnew() }
        try body()
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try DurableFile.replace(artifacts.appending(name), with: bytes)
    }
}

@Suite(
    "Room for a backup is counted before anything is written, and neither too much nor too little is asked for",
    .enabled(if: geteuid() == 0, "mounting a file system needs root"), .besideThePool)
struct BackupRoomTests {
    @Test(
        "C28: a first backup that does not fit is refused before anything is written, with the right numbers",
        arguments: BackupName.Kind.all)
    func first(_ kind: BackupName.Kind) throws {
        let live = try LiveStackFixture("room_first_\(kind)")
        try live.write("1/weights", Noise.bytes(24 << 20))
        try live.mounting("size=8m", on: live.folder.path) {
            let refused = try #require(try live.refusedForRoom(kind))
            #expect(refused.needed > 24 << 20 && refused.needed < 27 << 20, "\(refused)")
            #expect(refused.available <= 8 << 20)
            let error = #expect(throws: BackupError.self) { try live.backup(kind) }
            guard case .notEnoughRoom? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try live.names().isEmpty)
            #expect(try live.folder.leftInStaging().isEmpty)
        }
    }

    @Test("What compresses well is not refused for its size")
    func compressible() throws {
        let live = try LiveStackFixture("room_text")
        try live.write("1/log.txt", Array(repeatElement(Array("step 17 loss 0.25\n".utf8), count: 1 << 20).joined()))
        try live.mounting("size=8m", on: live.folder.path) {
            let findings = live.preflight().run()
            #expect(findings.obstacles.isEmpty, "\(findings.all.map(\.text.english))")
            #expect(findings.notices.contains { $0.english.contains("may not have enough room") })
            let outcome = try live.backup()
            #expect(outcome.suspicious == nil)
        }
    }

    @Test("C29: on xfs an archive that would not fit a second time is no obstacle, as long as little changed")
    func sharing() throws {
        let live = try LiveStackFixture("room_c29")
        let image = live.root.path.appending("image")
        try Shell.sh(
            "truncate -s 320M '\(image)' && mkfs.xfs -q -m reflink=1 '\(image)' && mount -o loop '\(image)' '\(live.folder.path)'"
        )
        defer { _ = try? Shell.sh("umount '\(live.folder.path)'") }
        try live.prepareAnew()
        try live.write("1/weights", Noise.bytes(64 << 20))
        try live.letStampsAge()
        let first = try live.backup()
        let free = try DiskSpace.at(live.folder.path).available
        try Shell.sh("fallocate -l \(free - 40 << 20) '\(live.folder.path)/filler'")
        #expect(try DiskSpace.at(live.folder.path).available < first.size)
        try live.add(runs: 41...41)
        #expect(try live.refusedForRoom() == nil)
        #expect(try live.backup().sharing.cloned > 60 << 20)
        // What is new has to fit.
        try live.write("1/more", Noise.bytes(48 << 20))
        let refused = try #require(try live.refusedForRoom())
        #expect(refused.needed >= 48 << 20 && refused.needed < 52 << 20, "\(refused)")
        // Of a file that grew only what it grew by.
        try Directory.remove(live.artifacts.appending("1/more"))
        try OpenFile(live.artifacts.appending("1/weights"), .append(mode: 0o644)).write(Noise.bytes(1 << 20))
        #expect(try live.refusedForRoom() == nil)
    }

    @Test("Where blocks are not shared an archive is a whole copy, but an unchanged one is another name")
    func copying() throws {
        // The transactions of other tests would count as changes.
        let live = try LiveStackFixture("room_copy", on: TemporaryPostgres())
        try live.write("1/weights", Noise.bytes(10 << 20))
        try live.mounting("size=16m", on: live.folder.path) {
            try live.letStampsAge()
            let first = try live.backup()
            #expect(try live.refusedForRoom() == nil)
            let second = try live.backup()
            #expect(second.unchanged?.since == first.name)
            try live.add(runs: 41...41)
            let refused = try #require(try live.refusedForRoom())
            #expect(refused.needed > 10 << 20 && refused.needed < 12 << 20, "\(refused)")
        }
    }

    @Test("Rows that are gone leave their room in the tables, and are no reason to refuse the backup that would fit")
    func shrunk() throws {
        let live = try LiveStackFixture("room_shrunk", on: TemporaryPostgres())
        let connection = try Connection(live.database)
        try connection.execute(
            "insert into metrics select repeat('k', 80) || n, n, n, n, 'run1' from generate_series(1, 100000) n")
        try live.mounting("size=24m", on: live.folder.path) {
            let first = try live.backup()
            try connection.execute("delete from metrics where key like 'kkk%'")
            try connection.execute("vacuum metrics")
            let filler = try DiskSpace.at(live.folder.path).available - 6 << 20
            try Shell.sh("head -c \(filler) /dev/zero > '\(live.folder.path)/filler'")
            #expect(try live.refusedForRoom() == nil)
            #expect(try live.backup().name != first.name)
        }
    }

    @Test("What another operation has dumped is gone by then, and is not lacking")
    func staged() throws {
        let live = try LiveStackFixture("room_staged")
        try live.write("1/weights", Noise.bytes(10 << 20))
        try live.mounting("size=16m", on: live.folder.path) {
            let dump = live.folder.staging.appending("dump-mlflow_backup_20260101_000000.tar.gz")
            try Directory.make(dump)
            try DurableFile.replace(dump.appending("1.dat"), with: Noise.bytes(8 << 20))
            #expect(try live.refusedForRoom() == nil)
            try live.backup()
        }
    }

    @Test("An uncompressed backup shares what did not change, and a big new file is refused")
    func folders() throws {
        let live = try LiveStackFixture("room_folder")
        try live.write("1/weights", Noise.bytes(10 << 20))
        try live.mounting("size=16m", on: live.folder.path) {
            try live.letStampsAge()
            try live.backup(.uncompressed)
            #expect(try live.refusedForRoom(.uncompressed) == nil)
            try live.add(runs: 41...41)
            #expect(try live.backup(.uncompressed).sharing.cloned >= 10 << 20)
            try live.write("1/more", Noise.bytes(10 << 20))
            #expect(try live.refusedForRoom(.uncompressed) != nil)
        }
    }

    @Test("C54: without inodes for its files an uncompressed backup is refused, and a compressed one needs few")
    func inodes() throws {
        let live = try LiveStackFixture("room_inodes")
        for number in 0..<200 { try live.write("1/file\(number)", [1]) }
        try live.mounting("size=64m,nr_inodes=150", on: live.folder.path) {
            let error = try #require(live.preflight(.uncompressed).run().obstacles.first as? BackupError)
            guard case .notEnoughFiles(_, let needed, let available) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(needed > 200 && available < 150)
            #expect(throws: BackupError.self) { try live.backup(.uncompressed) }
            #expect(try live.folder.leftInStaging().isEmpty)
            try live.backup()
        }
    }

    @Test("Where there is no time to count, only what is known without it is asked for")
    func impatient() throws {
        let live = try LiveStackFixture("room_impatient")
        try live.write("1/weights", Noise.bytes(24 << 20))
        for number in 0..<100 { try live.write("1/file\(number)", [1]) }
        try live.mounting("size=8m", on: live.folder.path) {
            #expect(live.preflight(patience: 0).run().obstacles.isEmpty)
        }
    }
}

@Suite(
    "Room for a restore is counted on each file system that it writes to",
    .enabled(if: geteuid() == 0, "mounting a file system needs root"), .besideThePool)
struct RestoreRoomTests {
    @Test("The dump is unpacked beside the backups: where it does not fit there, nothing is begun")
    func dump() throws {
        let live = try LiveStackFixture("room_dump")
        try Connection(live.database).execute(
            "insert into metrics select 'k' || n, n, n, n, 'run1' from generate_series(1, 60000) n")
        try live.mounting("size=16m", on: live.folder.path) {
            let name = try live.backup().name.string
            let dump = try #require(try Catalogue(live.folder).items()[0].dumpSize())
            #expect(dump.bytes > 1 << 20 && dump.files > 5)
            let free = try DiskSpace.at(live.folder.path).available
            try Shell.sh("head -c \(free - 1 << 20) /dev/zero > '\(live.folder.path)/filler'")
            for mode in [RestoreMode.full, .database] {
                let error = #expect(throws: BackupError.self) { try live.restore(name, mode, force: true) }
                guard case .notEnoughRoom(let path, dump.bytes, let available, _)? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(path.hasPrefix(live.folder.path.string) && available < dump.bytes)
            }
            try live.expectNothingLeftBehind()
            try live.restore(name, .artifacts, force: true)
        }
    }

    @Test("C54: a restore into an artifacts folder without inodes is refused before anything is made")
    func inodes() throws {
        let live = try LiveStackFixture("room_restore_inodes")
        for number in 0..<100 { try live.write("1/file\(number)", [1]) }
        let name = try live.backup().name.string
        try Shell.sh("mv '\(live.artifacts)' '\(live.artifacts)-before'")
        try live.mounting("size=64m,nr_inodes=90", on: live.artifacts) {
            try Shell.sh("cp -a '\(live.artifacts)-before/.mlflow-backup-stack' '\(live.artifacts)'")
            let error = #expect(throws: BackupError.self) { try live.restore(name, .artifacts, force: true) }
            guard case .notEnoughFiles(let path, let needed, let available)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(path == live.artifacts.string && needed > 100 && available < 90)
            try live.expectNothingLeftBehind()
        }
    }

    @Test("an undo is a few renames, which need no room: a full disk of artifacts does not refuse it")
    func undoWithoutRoom() throws {
        let live = try LiveStackFixture("room_undo")
        try Shell.sh("mv '\(live.artifacts)' '\(live.artifacts)-before'")
        try live.mounting("size=4m", on: live.artifacts) {
            try Shell.sh("cp -a '\(live.artifacts)-before/.' '\(live.artifacts)'")
            let name = try live.backup().name.string
            try live.write("1/late", [1])
            let late = try live.files()
            try live.restore(name, .artifacts, force: true)
            try Shell.sh("head -c 8M /dev/zero > '\(live.artifacts)/filler' || true")
            #expect(try DiskSpace.at(live.artifacts).available == 0)
            try live.undo(force: true)
            #expect(try live.files() == late)
            try live.expectNothingLeftBehind()
        }
    }
}
