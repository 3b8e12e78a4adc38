// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("The artifacts folder is away for a moment: nothing is concluded from what is not seen", .besideThePool)
struct AwayFolderTests {
    /// What stands in its place meanwhile.
    enum Place: String, CaseIterable { case nothing, emptyFolder }

    private func away(_ live: LiveStackFixture, _ place: Place, _ body: (FilePath) throws -> Void) throws {
        let aside = live.root.path.appending("aside")
        try Directory.rename(live.artifacts, to: aside)
        if place == .emptyFolder { try Directory.make(live.artifacts) }
        try body(aside)
        if place == .emptyFolder {
            #expect(try Directory.names(in: live.artifacts).isEmpty, "nothing was made in its place")
        } else {
            #expect(try FileStatus.ifPresent(live.artifacts) == nil, "it was not made again")
        }
        try Directory.removeTree(live.artifacts)
        try Directory.rename(aside, to: live.artifacts)
    }

    private func expectRefused(_ live: LiveStackFixture, _ body: () throws -> Void) throws {
        let error = #expect(throws: BackupError.self, performing: body)
        #expect(error?.errorCode == "needs-recovery", "\(String(describing: error))")
        let words = error?.explanation.english ?? ""
        #expect(words.contains("mount") && words.contains("restore-journal-"), "\(words)")
        #expect(!words.contains("still whole") && !words.contains(". ."), "\(words)")
        #expect(try RestoreJournal.isPresent(live.stack, live.folder))
    }

    private func record(_ journal: RestoreJournal, _ staged: RestoreJob.Staged, _ hold: Hold, _ live: LiveStackFixture)
        throws
    {
        try KeptPart(
            id: journal.id ?? "", backup: journal.backup, mode: journal.mode, replacedAt: 0, stack: hold.identity,
            databaseOID: journal.oldOID, database: journal.mode.includesDatabase ? journal.oldDatabase : nil,
            broughtIn: staged.broughtIn
        ).write(in: live.folder)
    }

    /// Killed or failed with the databases swapped and the first folder exchanged.
    private func half(_ name: String) throws -> (live: LiveStackFixture, journal: RestoreJournal, backup: String) {
        let live = try LiveStackFixture(name)
        let backup = try live.backup().name.string
        try Shell.sh("echo precious > '\(live.artifacts)/1/precious.txt'")
        let journal = try live.interruptRestore(of: backup, swappingDatabases: true) {
            try record($0, $1, $2, live)
        }
        try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1"))
        return (live, journal, backup)
    }

    @Test(
        "in a swap that fails: it is not put back by halves, and the operation after the folder's return finishes it",
        arguments: Place.allCases)
    func putBack(place: Place) throws {
        let (live, journal, backup) = try half("away_back")
        try Connection(live.database).execute("insert into runs values ('late', 1, 1)")
        try away(live, place) { _ in
            try expectRefused(live) {
                let hold = try live.workspace().hold("test")
                var recovery = RestoreRecovery(live.workspace(), hold.databases)
                try recovery.rollBack(journal)
            }
            #expect(try Databases(live.database).oid(of: live.database.database) == journal.newOID)
            #expect(try !KeptPart.ids(in: live.folder).contains { $0.hasSuffix("_late") })
            try expectRefused(live) { try live.recover() }
            #expect(throws: BackupError.self) { try live.backup() }
        }
        #expect(try live.recover() == .finished(backup: backup, task: nil))
        #expect(try Shell.sh("find '\(live.artifacts)' -name precious.txt").contains("/old/1/precious.txt"))
        #expect(try live.rows().contains("late"))
        try live.expectNothingLeftBehind()
    }

    @Test(
        "before the swap: recover does not say that it was undone, and the operation after its return clears up",
        arguments: Place.allCases, [RestoreMode.full, .database, .artifacts])
    func preparing(place: Place, mode: RestoreMode) throws {
        let live = try LiveStackFixture("away_preparing")
        let backup = try live.backup().name.string
        let journal = try live.interruptRestore(of: backup, mode, at: .preparing)
        try away(live, place) { _ in
            try expectRefused(live) { try live.recover() }
            // A failure ends in this: the journal stays, whatever is said.
            let hold = try live.workspace().hold("test")
            #expect(throws: BackupError.self) {
                try SwapSettlement(live.workspace(), hold.databases).dropPrepared(journal)
            }
            if let oid = journal.newOID { #expect(try Databases(live.database).name(of: oid) != nil) }
            #expect(try RestoreJournal.isPresent(live.stack, live.folder))
        }
        #expect(try live.recover() == .undone(backup: backup, task: nil))
        try live.expectNothingLeftBehind()
        try live.backup()
    }

    @Test("a restore that was put back and lost its folder before its journal went is undone by the next run")
    func droppedAlmost() throws {
        let live = try LiveStackFixture("away_dropped")
        let backup = try live.backup().name.string
        let journal = try live.interruptRestore(of: backup)
        try Databases(live.database).drop(journal.newDatabase)
        try journal.swap.discard()
        #expect(try live.recover() == .undone(backup: backup, task: nil))
        try live.expectNothingLeftBehind()
    }

    @Test(
        "a restore of the artifacts alone that is to be finished without its folder is not said to be finished",
        arguments: Place.allCases)
    func finishing(place: Place) throws {
        let live = try LiveStackFixture("away_finishing")
        let backup = try live.backup().name.string
        let journal = try live.interruptRestore(of: backup, .artifacts) { try record($0, $1, $2, live) }
        try away(live, place) { _ in
            let hold = try live.workspace().hold("test")
            #expect(throws: (any Error).self) {
                try SwapSettlement(live.workspace(), hold.databases).keepReplaced(journal)
            }
            #expect(try RestoreJournal.isPresent(live.stack, live.folder))
            #expect(try KeptPart.read(journal.id ?? "", in: live.folder) != nil)
        }
        #expect(try live.recover() == .finished(backup: backup, task: nil))
        try live.expectNothingLeftBehind()
    }

    @Test("the tree that an undo brings back is not there: it is not said to be finished")
    func withoutIncoming() throws {
        let live = try LiveStackFixture("away_incoming")
        let backup = try live.backup().name.string
        try Shell.sh("echo precious > '\(live.artifacts)/1/precious.txt'")
        let kept = try #require(try live.restore(backup, .artifacts, force: true).kept)
        var journal: RestoreJournal
        do {
            let hold = try live.workspace().hold("test")
            journal = try UndoJob(live.workspace(), force: true).journal(kept, hold)
            try journal.swap.prepare()
            journal.mark = try LateArrivals.mark(in: journal.swap.work)
            journal.workInode = try FileStatus.of(journal.swap.work).inode
            journal.plan = try journal.swap.plan()
            journal.stage = .committing
            try journal.write(in: live.folder)
        }
        let (folder, aside) = (KeptParts(live.workspace()).folder(of: kept.id), live.root.path.appending("aside"))
        try Directory.rename(folder, to: aside)
        let error = #expect(throws: BackupError.self) { try live.recover() }
        #expect(error?.errorCode == "needs-recovery")
        try Directory.rename(aside, to: folder)
        #expect(try live.recover() == .finished(backup: backup, task: nil))
        #expect(try Shell.sh("cat '\(live.artifacts)/1/precious.txt'") == "precious\n")
        try live.expectNothingLeftBehind()
    }

    @Test("recover does not say that nothing was interrupted where a restore's own folder lies without a journal")
    func withoutJournal() throws {
        let live = try LiveStackFixture("away_stray")
        let journal = try live.interruptRestore(of: try live.backup().name.string, at: .preparing)
        try journal.remove(in: live.folder)
        let error = #expect(throws: BackupError.self) { try live.recover() }
        #expect(error?.errorCode == "needs-recovery" && error?.explanation.english.contains("claim") == true)
        try ClaimJob(live.workspace()).run()
        #expect(try live.recover() == .nothingToDo)
    }
}
