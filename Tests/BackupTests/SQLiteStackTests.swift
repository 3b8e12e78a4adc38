// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import MLflowStore
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("An MLflow on SQLite", .besideThePool)
struct SQLiteStackTests {
    @Test(
        "A backup holds the file and brings it back, what it replaces is kept, and an undo takes it back",
        arguments: [false, true])
    func thereAndBack(wal: Bool) throws {
        let live = try SQLiteStack("there", wal: wal)
        let inode = try FileStatus.of(live.database).inode
        let made = try live.backup()
        #expect(made.manifest.format == 3)
        #expect(made.manifest.database.kind == .sqlite)
        #expect(made.manifest.database.rows["public.runs"] == 20)
        #expect(made.manifest.mlflow.alembicRevision == "dc11669786a5")
        let (rows, files) = (try live.rows(), try live.files())

        try live.add(runs: 21...25)
        try live.run("UPDATE metrics SET value = 7 WHERE run_uuid = 'run3'")
        let (laterRows, laterFiles) = (try live.rows(), try live.files())
        let refused = try #require(throws: BackupError.self) { try live.restore(made.name.string) }
        #expect(refused.errorCode == "newer-data")
        #expect(try live.rows() == laterRows)
        try live.expectNothingLeftBehind()

        let restored = try live.restore(made.name.string, force: true)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        #expect(restored.replaced.total >= 6, "\(restored.replaced)")
        let kept = try #require(restored.kept)
        #expect(try live.namesBeside() == [try #require(kept.database)])
        #expect(try FileStatus.of(live.database).inode == inode)
        try live.expectNothingLeftBehind()

        let undone = try live.undo()
        #expect(try live.rows() == laterRows)
        #expect(try live.files() == laterFiles)
        // Nothing came since, so that what the undo replaced is what the backup holds.
        #expect(undone.replaced.isEmpty)
        _ = try live.undo()
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
    }

    @Test("What is in a backup comes back by tar alone")
    func byHand() throws {
        let live = try SQLiteStack("byhand", wal: true)
        let made = try live.backup()
        try live.add(runs: 21...21)
        _ = try live.backup()
        let rows = try live.rows()
        let out = live.root.path.appending("out")
        try Directory.make(out)
        try Shell.sh("tar -xzf '\(made.path)' -C '\(out)'")
        let connection = try SQLiteConnection(
            out.appending("mlflow_backup/database/database.sqlite"), as: .copy, .readWrite, busyTimeout: 0)
        #expect(try connection.run("SELECT count(*) FROM runs").first?[0].integer == 20)
        #expect(try connection.run("PRAGMA integrity_check").first?[0].text == "ok")
        #expect(try live.rows() == rows)
    }

    @Test("A database that did not change is not written again")
    func unchanged() throws {
        let live = try SQLiteStack("unchanged")
        // Stamps of files that are younger than two seconds prove nothing.
        sleep(3)
        let first = try live.backup()
        let second = try live.backup()
        #expect(second.unchanged?.since == first.name)
        #expect(try FileStatus.of(first.path).inode == FileStatus.of(second.path).inode)
        // Nor does an exchange, which leaves a number in the live file, change what a backup says of it.
        try live.restore(first.name.string)
        let connection = try SQLiteConnection(live.database, as: .live, .readWrite, busyTimeout: 1000)
        #expect(try ContentNumber.read(connection) != nil)
        let third = try live.backup()
        #expect(third.manifest.database.oldestUnseen == first.manifest.database.oldestUnseen)
        #expect(third.manifest.database.rows == first.manifest.database.rows)
    }

    enum Emptiness: CaseIterable { case missing, empty, untouched }

    @Test("It comes into a stack that has none", arguments: Emptiness.allCases)
    func intoEmpty(_ emptiness: Emptiness) throws {
        let live = try SQLiteStack("source")
        let made = try live.backup()
        let other = try SQLiteStack("target")
        try Shell.sh("rm -rf '\(other.artifacts)'/1")
        switch emptiness {
        case .missing: try Directory.remove(other.database)
        case .empty: try Shell.sh(": > '\(other.database)'")
        case .untouched:
            for table in ["metrics", "runs"] { try other.run("DELETE FROM \(table)") }
            try other.run("DELETE FROM experiments WHERE experiment_id > 0")
        }
        try Shell.sh("cp '\(made.path)' '\(other.folder.path)/'")
        try other.restore(made.name.string)
        #expect(try other.rows() == live.rows())
        #expect(try other.files() == live.files())
        #expect(try KeptParts(other.stack(), other.folder).all().isEmpty == (emptiness != .untouched))
        try other.expectNothingLeftBehind()
    }

    @Test(
        "Killed at any stage of a restore, the next operation finds it old or new",
        arguments: [(RestoreJournal.Stage.preparing, false), (.committing, false), (.committing, true)])
    func killed(_ stage: RestoreJournal.Stage, _ swapping: Bool) throws {
        let live = try SQLiteStack("killed")
        let made = try live.backup()
        let (rows, files) = (try live.rows(), try live.files())
        try live.add(runs: 21...22)
        let (laterRows, laterFiles) = (try live.rows(), try live.files())
        try live.interruptRestore(of: made.name.string, at: stage, swapping: swapping)
        let outcome = try live.recover()
        if swapping {
            #expect(outcome == .finished(backup: made.name.string, task: nil))
            #expect(try live.rows() == rows)
            #expect(try live.files() == files)
            #expect(try live.namesBeside().count == 1)
            try live.undo()
        } else {
            #expect(outcome == .undone(backup: made.name.string, task: nil))
            #expect(try live.namesBeside() == [])
        }
        #expect(try live.rows() == laterRows)
        #expect(try live.files() == laterFiles)
        try live.expectNothingLeftBehind()
    }

    @Test("What a swap that was cut short left twice is cleared, and no content is lost")
    func leftTwice() throws {
        let live = try SQLiteStack("twice")
        let made = try live.backup()
        try live.add(runs: 21...22)
        let laterRows = try live.rows()
        let journal = try live.interruptRestore(of: made.name.string, at: .committing)
        // Killed between the copy of the live file and the exchange.
        let databases = SQLiteDatabases(live.database)
        let number = try #require(try databases.oid(of: journal.liveDatabase))
        #expect(journal.oldOID == number)
        let old = try databases.file(journal.oldDatabase)
        _ = try OnlineCopy(of: LiveDatabase(live.database)).write(to: old)
        try ContentNumber(number).give(to: old)
        try live.recover()
        #expect(try live.namesBeside() == [])
        #expect(try live.rows() == laterRows)

        // Killed after the exchange, and before what was brought in is gone from our folder.
        let other = try live.interruptRestore(of: made.name.string, at: .committing)
        let replacement = try databases.file(other.newDatabase)
        let twin = live.root.path.appending("twin")
        try Shell.sh("cp '\(replacement)' '\(twin)'")
        try databases.swap(
            live: other.liveDatabase, replacement: other.newDatabase, keepingOldAs: other.oldDatabase)
        try Shell.sh("cp '\(twin)' '\(replacement)'")
        try live.recover()
        try live.expectNothingLeftBehind()
        try live.undo()
        #expect(try live.rows() == laterRows)
    }

    @Test("What clients wrote while the new data was live is kept, when the swap is put back")
    func lateRows() throws {
        let live = try SQLiteStack("late")
        let made = try live.backup()
        try live.add(runs: 21...22)
        let laterRows = try live.rows()
        let journal = try live.interruptRestore(of: made.name.string, at: .committing, swapping: true)
        try live.run("INSERT INTO runs VALUES ('late', 1790000009999, 1)")
        let recovery = try live.rollBack(journal)
        #expect(try live.rows() == laterRows)
        let late = try #require(recovery.late.first)
        #expect(late.missing?.isEmpty == false)
        let file = live.beside.appending(try #require(late.database))
        let connection = try SQLiteConnection(file, as: .copy, .readWrite, busyTimeout: 0)
        #expect(try connection.run("SELECT 1 FROM runs WHERE run_uuid = 'late'").count == 1)
    }

    @Test("A stack that had no database has none again when the restore is put back")
    func backToNothing() throws {
        let source = try SQLiteStack("source")
        let made = try source.backup()
        let live = try SQLiteStack("nothing")
        try Shell.sh("rm -rf '\(live.artifacts)'/1 '\(live.database)'; cp '\(made.path)' '\(live.folder.path)/'")
        let journal = try live.interruptRestore(of: made.name.string, at: .committing, swapping: true)
        _ = try live.rollBack(journal)
        #expect(try !SQLiteDatabases(live.database).exists("mlflow.db"))
        #expect(try live.namesBeside() == [])
        try live.restore(made.name.string)
        #expect(try live.rows() == source.rows())
    }

    @Test("An undo is refused where rows were written after the restore, and with force they are kept")
    func sinceRestore() throws {
        let live = try SQLiteStack("since")
        let made = try live.backup()
        try live.add(runs: 21...22)
        let laterRows = try live.rows()
        try live.restore(made.name.string, force: true)
        try live.run("INSERT INTO tags VALUES ('note', 'after', 'run1')")
        let refused = try #require(throws: BackupError.self) { try live.undo() }
        guard case .newerData(_, let newer) = refused else { throw refused }
        #expect(newer.shown(.english).contains("public.tags"), "\(newer.shown(.english))")
        let undone = try live.undo(force: true)
        #expect(try live.rows() == laterRows)
        let kept = try #require(undone.kept?.database)
        let connection = try SQLiteConnection(live.beside.appending(kept), as: .copy, .readWrite, busyTimeout: 0)
        #expect(try connection.run("SELECT value FROM tags").first?[0].text == "after")
    }

    @Test("Whoever writes between the first look and the last is seen", arguments: [false, true])
    func meanwhile(wal: Bool) throws {
        let live = try SQLiteStack("meanwhile", wal: wal)
        let made = try live.backup()
        try live.run("DELETE FROM metrics WHERE run_uuid = 'run3'")
        let before = try live.rows()
        let isWritten = Monitor(false)
        let refused = try #require(throws: BackupError.self) {
            try live.restore(made.name.string) { progress in
                guard progress.phase == .comparing, progress.fraction == 0.93 else { return }
                isWritten.withLock { done in
                    guard !done else { return }
                    done = true
                    _ = try? live.run("INSERT INTO runs VALUES ('meanwhile', 1790000009999, 1)")
                }
            }
        }
        guard case .newerData(_, let newer) = refused else { throw refused }
        #expect(newer.shown(.english).contains("meanwhile"), "\(newer.shown(.english))")
        #expect(try live.rows() != before)
        try live.expectNothingLeftBehind()
        // Writers go on.
        try live.run("INSERT INTO runs VALUES ('then', 1790000009999, 1)")
    }

    @Test("What a restore keeps goes once a backup holds it, and stays as long as none does")
    func expiry() throws {
        let live = try SQLiteStack("expiry")
        let made = try live.backup()
        try live.add(runs: 21...22)
        var hasty = try live.workspace()
        hasty.keepSeconds = 0
        // A backup made before holds what is replaced.
        try live.restore(made.name.string, force: true, backingUp: true)
        #expect(try live.namesBeside().count == 1)
        _ = try BackupJob(hasty, options: .init(), version: "test").run()
        try live.add(runs: 23...24)
        try live.restore(made.name.string, force: true)
        _ = try BackupJob(hasty, options: .init(), version: "test").run()
        let kept = try KeptParts(live.stack(), live.folder).all()
        #expect(kept.count == 1)
        #expect(kept.first?.missing?.isEmpty == false)
        #expect(try live.namesBeside() == kept.compactMap(\.database))
        _ = try ForgetJob(live.workspace()).run(try #require(kept.first).id)
        #expect(try live.namesBeside() == [])
        try live.expectNothingLeftBehind()
    }

    @Test("One operation at a time works on it, whatever backup folder it has")
    func locked() throws {
        let live = try SQLiteStack("locked")
        _ = try live.backup()
        let hold = try live.workspace().hold("test")
        #expect(try live.stack().database.isLocked())
        var other = try live.workspace(
            Cancellation(), { _ in }, BackupFolder(live.root.path.appending("elsewhere")))
        other.waitSeconds = 0.3
        let busy = try #require(throws: BackupError.self) {
            try BackupJob(other, options: .init(), version: "test").run()
        }
        #expect(busy.errorCode == "busy")
        withExtendedLifetime(hold) {}
    }

    @Test("What cannot be backed up, or brought back, is refused in words of its own")
    func refused() throws {
        let live = try SQLiteStack("refused")
        let made = try live.backup()
        func code(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "none"
            } catch { return (error as? any CodedError)?.errorCode ?? "\(error)" }
        }
        let postgres = try LiveStackFixture("kinds")
        let dumped = try postgres.backup()
        let foreign = "mlflow_backup_20260101_000000.tar.gz"
        try Shell.sh(
            "cp '\(dumped.path)' '\(live.folder.path)/\(foreign)'; cp '\(made.path)' '\(postgres.folder.path)/\(foreign)'"
        )
        #expect(code { try live.restore(foreign, force: true) } == "database-of-another-kind")
        #expect(code { try postgres.restore(foreign, force: true) } == "database-of-another-kind")
        // Its artifacts know no database.
        #expect(code { try live.restore(foreign, .artifacts, force: true) } == "none")

        try live.run("CREATE VIRTUAL TABLE words USING fts5(text)")
        #expect(code { try live.restore(made.name.string, force: true) } == "sqlite-not-exchangeable")
        try live.run("DROP TABLE words")
        for table in ["tags", "metrics", "runs", "experiments", "alembic_version"] {
            try live.run("DROP TABLE \(table)")
        }
        #expect(code { try live.backup() } == "sqlite-empty")
        try Directory.remove(live.database)
        #expect(code { try live.backup() } == "sqlite-missing")
        try Shell.sh("head -c 8192 /dev/urandom > '\(live.database)'")
        #expect(code { try live.backup() } == "sqlite-damaged")

        let inside = try SQLiteStack("inside")
        let place = inside.artifacts.appending("mlflow.db")
        try Shell.sh("mv '\(inside.database)' '\(place)'")
        let stack = LiveStack(
            database: SQLiteStore(try SQLiteLocation(uri: "sqlite:///\(place)")), artifacts: inside.artifacts,
            mlflowVersion: { nil })
        #expect(
            code {
                _ = try BackupJob(
                    Workspace(stack, inside.folder, log: .silent), options: .init(), version: "test"
                ).run()
            } == "sqlite-among-artifacts")
    }
}
