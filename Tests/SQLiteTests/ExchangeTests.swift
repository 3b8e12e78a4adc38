// SPDX-License-Identifier: Apache-2.0

import Glibc
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("A restored database in the place of a live one", .besideThePool)
struct ExchangeTests {
    @Test("All it holds is there, both ways, as often as wanted", arguments: [false, true], ["mlflow", "odd"])
    func bothWays(wal: Bool, content: String) throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) =
            content == "odd"
            ? (try Content.odd("live", 1, in: folder), try Content.odd("new", 2, in: folder))
            : (try Content.mlflow("old", in: folder), try Content.mlflow("new", in: folder))
        if wal { try Content.sqlite(live, "PRAGMA journal_mode = WAL") }
        let inode = try FileStatus.of(live).inode
        let database = try LiveDatabase(live)
        let old = folder.path.appending("kept.db")
        _ = try OnlineCopy(of: database).write(to: old)
        let digests = (old: try Content.digest(old), new: try Content.digest(new))
        #expect(digests.old != digests.new)
        #expect(try ContentNumber.read(database.connection) == nil)
        for _ in 0..<2 {
            let forth = try Exchange(in: database, of: new, as: .init(7)).run()
            #expect(forth == .exchanged(wal ? [.init(property: .journalMode, live: "wal", restored: "delete")] : []))
            #expect(try Content.digest(live) == digests.new)
            #expect(try ContentNumber.read(database.connection) == .init(7))
            #expect(try Exchange(in: database, of: new, as: .init(7)).run() == .wasThere)
            _ = try Exchange(in: database, of: old, as: .init(6)).run()
            #expect(try Content.digest(live) == digests.old)
            #expect(try ContentNumber.read(database.connection) == .init(6))
        }
        #expect(try FileStatus.of(live).inode == inode)
    }

    @Test("The number of a content is no part of what is exchanged: a backup made in between does not carry it")
    func numberStays() throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) = (try Content.odd("live", 1, in: folder), try Content.odd("new", 2, in: folder))
        let database = try LiveDatabase(live)
        _ = try Exchange(in: database, of: new, as: .init(7)).run()
        let later = folder.path.appending("later.db")
        _ = try OnlineCopy(of: database).write(to: later)
        _ = try Exchange(in: database, of: later, as: .init(8)).run()
        #expect(try ContentNumber.read(database.connection) == .init(8))
        #expect(try Content.digest(live) == Content.digest(new))
    }

    @Test(
        "Into a file that is not there, or empty, everything comes with the form that it has", arguments: [false, true])
    func empty(isThere: Bool) throws {
        let folder = try TemporaryFolder("exchange")
        let new = folder.path.appending("new.db")
        try Content.sqlite(
            new,
            "PRAGMA page_size = 8192;; PRAGMA auto_vacuum = FULL;; PRAGMA encoding = 'UTF-16le';; PRAGMA journal_mode = WAL;; "
                + "CREATE TABLE t (a TEXT);; INSERT INTO t VALUES ('中文')")
        let live = isThere ? try folder.write("live.db", "") : folder.path.appending("live.db")
        let database = try LiveDatabase(live, makes: true)
        #expect(
            try Exchange(in: database, of: new, as: .init(1)).run() == .exchanged([]))
        #expect(try Content.digest(live) == Content.digest(new))
        #expect(
            try Content.sqlite(
                live,
                "SELECT page_size FROM pragma_page_size;; PRAGMA auto_vacuum;; PRAGMA encoding;; PRAGMA journal_mode")
                == "[(8192,), (1,), ('UTF-16le',), ('wal',)]")
    }

    @Test("What a live file keeps is said")
    func kept() throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) = (try Content.odd("live", 1, in: folder), folder.path.appending("new.db"))
        try Content.sqlite(
            new, "PRAGMA page_size = 8192;; PRAGMA auto_vacuum = FULL;; PRAGMA journal_mode = WAL;; CREATE TABLE t (a)")
        let outcome = try Exchange(in: LiveDatabase(live), of: new, as: .init(1)).run()
        #expect(
            outcome
                == .exchanged([
                    .init(property: .pageSize, live: "4096", restored: "8192"),
                    .init(property: .autoVacuum, live: "0", restored: "1"),
                    .init(property: .journalMode, live: "delete", restored: "wal"),
                ]))
        #expect(try Content.digest(live) == Content.digest(new))
    }

    @Test("The last look sees that nobody has written, or that somebody has, and can end it", arguments: [false, true])
    func lastLook(wal: Bool) throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) = (try Content.mlflow("old", in: folder, wal: wal), try Content.mlflow("new", in: folder))
        let database = try LiveDatabase(live)
        let copy = try OnlineCopy(of: database).write(to: folder.path.appending("kept.db"))
        struct Ended: Error {}
        func look(_ held: HeldDatabase) throws {
            #expect(try held.isUnchanged(since: copy.dataVersion))
            #expect(try held.connection.run("SELECT count(*) FROM restored.runs").first?[0].integer == 15)
            // Readers go on, and nobody writes.
            #expect(try Content.sqlite(live, "SELECT count(*) FROM runs") == "[(12,)]")
            #expect(throws: ProgramFailed.self) {
                try Content.sqlite(live, "PRAGMA busy_timeout = 100;; DELETE FROM metrics")
            }
            throw Ended()
        }
        let exchange = Exchange(in: database, of: new, as: .init(1))
        let before = try Content.digest(live)
        #expect(throws: Ended.self) { try exchange.run(lookOnceMore: look) }
        #expect(try Content.digest(live) == before)
        try Content.sqlite(live, "UPDATE runs SET name = 'late'")
        let again = folder.path.appending("again.db")
        _ = try exchange.run { held in
            #expect(try !held.isUnchanged(since: copy.dataVersion))
            _ = try held.copy(to: again)
        }
        #expect(try Content.sqlite(again, "SELECT DISTINCT name FROM runs") == "[('late',)]")
        #expect(try Content.digest(live) == Content.digest(new))
    }

    @Test("A database that somebody else writes to is left alone, and who it is is said", arguments: [false, true])
    func inUse(wal: Bool) throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) = (try Content.mlflow("old", in: folder, wal: wal), try Content.mlflow("new", in: folder))
        let before = try Content.digest(live)
        let holder = try Holder(live, "BEGIN IMMEDIATE;; UPDATE runs SET name = 'x'")
        let error = try #require(throws: DatabaseFileError.self) {
            try Exchange(in: LiveDatabase(live), of: new, as: .init(1), patience: 0.5).run()
        }
        guard case .inUse(_, _, let holders) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(holders.contains { $0.contains("python") && $0.contains("(pid ") })
        try holder.end()
        #expect(try Content.digest(live) == before)
    }

    @Test("With a rollback journal a reader that does not end keeps it from beginning to write, and is named")
    func readers() throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) = (try Content.mlflow("old", in: folder), try Content.mlflow("new", in: folder))
        let before = try Content.digest(live)
        let holder = try Holder(live, "BEGIN;; SELECT * FROM runs")
        let error = try #require(throws: DatabaseFileError.self) {
            try Exchange(in: LiveDatabase(live), of: new, as: .init(1), patience: 0.5).run()
        }
        #expect(error.errorCode == "sqlite-in-use")
        #expect(error.explanation.english.contains("(pid "))
        try holder.end()
        #expect(try Content.digest(live) == before)
    }

    @Test("What cannot be copied row by row is refused, and changes nothing")
    func refused() throws {
        let folder = try TemporaryFolder("exchange")
        let live = try Content.odd("live", 1, in: folder)
        let before = try Content.digest(live)
        for (name, sql) in [
            ("virtual", "CREATE VIRTUAL TABLE v USING fts5(a)"),
            ("utf16", "PRAGMA encoding = 'UTF-16le';; CREATE TABLE t (a)"),
        ] {
            let new = folder.path.appending("\(name).db")
            try Content.sqlite(new, sql)
            let error = try #require(throws: DatabaseFileError.self) {
                try Exchange(in: LiveDatabase(live), of: new, as: .init(1)).run()
            }
            #expect(error.errorCode == "sqlite-not-exchangeable")
        }
        #expect(try Content.digest(live) == before)
    }

    @Test(
        "Where there is no room it is refused; where the room goes meanwhile, the old content stays",
        arguments: [false, true])
    func noRoom(wal: Bool) throws {
        try MountedFileSystem.Kind.ext4.mustBeHere()
        let mount = try MountedFileSystem(.ext4)
        let folder = try TemporaryFolder("exchange")
        let (old, new) = (try Content.mlflow("old", in: folder, wal: wal), try Content.mlflow("new", in: folder))
        for file in [old, new] {
            try Content.sqlite(
                file,
                "CREATE TABLE bulk (a INTEGER PRIMARY KEY, b BLOB);; INSERT INTO bulk (b) WITH RECURSIVE c(n) AS (SELECT 1 "
                    + "UNION ALL SELECT n + 1 FROM c WHERE n < 10) SELECT randomblob(1 << 20) FROM c")
        }
        let live = mount.path.appending("mlflow.db")
        try Shell.run("/bin/cp", [old.string, live.string])
        let digests = (old: try Content.digest(live), new: try Content.digest(new))
        let database = try LiveDatabase(live)
        let exchange = Exchange(in: database, of: new, as: .init(1))
        let filler = mount.path.appending("filler").string
        try Shell.sh("head -c 40M /dev/zero >'\(filler)'")
        let error = try #require(throws: DatabaseFileError.self) { try exchange.run() }
        #expect(error.errorCode == "no-room-for-exchange")
        try Shell.sh("rm '\(filler)'")
        // The room is there when it is asked for, and then somebody else takes it.
        let full = try #require(throws: SQLiteError.self) {
            try exchange.run(progress: { done, _, _ in
                if done == 1 { _ = try? Shell.sh("cat /dev/zero >'\(filler)' 2>/dev/null") }
            })
        }
        #expect(full.errorCode == "disk-full")
        try Shell.sh("rm '\(filler)'")
        #expect(try Content.digest(live) == digests.old)
        #expect(try ContentNumber.read(database.connection) == nil)
        _ = try exchange.run()
        #expect(try Content.digest(live) == digests.new)
    }

    @Test("It ends when it is told to, and changes nothing")
    func cancelled() throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) = (try Content.mlflow("old", in: folder), try Content.mlflow("new", in: folder))
        let before = try Content.digest(live)
        let cancellation = Cancellation()
        #expect(throws: CancelledError.self) {
            try Exchange(
                in: LiveDatabase(live), of: new, as: .init(1), cancellation: cancellation
            ).run(progress: { done, _, _ in if done == 3 { cancellation.cancel() } })
        }
        #expect(try Content.digest(live) == before)
    }

    @Test(
        "MLflow's own clients go on with what was restored, and with small databases none of them fails",
        arguments: [false, true])
    func clients(wal: Bool) throws {
        let folder = try TemporaryFolder("exchange")
        let (live, new) = (try Content.mlflow("old", in: folder, wal: wal), try Content.mlflow("new", in: folder))
        let writer = try Writer(live, in: folder)
        try Patience.wait("a write") {
            try Content.sqlite(live, "SELECT count(*) FROM metrics WHERE key = 'n'") != "[(0,)]"
        }
        _ = try Exchange(in: LiveDatabase(live), of: new, as: .init(1)).run()
        try Patience.wait("a write after it") {
            try Content.sqlite(live, "SELECT count(*) FROM metrics WHERE key = 'n'") != "[(0,)]"
        }
        let report = try writer.end()
        // Its run has gone: nothing else goes wrong.
        #expect(report.errors.allSatisfy { !$0.contains("locked") && !$0.contains("malformed") }, "\(report)")
        #expect(try Content.sqlite(live, "SELECT count(*) FROM runs WHERE name LIKE 'new %'") == "[(15,)]")
        #expect(try Content.sqlite(live, "PRAGMA integrity_check") == "[('ok',)]")
    }
}
