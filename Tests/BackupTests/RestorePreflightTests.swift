// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "What would refuse a restore is told at once, all of it, and before its archive is read",
    .enabled(if: geteuid() == 0, "mounting a file system needs root"), .besideThePool)
struct RestorePreflightTests {
    private func look(_ live: LiveStackFixture, _ name: BackupName, force: Bool = true) throws -> Findings {
        RestorePreflight(live.workspace(), options: .init(force: force)).run(
            try live.item(name), .request(newerWithin: 1))
    }

    @Test("schema, folders and room are all found in one look, and nothing is touched")
    func everything() throws {
        let live = try LiveStackFixture("look_all")
        try live.write("1/weights", Noise.bytes(6 << 20))
        let name = try live.backup().name
        #expect(try look(live, name).all.isEmpty)
        let image = live.root.path.appending("before")
        try Directory.rename(live.artifacts, to: image)
        try live.mounting("size=4m", on: live.artifacts) {
            try Shell.sh("cp '\(image)/\(ArtifactsMark.fileName)' '\(live.artifacts)/'")
            try live.mounting("size=1m", on: live.artifacts.appending("1")) {
                try Connection(live.database).execute("update alembic_version set version_num = '451aebb31d03'")
                let found = try look(live, name).obstacles.map(\.stableCode)
                #expect(found == ["schema-newer", "mount-inside", "not-enough-room"])
                #expect(try look(live, name, force: false).obstacles.count == 3)
                let names = try Directory.names(in: live.artifacts).map { String(decoding: $0, as: UTF8.self) }
                #expect(names == [ArtifactsMark.fileName, "1"])
                #expect(try live.names() == [name.string])
            }
        }
    }

    @Test("a request writes nothing among the artifacts: another operation may be at work there")
    func beside() throws {
        let live = try LiveStackFixture("look_beside")
        let name = try live.backup().name
        let before = try FileStatus.of(live.artifacts)
        #expect(try look(live, name).all.isEmpty)
        let after = try FileStatus.of(live.artifacts)
        #expect(before.modified == after.modified && before.changed == after.changed)
    }

    @Test("the job refuses before it reads: damage in the middle of the archive is not met")
    func beforeReading() throws {
        let live = try LiveStackFixture("look_before")
        let name = try live.backup().name
        try live.damage(name)
        try live.mounting("size=1m", on: live.artifacts.appending("2")) {
            let error = #expect(throws: BackupError.self) { try live.restore(name.string, force: true) }
            #expect(error?.errorCode == "mount-inside")
        }
        #expect(throws: ArchiveError.self) { try live.restore(name.string, force: true) }
    }

    @Test("a forced restore asks for room for the backup that it makes first, too")
    func backupFirst() throws {
        let live = try LiveStackFixture("look_first")
        try live.mounting("size=8m", on: live.folder.path) {
            let name = try live.backup().name
            try live.write("1/weights", Noise.bytes(12 << 20))
            let first = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
            for (options, codes) in [
                (RestoreJob.Options(force: true, backupFirst: first), ["not-enough-room"]), (.init(force: true), []),
            ] {
                let found = RestorePreflight(live.workspace(), options: options).run(
                    try live.item(name), .request(newerWithin: 1))
                #expect(found.obstacles.map(\.stableCode) == codes)
            }
        }
    }

    @Test("an undo that would fail at its swap is refused where it is asked for")
    func undo() throws {
        let live = try LiveStackFixture("look_undo")
        let name = try live.backup().name
        try live.add(runs: 31...31)
        try live.restore(name.string, force: true)
        #expect(throws: Never.self) { try UndoJob(live.workspace(), force: false).preflight() }
        try live.mounting("size=1m", on: live.artifacts.appending("2")) {
            let error = #expect(throws: BackupError.self) {
                try UndoJob(live.workspace(), force: false).preflight()
            }
            #expect(error?.errorCode == "mount-inside")
        }
    }
}
