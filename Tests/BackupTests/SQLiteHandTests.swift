// SPDX-License-Identifier: Apache-2.0

import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A database of SQLite that a person, or a disk, changes meanwhile", .besideThePool)
struct SQLiteHandTests {
    /// Killed after the exchange, and before its end is noted.
    private func killedAfterSwap(_ live: SQLiteStack, _ made: BackupOutcome) throws -> RestoreJournal {
        try live.add(runs: 21...22)
        return try live.interruptRestore(of: made.name.string, at: .committing, swapping: true)
    }

    @Test(
        "What a backup holds, put over the live file by hand, is no old content: nothing is removed, and a person is asked"
    )
    func byHand() throws {
        let live = try SQLiteStack("hand")
        let made = try live.backup()
        let journal = try killedAfterSwap(live, made)
        let out = live.root.path.appending("out")
        try Directory.make(out)
        try Shell.sh(
            "tar -xzf '\(made.path)' -C '\(out)' && cp '\(out)/mlflow_backup/database/database.sqlite' '\(live.database)'"
        )
        let stuck = try #require(throws: BackupError.self) { try live.recover() }
        #expect(stuck.errorCode == "needs-recovery")
        let connection = try SQLiteConnection(
            live.beside.appending(journal.oldDatabase), as: .copy, .finished, busyTimeout: 0)
        #expect(try connection.run("SELECT count(*) FROM runs").first?[0].integer == 22)
    }

    @Test("A live file that was copied before a restore and put back after it costs nothing that the restore kept")
    func copiedBack() throws {
        let live = try SQLiteStack("copied")
        let made = try live.backup()
        // One restore gives it a number.
        try live.restore(made.name.string)
        try live.add(runs: 21...21)
        let copy = live.root.path.appending("copy.db")
        try Shell.sh("cp '\(live.database)' '\(copy)'")
        try live.add(runs: 22...22)
        let kept = try #require(try live.restore(made.name.string, force: true).kept?.database)
        try Shell.sh("cp '\(copy)' '\(live.database)'")
        _ = try live.backup()
        let connection = try SQLiteConnection(live.beside.appending(kept), as: .copy, .finished, busyTimeout: 0)
        #expect(try connection.run("SELECT count(*) FROM runs").first?[0].integer == 22)
        try live.undo(force: true)
        #expect(try live.rows().contains("run22"))
    }

    @Test("A fresh file in the place of the live one leaves what was kept to be brought back")
    func fresh() throws {
        let live = try SQLiteStack("fresh")
        let made = try live.backup()
        try live.add(runs: 21...22)
        let before = try live.rows()
        try live.restore(made.name.string, force: true)
        try Directory.remove(live.database)
        let other = try SQLiteStack("fresher")
        try Shell.sh("cp '\(other.database)' '\(live.database)'")
        _ = try live.backup()
        try live.undo(force: true)
        #expect(try live.rows() == before)
    }

    @Test("A database that appears while one is restored into a stack that had none is not written over")
    func appeared() throws {
        let source = try SQLiteStack("source")
        let made = try source.backup()
        let live = try SQLiteStack("appeared")
        let aside = live.root.path.appending("aside.db")
        try Shell.sh(
            "rm -rf '\(live.artifacts)'/1; mv '\(live.database)' '\(aside)'; cp '\(made.path)' '\(live.folder.path)/'")
        let refused = try #require(throws: BackupError.self) {
            try live.restore(made.name.string) { progress in
                if progress.phase == .comparing { _ = try? Shell.sh("cp '\(aside)' '\(live.database)'") }
            }
        }
        #expect(refused.errorCode == "changed-meanwhile")
        #expect(try live.rows().contains("run20"))
        try live.expectNothingLeftBehind()
    }

    @Test("A live file that is renamed away while a restore has it open is not exchanged", arguments: [false, true])
    func renamed(wal: Bool) throws {
        let live = try SQLiteStack("renamed", wal: wal)
        let made = try live.backup()
        try live.add(runs: 21...22)
        let before = try live.rows()
        let aside = live.root.path.appending("aside.db")
        #expect(throws: (any Error).self) {
            try live.restore(made.name.string, force: true) { progress in
                guard progress.phase == .comparing, progress.fraction == 0.93 else { return }
                _ = try? Shell.sh("cp '\(live.database)' '\(aside)' && mv '\(aside)' '\(live.database)'")
            }
        }
        #expect(try live.rows() == before)
        try live.recover()
        try live.expectNothingLeftBehind()
    }

    @Test("What others put beside the database, readable or not, stands in nobody's way")
    func strangers() throws {
        let live = try SQLiteStack("strangers")
        let made = try live.backup()
        try live.add(runs: 21...22)
        let before = try live.rows()
        try live.restore(made.name.string, force: true)
        for name in [".nfs0000", ".DS_Store", "notes.txt", "mlflow.db_before_20260101_000000_0123abcd"] {
            try DurableFile.replace(live.beside.appending(name), with: Array("no database".utf8))
        }
        try live.undo()
        #expect(try live.rows() == before)
        try live.restore(made.name.string, force: true)
        _ = try live.backup()
    }

    @Test("A link to the database is followed anew by each operation, and a name may begin with a dot")
    func links() throws {
        let (one, two) = (try SQLiteStack("one"), try SQLiteStack("two"))
        try two.add(runs: 21...23)
        let link = one.root.path.appending("link.db")
        try Shell.sh(
            "mv '\(one.database)' '\(one.database.parent)/.one.db'; ln -s '\(one.database.parent)/.one.db' '\(link)'")
        let stack = LiveStack(
            database: SQLiteStore(try SQLiteLocation(uri: "sqlite:///\(link)")), artifacts: one.artifacts,
            mlflowVersion: { nil })
        func backup() throws -> BackupOutcome {
            try BackupJob(Workspace(stack, one.folder, log: .silent), options: .init(), version: "test").run()
        }
        let made = try backup()
        #expect(made.manifest.database.rows["public.runs"] == 20 && made.manifest.database.name == ".one.db")
        let restored = try RestoreJob(
            Workspace(stack, one.folder, log: .silent), options: .init(mode: .database, force: true)
        ).run(made.name.string)
        #expect(restored.kept != nil)
        try Shell.sh("ln -sfn '\(two.database)' '\(link)'")
        #expect(try backup().manifest.database.rows["public.runs"] == 23)
    }

    @Test("That a restore would fail is said before: a folder or a file that may not be written to")
    func foretold() throws {
        let live = try SQLiteStack("foretold")
        _ = try live.backup()
        try live.run("CREATE VIRTUAL TABLE words USING fts5(text)")
        var findings = Findings()
        _ = try live.stack().database.check(holding: nil, isHasty: true, &findings)
        #expect(findings.obstacles.isEmpty)
        #expect(
            findings.notices.contains { $0.english.contains("a restore would fail") && $0.english.contains("words") })
    }
}
