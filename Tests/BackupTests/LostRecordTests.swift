// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Kept parts whose records went with the backup folder", .besideThePool)
struct LostRecordTests {
    /// A stack with one kept part that holds a run which is nowhere else, and without its backup folder.
    private func bereft(
        _ name: String, sharing: Bool = false
    ) throws -> (live: LiveStackFixture, kept: KeptPart, rows: String, files: String) {
        let live = try LiveStackFixture(name)
        // A file that was written in the moment before the backup is not shared.
        if sharing { sleep(3) }
        let backup = try live.backup().name.string
        try live.add(runs: 40...41)
        let (rows, files) = (try live.rows(), try live.files())
        let kept = try #require(try live.restore(backup, force: true).kept)
        try Directory.removeTree(live.folder.path)
        return (live, kept, rows, files)
    }

    @Test("claim takes them up again: they are named, brought back by an undo, or removed when a person says so")
    func claimed() throws {
        let (live, kept, rows, files) = try bereft("lost_records")
        #expect(try ClaimJob(live.workspace()).run().kept == [kept.id])
        let parts = KeptParts(live.workspace())
        let found = try #require(try parts.all().first)
        #expect(found.id == kept.id)
        #expect(found.databaseOID == kept.databaseOID)
        // What is in no backup is never removed, whatever its age, and is told of.
        var hasty = live.workspace()
        hasty.keepSeconds = 0
        let made = try BackupJob(hasty, options: .init(), version: "test").run()
        #expect(try parts.all().map(\.id) == [kept.id])
        #expect(made.warnings.contains { $0.english.contains("mlflow-backup forget \(kept.id)") }, "\(made.warnings)")
        // Nobody can tell any more what was written since the restore.
        #expect(throws: BackupError.self) { try live.undo() }
        let undone = try live.undo(force: true).undone
        #expect(undone.restoreText.english == "a restore whose record was lost")
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        for part in try parts.all() { try ForgetJob(live.workspace()).run(part.id) }
        try live.expectNothingLeftBehind()
    }

    @Test("until then each backup names them and lets them alone")
    func unclaimed() throws {
        let (live, kept, _, _) = try bereft("lost_unclaimed")
        try live.prepareAnew()
        let made = try live.backup()
        let told = try #require(made.warnings.first { $0.english.contains(kept.id) }, "\(made.warnings)")
        #expect(told.english.contains("mlflow-backup claim") && told.chinese.contains("mlflow-backup claim"))
        #expect(try FileStatus.ifPresent(KeptParts(live.workspace()).folder(of: kept.id)) != nil)
        #expect(try Databases(live.database).exists(#require(kept.database)))
    }

    @Test("a database alone is nobody's by its name: it is not taken up, and not dropped")
    func databaseAlone() throws {
        let (live, kept, _, _) = try bereft("lost_folder")
        try Directory.removeTree(KeptParts(live.workspace()).folder)
        let byHand = "\(live.database.database)_before_20260101_010101_0badcafe"
        try Connection(live.database.naming(database: "postgres")).execute("create database \(identifier: byHand)")
        try ClaimJob(live.workspace()).run()
        #expect(try KeptParts(live.workspace()).all().isEmpty)
        #expect(throws: BackupError.self) { try ForgetJob(live.workspace()).run("20260101_010101_0badcafe") }
        #expect(try Databases(live.database).exists(byHand))
        #expect(try Databases(live.database).exists(#require(kept.database)))
    }

    @Test("what is taken up comes after what has a record: the last restore is what an undo takes back")
    func order() throws {
        let live = try LiveStackFixture("lost_order")
        let name = try live.backup().name.string
        try live.add(runs: 60...60)
        let first = try #require(try live.restore(name, force: true).kept).id
        let record = live.folder.state.appending("kept-\(first).json")
        let aside = live.root.path.appending("record")
        try Directory.rename(record, to: aside)
        try live.add(runs: 61...61)
        let second = try #require(try live.restore(name, force: true).kept).id
        try ClaimJob(live.workspace()).run()
        #expect(try KeptParts(live.workspace()).all().map(\.id) == [second, first])
    }

    @Test("a folder that a client of MLflow could have made is not taken for one")
    func forged() throws {
        let live = try LiveStackFixture("lost_forged")
        try live.backup()
        let folder = KeptParts(live.workspace()).folder(of: "20260101_000000_0badf00d")
        try Shell.sh("mkdir -p '\(folder)/old' && echo x > '\(folder)/old/file'")
        let made = try live.backup()
        #expect(!made.warnings.contains { $0.english.contains("0badf00d") }, "\(made.warnings)")
        try ClaimJob(live.workspace()).run()
        #expect(try KeptParts(live.workspace()).all().isEmpty)
    }

    /// As it is when a restore is killed after its swap and its journal is lost: the folder is still the restore's own.
    @Test("a restore's own folder without a journal is taken up with its database, whatever its record says")
    func journalLost() throws {
        let live = try LiveStackFixture("lost_journal")
        let name = try live.backup().name.string
        try live.add(runs: 50...51)
        let (rows, files) = (try live.rows(), try live.files())
        let kept = try #require(try live.restore(name, force: true).kept)
        let parts = KeptParts(live.workspace())
        try Directory.rename(parts.folder(of: kept.id), to: parts.folder.appending("work-\(kept.id)"))
        // What was not moved in yet.
        try Shell.sh("cd '\(parts.folder)/work-\(kept.id)' && mkdir -m 700 new && mkdir new/9 && echo late > new/9/f")
        #expect(throws: BackupError.self) { try live.backup() }
        let claimed = try ClaimJob(live.workspace()).run()
        #expect(claimed.kept == [kept.id] && claimed.halfSwapped == [kept.id])
        for text in claimed.warnings { #expect(text.english.contains(kept.id) && text.chinese.contains(kept.id)) }
        #expect(claimed.warnings.count == 1)
        #expect(try parts.all().first?.databaseOID == kept.databaseOID)
        #expect(try live.undo(force: true).undone.restoreText.english == "a restore whose record was lost")
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        #expect(try Shell.sh("cat '\(parts.folder(of: kept.id + "_late"))/old/9/f'").contains("late"))
    }

    @Test("a file that both trees share and that was written in place is named by the undo, and again by the next one")
    func sharedAfterClaim() throws {
        let (live, kept, rows, _) = try bereft("lost_shared", sharing: true)
        try ClaimJob(live.workspace()).run()
        let shared = live.artifacts.appending("1/run5/artifacts/model.bin")
        let write = { _ = try Shell.sh("printf x | dd of='\(shared)' conv=notrunc status=none") }
        try write()
        let outcome = try live.undo(force: true)
        #expect(outcome.undone.id == kept.id)
        #expect(outcome.warnings.contains { $0.english.contains("1/run5/artifacts/model.bin") }, "\(outcome.warnings)")
        #expect(try live.rows() == rows)
        try write()
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "newer-data")
    }
}
