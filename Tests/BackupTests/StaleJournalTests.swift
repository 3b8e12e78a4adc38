// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A journal or a record that tells less than what lies there, or what is no more", .besideThePool)
struct StaleJournalTests {
    /// With its databases swapped, and what it keeps written down.
    private func interrupted(_ live: LiveStackFixture, restoring backup: String) throws -> RestoreJournal {
        try live.interruptRestore(of: backup, swappingDatabases: true) { journal, staged, hold in
            try KeptPart(
                id: journal.id ?? "", backup: backup, mode: .full, replacedAt: 0, stack: hold.identity,
                databaseOID: journal.oldOID, database: journal.oldDatabase, broughtIn: staged.broughtIn
            ).write(in: live.folder)
        }
    }

    /// Half a swap whose backup folder goes away and is claimed anew; then the old one comes back.
    private func claimedElsewhere(
        _ name: String, undone: Bool
    ) throws -> (live: LiveStackFixture, journal: RestoreJournal, file: FilePath) {
        let live = try LiveStackFixture(name)
        try Shell.sh("echo top > '\(live.artifacts)/top.txt' && touch -d '1 hour ago' '\(live.artifacts)/top.txt'")
        let backup = try live.backup().name.string
        try Shell.sh("echo precious > '\(live.artifacts)/1/precious.txt'")
        let journal = try interrupted(live, restoring: backup)
        try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1"))
        let aside = live.root.path.appending("old-backups")
        try Directory.rename(live.folder.path, to: aside)
        _ = try ClaimJob(live.workspace()).run()
        if undone { try live.undo(force: true) }
        try Directory.removeTree(live.folder.path)
        try Directory.rename(aside, to: live.folder.path)
        return (live, journal, live.folder.state.appending("restore-journal-\(journal.id ?? "").json"))
    }

    @Test(
        "a journal whose folder was claimed in another backup folder is named, and nothing is moved or finished by it",
        arguments: [true, false])
    func stale(undone: Bool) throws {
        let (live, journal, file) = try claimedElsewhere("stale_journal", undone: undone)
        let before = try live.files() + Shell.sh("find '\(journal.swap.folder)' | sort")
        for deed: () throws -> Void in [
            { try live.recover() }, { try live.backup() }, { try ClaimJob(live.workspace()).run() },
        ] {
            let error = #expect(throws: BackupError.self) { try deed() }
            let words = error?.explanation.english ?? ""
            #expect(error?.errorCode == "needs-recovery" && words.contains(file.string), "\(words)")
            #expect(words.contains("claim"), "\(words)")
        }
        #expect(try live.files() + Shell.sh("find '\(journal.swap.folder)' | sort") == before)
        // What the message says.
        try Directory.rename(file, to: live.root.path.appending("journal"))
        try ClaimJob(live.workspace()).run()
        try live.backup()
        #expect(try live.recover() == .nothingToDo)
        #expect(try !Shell.sh("find '\(live.artifacts)' -name precious.txt").isEmpty)
    }

    @Test(
        "a restore that went on with another backup disk is told as what it is: half of it is left alone, the whole is finished"
    )
    func wentOnElsewhere() throws {
        let live = try LiveStackFixture("stale_elsewhere")
        let backup = try live.backup().name.string
        try live.add(runs: 30...30)
        // What this disk tells of: before the swap. On the other one lies the journal of the swap.
        let journal = try live.interruptRestore(of: backup, at: .preparing, swappingDatabases: true)
        let before = try Shell.sh("find '\(live.artifacts)' | sort")
        let error = #expect(throws: BackupError.self) { try live.recover() }
        #expect(
            error?.errorCode == "needs-recovery" && error?.explanation.english.contains("another backup folder") == true
        )
        #expect(try Shell.sh("find '\(live.artifacts)' | sort") == before)
        let swap = journal.swap
        try swap.forward(swap.plan())
        #expect(throws: BackupError.self, "files that were live lie there") { try live.recover() }
        let kept = swap.folder.appending(KeptPart.prefix + (journal.id ?? ""))
        try Directory.removeTree(swap.new)
        try Directory.rename(swap.work, to: kept)
        #expect(try live.recover() == .finished(backup: backup, task: nil))
        #expect(try FileStatus.ifPresent(kept) != nil && live.recover() == .nothingToDo)
    }

    @Test("the live data does not move for a journal whose first stage is in another backup folder")
    func exchangedFolder() throws {
        let live = try LiveStackFixture("stale_exchanged")
        let backup = try live.backup().name.string
        var journal = try live.interruptRestore(of: backup, .database, at: .preparing)
        journal.stage = .committing
        let other = RestoreState(BackupFolder(live.root.path.appending("other")), artifacts: live.artifacts)
        try other.folder.prepare()
        let error = #expect(throws: BackupError.self) { try journal.commit(in: other) }
        #expect(error?.errorCode == "ground-moved")
        try journal.commit(in: live.workspace().state)
        #expect(try live.recover() == .undone(backup: backup, task: nil))
    }

    @Test("a damaged record of what a cut short restore is to keep is made anew from the journal")
    func damagedRecord() throws {
        let live = try LiveStackFixture("stale_damaged")
        let backup = try live.backup().name.string
        try live.add(runs: 30...30)
        let journal = try live.interruptRestore(of: backup, swappingDatabases: true)
        let id = try #require(journal.id)
        try DurableFile.replace(KeptPart.path(of: id, in: live.folder), with: Array("{".utf8))
        guard case .finished = try live.recover() else {
            Issue.record("the databases were swapped")
            return
        }
        let part = try #require(try KeptParts(live.workspace()).all().first)
        #expect(part.id == id && part.coveredBy == nil && part.databaseOID == journal.oldOID)
        #expect(try !Shell.sh("ls '\(live.folder.state)' | grep damaged-.*kept-\(id)").isEmpty)
        try live.undo(force: true)
        #expect(try live.rows().contains("run30"))
    }

    @Test("a journal of 0.1.0 proves nothing in a folder that has none of what it names")
    func of010() throws {
        let live = try LiveStackFixture("stale_010")
        try live.backup()
        let ours = live.artifacts.appending(ArtifactSwap.folderName)
        try Shell.sh(
            "cd '\(live.artifacts)' && mkdir -p 2 3 '\(ours)/new/3' '\(ours)/old/2' && touch '\(ours)/old/2/precious' 3/old"
        )
        func inode(_ path: FilePath) throws -> UInt64 { try FileStatus.of(path).inode }
        let (live2, new3) = (try inode(live.artifacts.appending("2")), try inode(ours.appending("new/3")))
        let arrivals = [("2", live2), ("3", new3)].map { name, inode in
            "{\"name\":[\(Array(name.utf8)[0])],\"inode\":\(inode)}"
        }
        let text = """
            {"backup":"b","mode":"artifacts","stage":"committing","liveDatabase":"\(live.database.database)","newDatabase":"x","oldDatabase":"y",
            "hadDatabase":true,"artifacts":\(live.artifacts.bytes.map { Int($0) }),
            "plan":{"arrivals":[\(arrivals.joined(separator: ","))],"departures":[]}}
            """
        try DurableFile.replace(live.folder.restoreJournal, with: Array(text.utf8))
        let away = live.root.path.appending("away")
        try Directory.rename(live.artifacts, to: away)
        for deed in ["mkdir -p A/7 && echo w > A/7/w", "rm -r A; mkdir -p A/lost+found", "rm -r A; mkdir A", "rm -r A"]
        {
            try Shell.sh(deed.replacing("A", with: "'\(live.artifacts)'"))
            let error = #expect(throws: BackupError.self) { try live.recover() }
            #expect(error?.errorCode == "needs-recovery", "\(deed)")
        }
        try Directory.rename(away, to: live.artifacts)
        try live.recover()
        let part = try #require(try KeptParts(live.workspace()).all().first)
        let kept = KeptParts(live.workspace()).tree(of: part)
        #expect(try FileStatus.ifPresent(kept.appending("2/precious")) != nil)
        #expect(try FileStatus.ifPresent(kept.appending("3/old")) != nil)
        #expect(try inode(live.artifacts.appending("3")) == new3)
    }

    @Test("who only looks whether a restore is settled is no operation at work", arguments: [true, false])
    func lookers(isLook: Bool) throws {
        let live = try LiveStackFixture("stale_look")
        let backup = try live.backup().name.string
        _ = try live.interruptRestore(of: backup)
        let job = RecoverJob(live.workspace())
        // A child that another test forks holds all locks of this process until it becomes another program.
        try Patience.wait("the locks to be let go") { job.unsettled() != nil }
        for note in isLook ? ["a look at restores", "recovery, pid 7, since now"] : ["backup, pid 7, since now"] {
            let lock = try AdvisoryLock.tryLock(live.folder.lock, note: note)
            #expect((job.unsettled() != nil) == isLook, "\(note)")
            withExtendedLifetime(lock) {}
        }
    }

    @Test(
        "claim adds to the record of what clients wrote meanwhile, and forgets neither its database nor what is said of it"
    )
    func claimAdds() throws {
        let live = try LiveStackFixture("stale_late")
        let backup = try live.backup().name.string
        try Shell.sh("echo precious > '\(live.artifacts)/1/precious.txt'")
        let journal = try live.interruptRestore(of: backup, .full)
        let late = "\(journal.id ?? "")_late"
        let time = LocalTime.now().epoch - 100
        let rows = NewerData([BilingualText(zh: "行", en: "1 rows of public.runs")])
        try KeptPart(
            id: late, backup: backup, mode: .database, replacedAt: time, stack: journal.stack,
            databaseOID: journal.newOID, database: journal.newDatabase, replaced: rows, missing: rows
        ).write(in: live.folder)
        try journal.remove(in: live.folder)
        try ClaimJob(live.workspace()).run()
        let part = try #require(try KeptParts(live.workspace()).all().first { $0.id == late })
        #expect(part.mode == .full && part.databaseOID == journal.newOID && part.database == journal.newDatabase)
        #expect(part.backup == backup && part.replacedAt == time)
        #expect(part.missing?.findings.contains { $0.english.contains("1 rows of public.runs") } == true)
        #expect(try !Directory.names(in: KeptParts(live.workspace()).tree(of: part)).isEmpty)
        try ForgetJob(live.workspace()).run(late)
        #expect(try !Databases(live.database).exists(journal.newDatabase))
        try live.expectNothingLeftBehind()
    }

    @Test("claim keeps the database of a record whose database has another name than a restore gives")
    func claimKeepsDatabase() throws {
        let live = try LiveStackFixture("stale_renamed")
        let backup = try live.backup().name.string
        let journal = try interrupted(live, restoring: backup)
        try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1"))
        try Directory.rename(journal.swap.new.appending("1"), to: journal.swap.old.appending("1"))
        try Databases(live.database).rename(journal.oldDatabase, to: "stale_hand")
        try journal.remove(in: live.folder)
        try ClaimJob(live.workspace()).run()
        let part = try #require(try KeptParts(live.workspace()).all().first { $0.id == journal.id })
        #expect(part.databaseOID == journal.oldOID)
        try Databases(live.database).drop("stale_hand")
    }

    @Test("claim says why what it took up stays")
    func claimSaysWhy() throws {
        let live = try LiveStackFixture("stale_why")
        let journal = try live.interruptRestore(of: try live.backup().name.string, swappingDatabases: true)
        try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1"))
        try journal.remove(in: live.folder)
        try ClaimJob(live.workspace()).run()
        let parts = KeptParts(live.workspace())
        for part in try parts.all() {
            #expect(part.missing?.isEmpty == false, "\(part.id)")
            #expect(try parts.warnings().contains { $0.english.contains("forget \(part.id)") }, "\(part.id)")
        }
    }

    @Test("a journal that swaps files and does not say which is refused, and not taken for one that is done")
    func planless() throws {
        let live = try LiveStackFixture("stale_planless")
        let backup = try live.backup().name.string
        var journal = try live.interruptRestore(of: backup, swappingDatabases: true)
        let plan = journal.plan
        journal.plan = nil
        try journal.write(in: live.folder)
        let error = #expect(throws: BackupError.self) { try live.recover() }
        #expect(error?.errorCode == "needs-recovery")
        #expect(error?.explanation.english.contains("restore-journal-\(journal.id ?? "").json") == true)
        journal.plan = plan
        try journal.write(in: live.folder)
        #expect(try live.recover() == .finished(backup: backup, task: nil))
    }

    @Test("an undo spares the part that it was asked for, however old it is")
    func expired() throws {
        let live = try LiveStackFixture("stale_expired")
        let backup = try live.backup().name.string
        let (rows, files) = (try live.rows(), try live.files())
        let kept = try #require(try live.restore(backup).kept)
        var workspace = live.workspace()
        workspace.keepSeconds = 0
        #expect(try UndoJob(workspace, force: true, bringing: kept.id).run().undone.id == kept.id)
        #expect(try live.rows() == rows && live.files() == files)
        let next = try #require(try KeptParts(live.workspace()).all().first)
        #expect(try UndoJob(workspace, force: true).run().undone.id == next.id)
        try live.backup()
    }
}
