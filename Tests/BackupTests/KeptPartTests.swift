// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("What a restore replaced", .besideThePool)
struct KeptPartTests {
    private func keepFor(_ seconds: Int64, _ live: LiveStackFixture) -> Workspace {
        var workspace = live.workspace()
        workspace.keepSeconds = seconds
        return workspace
    }

    private func settle(_ live: LiveStackFixture, keepSeconds: Int64) throws {
        try keepFor(keepSeconds, live).holdingStack("test") { _ in }
    }

    @Test("goes when its time is over, where the backup holds all of it, and not a second earlier")
    func expires() throws {
        let live = try LiveStackFixture("kept_expires")
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics where run_uuid = 'run1'")
        try Shell.sh("rm -r '\(live.artifacts)/1/run9'")
        try live.restore(name)
        let kept = try #require(try KeptParts(live.stack, live.folder).all().first)
        #expect(try Databases(live.database).exists(try #require(kept.database)))
        try settle(live, keepSeconds: 3600)
        #expect(try KeptParts(live.stack, live.folder).all().count == 1)
        try settle(live, keepSeconds: 0)
        #expect(try KeptParts(live.stack, live.folder).all().isEmpty)
        #expect(try !Databases(live.database).exists(try #require(kept.database)))
        #expect(try FileStatus.ifPresent(live.artifacts.appending(".mlflow-backup-restore")) == nil)
        try live.expectNothingLeftBehind()
    }

    @Test(
        "stays past its time where no backup holds a row or a file of it, through further restores, until it is forgotten"
    )
    func stays() throws {
        let live = try LiveStackFixture("kept_stays")
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        try live.restore(name, force: true)
        for _ in 0..<2 {
            try live.restore(name)
            try settle(live, keepSeconds: 0)
            #expect(try KeptParts(live.stack, live.folder).all().count == 1, "the others are covered, and went")
        }
        let kept = try #require(try KeptParts(live.stack, live.folder).all().first)
        #expect(kept.missing?.isEmpty == false)
        #expect(kept.replaced.findings.contains { $0.english.contains("run30") }, "\(kept.replaced)")
        try ForgetJob(live.workspace()).run(kept.id)
        #expect(try KeptParts(live.stack, live.folder).all().isEmpty)
        try live.expectNothingLeftBehind()
        #expect(throws: BackupError.noSuchKeptPart(id: kept.id)) { try ForgetJob(live.workspace()).run(kept.id) }
    }

    @Test("stays where an upload ended in it after the swap")
    func lateUpload() throws {
        let live = try LiveStackFixture("kept_upload")
        let name = try live.backup().name.string
        try Shell.sh("echo half > '\(live.artifacts)/1/run4/artifacts/model.bin'")
        try live.restore(name, force: true)
        let part = try #require(try KeptParts(live.stack, live.folder).all().first)
        let late = KeptParts(live.stack, live.folder).tree(of: part).appending("1/run4/artifacts/model.bin")
        try Shell.sh("echo the whole of it, much later > '\(late)'")
        try settle(live, keepSeconds: 0)
        #expect(try KeptParts(live.stack, live.folder).all().count == 1)
        #expect(try FileStatus.ifPresent(late) != nil)
    }

    @Test("is covered by the backup that a forced restore makes first, and that one is not pruned before it")
    func coveredByTheBackupBefore() throws {
        // Of its own: a transaction of another test that began before makes rows look younger than the backup.
        let live = try LiveStackFixture("kept_covered", on: TemporaryPostgres())
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        let first = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
        let outcome = try RestoreJob(live.workspace(), options: .init(force: true, backupFirst: first)).run(name)
        let before = try #require(outcome.backupBefore)
        #expect(outcome.kept?.coveredBy == before.string)
        #expect(try KeptParts(live.stack, live.folder).pinnedBackups() == [name, before.string])
        try settle(live, keepSeconds: 0)
        #expect(try KeptParts(live.stack, live.folder).all().isEmpty)
        // What was replaced is in that backup.
        try live.restore(before.string)
        #expect(try live.rows().contains("run30"))
    }

    @Test("that cannot be removed stops nothing, and is gone when it can be")
    func immovable() throws {
        try #require(geteuid() == 0)
        let live = try LiveStackFixture("kept_immovable")
        let name = try live.backup().name.string
        try Shell.sh("echo other > '\(live.artifacts)/1/run4/artifacts/model.bin'")
        let first = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
        _ = try RestoreJob(live.workspace(), options: .init(force: true, backupFirst: first)).run(name)
        let part = try #require(try KeptParts(live.stack, live.folder).all().first)
        let stuck = KeptParts(live.stack, live.folder).tree(of: part).appending("1/run4/artifacts/model.bin")
        // An immutable file where the file system knows them, else a mount: neither can be removed.
        let hold = (try? Shell.sh("chattr +i '\(stuck)'")) != nil ? "chattr -i" : "umount"
        if hold == "umount" { try Shell.sh("mount --bind /etc/hostname '\(stuck)'") }
        do {
            defer { _ = try? Shell.sh("\(hold) '\(stuck)'") }
            try settle(live, keepSeconds: 0)
            let told = try live.backup().warnings.map(\.english).filter { $0.contains(part.id) }
            #expect(told.count == 1 && (hold == "umount" || told[0].contains("chattr -R -i")), "\(told)")
            try live.restore(name)
            #expect(try FileStatus.ifPresent(stuck) != nil)
        }
        try settle(live, keepSeconds: 0)
        #expect(try FileStatus.ifPresent(stuck) == nil)
        try live.expectNothingLeftBehind()
    }

    @Test("goes where it has files with several names, of which the backup holds the bytes once")
    func hardLinks() throws {
        let live = try LiveStackFixture("kept_links")
        try Shell.sh("cd '\(live.artifacts)/1/run5/artifacts' && ln model.bin again.bin && ln model.bin a.bin")
        let name = try live.backup().name.string
        let kept = try #require(try live.restore(name).kept)
        let late = KeptParts(live.workspace()).tree(of: kept).appending("1/run5/artifacts/again.bin")
        let size = try FileStatus.of(late).size
        let right = live.root.path.appending("right")
        try Shell.sh("mv '\(late)' '\(right)' && head -c \(size) /dev/zero > '\(late)'")
        try settle(live, keepSeconds: 0)
        #expect(try live.keptIDs() == [kept.id])
        try Shell.sh("mv '\(right)' '\(late)'")
        var part = try #require(try KeptPart.read(kept.id, in: live.folder))
        part.checkedAt = nil
        try part.write(in: live.folder)
        try settle(live, keepSeconds: 0)
        #expect(try live.keptIDs() == [])
        try live.expectNothingLeftBehind()
    }
}
