// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// The artifacts folder is open to every client of MLflow, and oids are given out again by every cluster.
@Suite("Nothing is moved or removed because a file says so", .besideThePool)
struct TrustTests {
    @Test("what a client uploads into our folder among the artifacts does nothing, and blocks nothing")
    func uploads() throws {
        let live = try LiveStackFixture("trust_upload")
        let name = try live.backup().name.string
        let victim = live.root.path.appending("victim")
        try Directory.make(victim)
        let other = try live.server.freshDatabase("trust_other")
        let oid = try #require(try Databases(live.database).oid(of: other.database))
        let ours = live.artifacts.appending(".mlflow-backup-restore")
        for folder in ["kept-z", "work-z", "kept-20260101_000000_00000000"] {
            try Directory.make(ours.appending(folder))
        }
        let record = """
            {"id":"z/../../../victim","backup":"\(name)","mode":"full","replacedAt":0,"databaseOID":\(oid),"database":"\(other.database)",
            "coveredBy":"\(name)","coveredUntil":"1","replaced":{"en":[],"zh":[],"total":0},"carried":[],"aside":[]}
            """
        for path in ["kept-z/kept.json", "kept-20260101_000000_00000000/kept.json", "journal.json"] {
            try DurableFile.replace(ours.appending("kept-z").parent.appending(path), with: Array(record.utf8))
        }
        var workspace = live.workspace()
        workspace.keepSeconds = 0
        try workspace.holdingStack("test") { _ in }
        try live.backup()
        #expect(try FileStatus.ifPresent(victim) != nil)
        #expect(try Databases(live.database).exists(other.database))
        try live.restore(name)
        #expect(try Databases(live.database).exists(other.database))
    }

    @Test("a kept part's oid that another database has by now is left alone by its removal and by an undo")
    func otherDatabase() throws {
        let live = try LiveStackFixture("trust_oid")
        let name = try live.backup().name.string
        try live.restore(name)
        var part = try #require(try KeptParts(live.stack, live.folder).all().first)
        let kept = try #require(part.database)
        let other = try live.server.freshDatabase("trust_app")
        try Databases(live.database).drop(kept)
        part.databaseOID = try Databases(live.database).oid(of: other.database)
        try part.write(in: live.folder)
        #expect(throws: BackupError.keptDatabaseGone(id: part.id, database: kept, older: nil)) { try live.undo() }
        try ForgetJob(live.workspace()).run(part.id)
        #expect(try Databases(live.database).exists(other.database))
        #expect(try Databases(live.database).exists(live.database.database))
    }

    @Test("a journal with names that no restore makes is refused, and touches nothing")
    func journal() throws {
        let live = try LiveStackFixture("trust_journal")
        let name = try live.backup().name.string
        let other = try live.server.freshDatabase("trust_victim")
        let job = RestoreJob(live.workspace(), options: .init(force: true))
        let item = try Catalogue(live.folder).item(named: name)
        let journal: RestoreJournal
        do {
            let hold = try live.workspace().hold("test")
            journal = try job.journal(for: item, hold)
        }
        var changed: [RestoreJournal] = []
        var one = journal
        one.newDatabase = other.database
        changed.append(one)
        one = journal
        one.id = "q/../../victim"
        changed.append(one)
        one = journal
        one.plan = .init(arrivals: [], departures: [.init(name: Array("../victim".utf8), inode: 7)])
        changed.append(one)
        for bad in changed {
            let path = live.folder.state.appending("restore-journal-bad.json")
            try SealedRecord.write(bad, to: path, mode: 0o600)
            #expect(throws: BackupError.self) { try live.recover() }
            #expect(try Databases(live.database).exists(other.database))
            try Directory.remove(path)
        }
        // The live database under the name of what was prepared is never dropped.
        one = journal
        one.newOID = try Databases(live.database).oid(of: live.database.database)
        try one.write(in: live.folder)
        try live.recover()
        #expect(try live.rows().contains("run7"))
    }

    @Test("a record with numbers at the edge of what there is stops nothing")
    func numbers() throws {
        let live = try LiveStackFixture("trust_numbers")
        let name = try live.backup().name.string
        try live.restore(name)
        for time in [Int64.min, .max, .min + 1] {
            var part = try #require(try KeptParts(live.stack, live.folder).all().first)
            part.replacedAt = time
            part.replacedSinceBoot = nil
            part.checkedAt = time
            try part.write(in: live.folder)
            try live.backup()
        }
    }

    @Test("what is mounted inside the artifacts is refused before anything happens", .enabled(if: geteuid() == 0))
    func mounts() throws {
        let live = try LiveStackFixture("trust_mount")
        let name = try live.backup().name.string
        let (inside, outside) = (live.artifacts.appending("1/deep"), live.root.path.appending("outside"))
        try Directory.make(inside)
        try Directory.make(outside)
        try Shell.sh("echo precious > '\(outside)/f' && mount --bind '\(outside)' '\(inside)'")
        defer { _ = try? Shell.sh("umount '\(inside)'") }
        #expect(throws: BackupError.mountInside(path: inside.string, count: 1)) { try live.restore(name, force: true) }
        #expect(try Shell.sh("cat '\(outside)/f'") == "precious\n")
        try live.expectNothingLeftBehind()
    }
}

@Suite("An undo sees what came since, and brings back what was there", .besideThePool)
struct UndoContentTests {
    private func replaced(_ name: String) throws -> (LiveStackFixture, String) {
        let live = try LiveStackFixture(name)
        sleep(3)
        let made = try live.backup().name.string
        try Shell.sh("echo second > '\(live.artifacts)/1/run4/artifacts/model.bin'")
        return (live, made)
    }

    @Test("a shared file that was overwritten in place and then unlinked comes back as it was")
    func overwrittenAndGone() throws {
        let (live, name) = try replaced("undo_unlinked")
        let before = try live.files()
        try live.restore(name, force: true)
        let path = live.artifacts.appending("1/run3/artifacts/model.bin")
        try Shell.sh("printf clobbered | dd of='\(path)' conv=notrunc status=none; rm '\(path)'")
        try live.undo()
        #expect(try live.files() == before)
    }

    @Test("a file with two names that was different before the restore keeps its own bytes")
    func twoNames() throws {
        let live = try LiveStackFixture("undo_names")
        let (one, two) = (live.artifacts.appending("1/a.txt"), live.artifacts.appending("1/run1/b.txt"))
        try Shell.sh("echo first > '\(one)' && ln '\(one)' '\(two)'")
        sleep(3)
        let name = try live.backup().name.string
        try Shell.sh("echo second > '\(one)'")
        let before = try live.files()
        try live.restore(name, force: true)
        try Shell.sh("chmod -R u+w '\(live.artifacts)'")
        try live.undo(force: true)
        #expect(try live.files() == before)
    }

    @Test("a folder that was moved in is seen although the times of its files are old")
    func movedIn() throws {
        let (live, name) = try replaced("undo_moved")
        let aside = live.root.path.appending("model")
        try Shell.sh("mkdir '\(aside)' && echo weights > '\(aside)/w' && touch -d 2001-01-01 '\(aside)/w' '\(aside)'")
        sleep(1)
        try live.restore(name, force: true)
        try Shell.sh("mv '\(aside)' '\(live.artifacts)/1/run2/artifacts/model'")
        #expect(throws: BackupError.self) { try live.undo() }
        #expect(try FileStatus.ifPresent(live.artifacts.appending("1/run2/artifacts/model/w")) != nil)
    }

    @Test("rows written while a restored database was live are kept when the swap is taken back")
    func writtenMeanwhile() throws {
        let live = try LiveStackFixture("undo_written")
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics")
        let rows = try live.rows()
        let journal = try live.interruptRestore(of: name, swappingDatabases: true) { journal, staged, hold in
            try KeptPart(
                id: try #require(journal.id), backup: name, mode: .full, replacedAt: LocalTime.now().epoch,
                stack: hold.identity, databaseOID: journal.oldOID, database: journal.oldDatabase, coveredBy: nil,
                coveredUntil: nil, replaced: NewerData(), mark: nil, broughtIn: staged.broughtIn, carried: [], aside: []
            ).write(in: live.folder)
        }
        // A client is told that its run is stored.
        try Connection(live.database).execute("insert into runs values ('acknowledged', 1799999999999, 1)")
        do {
            let hold = try live.workspace().hold("test")
            var recovery = RestoreRecovery(live.workspace(), hold.databases)
            try recovery.rollBack(journal)
        }
        #expect(try live.rows() == rows)
        let kept = try #require(try KeptParts(live.stack, live.folder).all().first?.database)
        let found = try Connection(live.database.naming(database: kept)).rows(
            "select from runs where run_uuid = 'acknowledged'")
        #expect(found.count == 1)
        try live.expectNothingLeftBehind()
    }
}
