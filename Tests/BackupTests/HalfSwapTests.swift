// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "Half a swap: what was live is never lost, whatever became of the journal, the folder or the names", .besideThePool)
struct HalfSwapTests {
    /// Killed after the databases were swapped, and, where so said, after the first folder was exchanged and not yet put aside.
    /// Before it `1/precious.txt` was live, which is in no backup.
    private func half(
        _ name: String, exchanged: Bool = true
    ) throws -> (live: LiveStackFixture, journal: RestoreJournal, backup: String) {
        let live = try LiveStackFixture(name)
        let backup = try live.backup().name.string
        try Shell.sh("echo precious > '\(live.artifacts)/1/precious.txt'")
        try live.add(runs: 30...31)
        let journal = try live.interruptRestore(of: backup, swappingDatabases: true)
        if exchanged { try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1")) }
        return (live, journal, backup)
    }

    /// Made before the other goes, so that it does not get its inode.
    private static let upload = "mkdir 1.x && echo upload > 1.x/upload && rm -r 1 && mv 1.x 1"

    private func places(of name: String, _ live: LiveStackFixture) throws -> [Substring] {
        try Shell.sh("find '\(live.artifacts)' -name '\(name)' -type f").split(separator: "\n")
    }

    private func link(to live: LiveStackFixture) throws -> Workspace {
        let link = live.root.path.appending("link")
        try Shell.sh("ln -s '\(live.artifacts)' '\(link)'")
        return workspace(live, link)
    }

    private func workspace(_ live: LiveStackFixture, _ artifacts: FilePath) -> Workspace {
        let stack = LiveStack(
            database: live.database, tools: PostgresTools(binDirectory: live.server.binDirectory), artifacts: artifacts,
            mlflowVersion: { nil })
        return Workspace(stack, live.folder, log: .silent)
    }

    private func expectBothTrees(_ live: LiveStackFixture, after deed: String) throws {
        #expect(try places(of: "precious.txt", live).count == 1)
        #expect(try places(of: "upload", live).count == (deed.contains("upload") ? 1 : 0))
    }

    @Test("the backup folder is lost: claim keeps both trees and the database, and says so", arguments: [true, false])
    func folderLost(exchanged: Bool) throws {
        let (live, journal, _) = try half("half_lost", exchanged: exchanged)
        let id = try #require(journal.id)
        try Directory.removeTree(live.folder.path)
        let claimed = try ClaimJob(live.workspace()).run()
        #expect(claimed.halfSwapped == [id])
        #expect(claimed.warnings.count == 1)
        #expect(try places(of: "precious.txt", live).count == 1)
        let parts = try KeptParts(live.workspace()).all()
        #expect(Set(parts.map(\.id)) == [id, id + "_late"])
        #expect(parts.first { $0.id == id }?.databaseOID == journal.oldOID)
        try live.expectNothingLeftBehind()
    }

    @Test("the artifacts folder has another path by now: the recovery finishes all the same")
    func anotherPath() throws {
        let (live, _, backup) = try half("half_path", exchanged: false)
        let linked = try link(to: live)
        #expect(try RecoverJob(linked).run() == .finished(backup: backup, task: nil))
        #expect(try places(of: "precious.txt", live).count == 1)
        #expect(try !Shell.sh("ls '\(live.artifacts)/1'").contains("precious"))
        try live.expectNothingLeftBehind()
    }

    @Test("another artifacts folder is configured: nothing is done, and the journal's folder is named")
    func anotherFolder() throws {
        let (live, _, _) = try half("half_other")
        let other = live.root.path.appending("other")
        try Directory.make(other)
        let workspace = workspace(live, other)
        let error = #expect(throws: BackupError.self) { try RecoverJob(workspace).run() }
        #expect(error?.explanation.english.contains(live.artifacts.string) == true)
        #expect(throws: BackupError.self) { try ClaimJob(workspace).run() }
        #expect(try live.recover() != .nothingToDo)
    }

    @Test("the restore's own folder is not there: it is not said that the restore was finished")
    func withoutItsFolder() throws {
        let (live, journal, _) = try half("half_unmounted", exchanged: false)
        let aside = live.root.path.appending("aside")
        try Directory.rename(journal.swap.folder, to: aside)
        let error = #expect(throws: BackupError.self) { try live.recover() }
        #expect(error?.errorCode == "needs-recovery")
        try Directory.rename(aside, to: journal.swap.folder)
        #expect(try live.recover() != .nothingToDo)
        #expect(try places(of: "precious.txt", live).count == 1)
    }

    @Test(
        "what was brought in is gone from its name, or replaced there: what was live is kept",
        arguments: ["rm -r 1", HalfSwapTests.upload])
    func arrivalGone(deed: String) throws {
        let (live, _, backup) = try half("half_gone")
        try Shell.sh("cd '\(live.artifacts)' && \(deed)")
        #expect(try live.recover() == .finished(backup: backup, task: nil))
        try expectBothTrees(live, after: deed)
        try live.expectNothingLeftBehind()
    }

    @Test(
        "the same where the swap is put back: what was live has its name again, or is kept and named",
        arguments: ["rm -r 1", HalfSwapTests.upload])
    func putBack(deed: String) throws {
        let (live, journal, _) = try half("half_back")
        try Shell.sh("cd '\(live.artifacts)' && \(deed)")
        let hold = try live.workspace().hold("test")
        var recovery = RestoreRecovery(live.workspace(), hold.databases)
        try recovery.rollBack(journal)
        try expectBothTrees(live, after: deed)
        let isNameTaken = deed.contains("upload")
        #expect(recovery.late.contains { !$0.aside.isEmpty } == isNameTaken, "\(recovery.late)")
        #expect(try Shell.sh("ls '\(live.artifacts)/1'").contains("precious") == !isNameTaken)
        try live.expectNothingLeftBehind()
    }

    @Test(
        "rows that were written while a swap that is put back was live: kept, named at once, and no undo takes them for the newest"
    )
    func lateRows() throws {
        let live = try LiveStackFixture("half_rows")
        let backup = try live.backup().name.string
        try live.restore(backup, .database)
        let earlier = try #require(try KeptParts(live.workspace()).all().first)
        // What is immutable cannot be renamed: the swap fails after the databases.
        let stuck = live.artifacts.appending("zz")
        try Directory.make(stuck)
        try Shell.sh("echo live > '\(stuck)/file' && chattr +i '\(stuck)'")
        defer { _ = try? Shell.sh("chattr -i '\(stuck)'") }
        let journal = try live.interruptRestore(of: backup, swappingDatabases: true) { journal, staged, hold in
            try KeptPart(
                id: journal.id ?? "", backup: backup, mode: .full, replacedAt: 0, stack: hold.identity,
                broughtIn: staged.broughtIn
            ).write(in: live.folder)
        }
        try Connection(live.database).execute("insert into runs values ('late', 1, 1)")
        #expect(try live.recover() == .undone(backup: backup, task: nil))
        let parts = KeptParts(live.workspace())
        let late = try #require(try parts.all().first { $0.id == "\(journal.id ?? "")_late" })
        #expect(try parts.undoable(force: false, on: Databases(live.database)).id == earlier.id)
        #expect(try parts.warnings().contains { $0.english.contains(late.id) && $0.english.contains("runs") })
        try live.expectNothingLeftBehind()
    }

    @Test("… and while an undo that is put back was live: the kept part has them, is covered by nothing, and is named")
    func lateRowsOfUndo() throws {
        let live = try LiveStackFixture("half_undo_rows")
        let backup = try live.backup().name.string
        let kept = try #require(try live.restore(backup, .database).kept)
        let hold = try live.workspace().hold("test")
        var journal = try UndoJob(live.workspace(), force: true).journal(kept, hold)
        journal.stage = .committing
        try journal.swap.prepare()
        try KeptPart(
            id: journal.id ?? "", backup: backup, mode: .database, replacedAt: 0, stack: hold.identity,
            broughtIn: try FreshRows(live.database.naming(database: journal.newDatabase)).moment(), isOfUndo: true
        ).write(in: live.folder)
        try hold.databases.swap(
            live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
        try Connection(live.database).execute("insert into runs values ('late', 1, 1)")
        var recovery = RestoreRecovery(live.workspace(), hold.databases)
        try recovery.rollBack(journal)
        #expect(recovery.late.map(\.id) == [kept.id])
        let part = try #require(try KeptParts(live.workspace()).all().first { $0.id == kept.id })
        #expect(part.coveredBy == nil && part.databaseOID == kept.databaseOID)
        #expect(try KeptParts(live.workspace()).warnings().contains { $0.english.contains("runs") })
    }

    private func swapBack(_ live: LiveStackFixture, _ journal: RestoreJournal) throws {
        let hold = try live.workspace().hold("test")
        defer { withExtendedLifetime(hold) {} }
        try hold.databases.swap(
            live: journal.liveDatabase, replacement: journal.oldDatabase, keepingOldAs: journal.newDatabase)
    }

    @Test("rows are kept also where the databases were swapped back and the program died before it looked")
    func swappedBack() throws {
        let (live, journal, backup) = try half("half_swapped_back", exchanged: false)
        try Connection(live.database).execute("insert into runs values ('late', 1, 1)")
        try swapBack(live, journal)
        #expect(try live.recover() == .undone(backup: backup, task: nil))
        let late = try #require(try KeptParts(live.workspace()).all().first)
        #expect(late.databaseOID == journal.newOID)
        #expect(throws: BackupError.nothingToUndo) { try live.undo(force: true) }
        try live.expectNothingLeftBehind()
    }

    @Test("a copy of the artifacts folder is not settled by inodes that mean nothing in it")
    func copied() throws {
        let (live, _, backup) = try half("half_copied", exchanged: false)
        let copy = live.root.path.appending("copy")
        try Shell.sh("cp -a '\(live.artifacts)' '\(copy)'")
        let before = try Shell.sh("cd '\(copy)' && find . | sort")
        let error = #expect(throws: BackupError.self) {
            try RecoverJob(workspace(live, copy)).run()
        }
        #expect(error?.errorCode == "needs-recovery" && error?.explanation.english.contains("copy") == true)
        #expect(try Shell.sh("cd '\(copy)' && find . | sort") == before)
        #expect(try live.recover() == .finished(backup: backup, task: nil))
    }

    @Test("putting back can be cut short after any of its steps: what is kept by then is added to")
    func putBackTwice() throws {
        let (live, journal, _) = try half("half_twice")
        try Shell.sh("cd '\(live.artifacts)' && \(Self.upload)")
        let kept = KeptParts(live.workspace()).folder(of: "\(journal.id ?? "")_late").appending("old/1")
        try Shell.sh("mkdir -p -m 700 '\(kept)' && echo earlier > '\(kept)/earlier'")
        let hold = try live.workspace().hold("test")
        var recovery = RestoreRecovery(live.workspace(), hold.databases)
        try recovery.rollBack(journal)
        for name in ["precious.txt", "upload", "earlier"] { #expect(try places(of: name, live).count == 1, "\(name)") }
        try live.expectNothingLeftBehind()
    }

    @Test("artifacts alone that were being put back go on being put back")
    func artifactsAlone() throws {
        var (live, journal, backup) = try half("half_alone", exchanged: false)
        // As a restore of the artifacts alone: the databases as they were.
        try swapBack(live, journal)
        try Databases(live.database).drop(journal.newDatabase)
        journal.mode = .artifacts
        journal.stage = .preparing
        try journal.write(in: live.folder)
        #expect(try live.recover() == .undone(backup: backup, task: nil))
        #expect(try Shell.sh("ls '\(live.artifacts)/1'").contains("precious"))
        try live.expectNothingLeftBehind()
    }

    @Test("claim leaves no record of a part that has neither files nor a database")
    func claimedWithoutTrace() throws {
        let live = try LiveStackFixture("half_traceless")
        let backup = try live.backup().name.string
        let journal = try live.interruptRestore(of: backup)
        let id = try #require(journal.id)
        try KeptPart(id: id, backup: backup, mode: .full, replacedAt: 0, stack: journal.stack).write(in: live.folder)
        try Shell.sh("rm '\(live.folder.state)'/restore-journal-*.json")
        let claimed = try ClaimJob(live.workspace()).run()
        #expect(claimed.halfSwapped == [id])
        #expect(try KeptParts(live.workspace()).all().map(\.id) == [id + "_late"])
        #expect(throws: BackupError.nothingToUndo) { try live.undo(force: true) }
    }
}
