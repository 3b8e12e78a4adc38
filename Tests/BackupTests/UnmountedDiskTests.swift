// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("C19, C20: a disk that is not mounted leaves a mount point, which is not taken for the disk", .besideThePool)
struct UnmountedDiskTests {
    private func code(_ error: (any Error)?) -> String? { (error as? BackupError)?.errorCode }

    private func refused(_ wanted: String, _ body: () throws -> Void) {
        let error = #expect(throws: (any Error).self, performing: body)
        #expect(code(error) == wanted, "\(String(describing: error))")
    }

    @Test("both missing, beside a database that speaks of files: refused each night, until claim says that it is right")
    func both() throws {
        let live = try LiveStackFixture("unmounted_both")
        let (artifacts, backups) = (live.root.path.appending("point-a"), live.root.path.appending("point-b"))
        try Directory.make(artifacts)
        try Directory.make(backups)
        func workspace() -> Workspace {
            Workspace(live.stack(artifacts: artifacts), BackupFolder(backups), log: .silent)
        }
        // Runs of metrics alone are no fault, and are told of.
        let notices = BackupPreflight(workspace(), options: .init()).run()
        #expect(notices.obstacles.isEmpty, "\(notices.obstacles)")
        #expect(notices.notices.contains { $0.english.contains("has 20 runs") }, "\(notices.notices)")
        let connection = try Connection(live.database)
        try connection.execute("create table tags (key text, value text, run_uuid text)")
        try connection.execute("alter table runs add artifact_uri text, add lifecycle_stage text default 'active'")
        try connection.execute("update runs set artifact_uri = 's3://elsewhere/' || run_uuid")
        try connection.execute("insert into tags values ('mlflow.loggedArtifacts', '[]', 'run1')")
        let elsewhere = BackupPreflight(workspace(), options: .init()).run()
        #expect(elsewhere.obstacles.isEmpty, "\(elsewhere.obstacles)")
        try connection.execute("update runs set artifact_uri = 'mlflow-artifacts:/1/' || run_uuid")
        for _ in 1...2 {
            let found = BackupPreflight(workspace(), options: .init()).run().obstacles.first
            #expect(found?.bilingual.english.contains("stored files 1 times") == true, "\(String(describing: found))")
            refused("artifacts-emptied") { _ = try BackupJob(workspace(), options: .init(), version: "t").run() }
        }
        #expect(try Catalogue(BackupFolder(backups)).items().isEmpty)
        _ = try ClaimJob(workspace()).run()
        _ = try BackupJob(workspace(), options: .init(), version: "t").run()
    }

    @Test("state in the mount point of the backups is not the folder; another disk with backups of this stack is one")
    func leftoverState() throws {
        let live = try LiveStackFixture("unmounted_state")
        try live.backup()
        let disk = live.root.path.appending("disk")
        // The night before, without either disk.
        try Directory.rename(live.folder.path, to: disk)
        let bare = live.root.path.appending("bare")
        try Directory.make(bare)
        let without = Workspace(live.stack(artifacts: bare), live.folder, log: .silent)
        _ = try ClaimJob(without).run()
        _ = try BackupJob(without, options: .init(), version: "t").run()
        #expect(try live.folder.wasUsed())
        // The artifacts are back.
        let others = #expect(throws: BackupError.self) { try live.backup() }
        #expect(code(others) == "folder-vanished")
        // It is not empty, which nobody is told.
        #expect(
            others?.explanation.english.contains("none of these artifacts'") == true, "\(String(describing: others))")
        refused("folder-vanished") { try BackupPreflight(live.workspace(), options: .init()).run().throwFirst() }
        refused("folder-vanished") { _ = try Catalogue(live.folder, usedBy: live.artifacts).items() }
        // One of two disks that are exchanged by the week: the backups came with a copy, and our state did not.
        try Shell.sh("cd '\(live.root.path)' && mv backups point && cp -a disk backups && rm -r backups/.mlflow-backup")
        let sidecars = try Catalogue(live.folder).items().compactMap(\.sidecar)
        #expect(!sidecars.isEmpty)
        // Made while the artifacts could not be marked, as by a night without the disks: they name no mark, which proves nothing (C20).
        for var sidecar in sidecars {
            sidecar.stack?.artifacts = nil
            try sidecar.write(in: live.folder)
        }
        refused("folder-vanished") { _ = try live.backup() }
        for sidecar in sidecars { try sidecar.write(in: live.folder) }
        try live.backup()
        // The first one is known still.
        try Shell.sh("cd '\(live.root.path)' && mv backups second && mv disk backups")
        try live.backup()
        #expect(try ArtifactsMark.read(in: live.artifacts)?.folderIDs?.count == 2)
    }

    @Test("a restore does not go into the mount point of the artifacts, into which MLflow has written; claim allows it")
    func restoreBeside() throws {
        let live = try LiveStackFixture("unmounted_restore")
        let name = try live.backup().name
        let disk = live.root.path.appending("disk")
        try Directory.rename(live.artifacts, to: disk)
        try Directory.make(live.artifacts)
        for text in ["is empty", "has no mark"] {
            let error = #expect(throws: BackupError.self) { try live.restore(name.string, .artifacts, force: true) }
            #expect(error?.explanation.english.contains(text) == true, "\(String(describing: error))")
            let found = RestorePreflight(live.workspace(), options: .init(mode: .artifacts, force: true)).run(
                try live.item(name), .request(newerWithin: 1))
            #expect(code(found.obstacles.first) == "artifacts-emptied", "\(found.obstacles)")
            try Shell.sh("mkdir -p '\(live.artifacts)/9' && echo late > '\(live.artifacts)/9/late.bin'")
        }
        // Nor is it marked by a restore of the database alone, which goes nowhere there: that would be a claim that nobody made.
        try live.restore(name.string, .database, force: true)
        #expect(try !Directory.names(in: live.artifacts).contains(Array(ArtifactsMark.fileName.utf8)))
        _ = try ClaimJob(live.workspace()).run()
        try live.restore(name.string, .artifacts, force: true)
    }

    @Test(
        "an empty folder, and one experiment's disk that is away: suspicious, which the look before says, and nothing goes",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func experiment() throws {
        let live = try LiveStackFixture("unmounted_part")
        let point = live.artifacts.appending("7")
        try Directory.make(point)
        try Shell.sh("mount -t tmpfs none '\(point)' && echo one > '\(point)/model.bin'")
        defer { _ = try? Shell.sh("umount '\(point)'") }
        func look() -> Findings { BackupPreflight(live.workspace(), options: .init()).run() }
        let good = try live.backup().name
        #expect(look().suspicions.isEmpty)
        try Shell.sh("umount '\(point)'")
        #expect(look().suspicions.first?.english.contains("nothing is mounted at 7") == true, "\(look().suspicions)")
        let outcome = try live.backup(retention: .count(1))
        #expect(outcome.suspicious?.english.contains("nothing is mounted at 7") == true)
        #expect(try live.names().contains(good.string))
        // A person who took the disk away says so once.
        _ = try AcceptJob(live.workspace()).run(outcome.name.string)
        #expect(look().suspicions.isEmpty)
        #expect(try live.backup().suspicious == nil)

        try Shell.sh("cd '\(live.artifacts)' && rm -r 1 7")
        #expect(look().suspicions.first?.english.contains("0 files") == true, "\(look().suspicions)")
        #expect(look().obstacles.isEmpty)
        #expect(try live.backup(retention: .count(1)).suspicious != nil)
    }
}
