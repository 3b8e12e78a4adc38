// SPDX-License-Identifier: Apache-2.0

import Glibc
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("A copy of a database that is in use", .besideThePool)
struct OnlineCopyTests {
    @Test("It holds all that the database does, whatever its features and its journal", arguments: [false, true])
    func equal(wal: Bool) throws {
        let folder = try TemporaryFolder("copy")
        for path in [try Content.mlflow("old", in: folder, wal: wal), try Content.odd("odd", 3, in: folder)] {
            let target = FilePath(path.string + ".copy")
            var seen: [UInt64] = []
            let outcome = try OnlineCopy(of: LiveDatabase(path)).write(to: target) { done, all in
                #expect(done <= all)
                seen.append(done)
            }
            #expect(outcome.attempts == 1)
            #expect(seen.last == outcome.bytes)
            #expect(try FileStatus.of(target).size == outcome.bytes)
            #expect(try FileStatus.of(target).mode == 0o600)
            #expect(try Content.digest(target) == Content.digest(path))
        }
        // Nothing is left beside it.
        #expect(
            try Directory.names(in: folder.path).filter { String(decoding: $0, as: UTF8.self).contains("copy-") } == [])
    }

    @Test("While MLflow writes in WAL mode nobody waits, and the copy is of one moment")
    func writersInWAL() throws {
        let folder = try TemporaryFolder("copy")
        let path = try Content.mlflow("old", in: folder, wal: true)
        try grow(path, mib: 150)
        let writer = try Writer(path, in: folder)
        var copies: [FilePath] = []
        for number in 0..<5 {
            let target = folder.path.appending("copy\(number)")
            let outcome = try OnlineCopy(of: LiveDatabase(path)).write(to: target)
            #expect(outcome.journal == .wal && outcome.attempts == 1)
            copies.append(target)
        }
        let report = try writer.end()
        #expect(report.errors == [])
        #expect(report.done > 20)
        #expect(report.longest < 3, "a writer waited \(report.longest) s")
        try copies.forEach(isOfOneMoment)
    }

    @Test("With a rollback journal a writer waits less than three seconds")
    func writersWithJournal() throws {
        let folder = try TemporaryFolder("copy")
        let path = try Content.mlflow("old", in: folder)
        try grow(path, mib: 150)
        let writer = try Writer(path, in: folder)
        var copies: [FilePath] = []
        for number in 0..<5 {
            let target = folder.path.appending("copy\(number)")
            #expect(try OnlineCopy(of: LiveDatabase(path)).write(to: target).journal == .rollback)
            copies.append(target)
        }
        let report = try writer.end()
        #expect(report.errors == [])
        #expect(report.longest < 3, "a writer waited \(report.longest) s")
        try copies.forEach(isOfOneMoment)
    }

    @Test("A copy that keeps a writer waiting is let go, tried twice again, and then says what ends it")
    func letGo() throws {
        let folder = try TemporaryFolder("copy")
        let path = try Content.mlflow("old", in: folder)
        try grow(path, mib: 40)
        // It has begun to write, and does not end.
        let holder = try Holder(path, "BEGIN IMMEDIATE")
        let target = folder.path.appending("copy")
        let start = MonotonicTime.nanoseconds()
        let error = try #require(throws: DatabaseFileError.self) {
            // No patience: the first look that sees a writer ends it.
            try OnlineCopy(of: LiveDatabase(path), writersPatience: 0).write(to: target)
        }
        #expect(MonotonicTime.seconds(since: start) > 9)
        #expect(error.errorCode == "sqlite-writers-in-the-way")
        #expect(error.explanation.english.contains("PRAGMA journal_mode=WAL"))
        #expect(error.explanation.chinese.contains("PRAGMA journal_mode=WAL"))
        #expect(try FileStatus.ifPresent(target) == nil)
        try holder.end()
        // What it says is to be done does end it.
        try Content.sqlite(path, "PRAGMA journal_mode=WAL")
        let other = try Holder(path, "BEGIN IMMEDIATE")
        #expect(try OnlineCopy(of: LiveDatabase(path), writersPatience: 0).write(to: target).attempts == 1)
        try other.end()
    }

    @Test("One that another process holds alone is waited for, until that is to end")
    func locked() throws {
        let folder = try TemporaryFolder("copy")
        let path = try Content.mlflow("old", in: folder)
        let holder = try Holder(path, "BEGIN EXCLUSIVE")
        defer { try? holder.end() }
        let target = folder.path.appending("copy")
        let cancellation = Cancellation(within: Cancellation(), atMost: 1)
        #expect(throws: CancelledError.self) {
            try OnlineCopy(of: LiveDatabase(path), cancellation: cancellation).write(to: target)
        }
        #expect(try FileStatus.ifPresent(target) == nil)
    }

    @Test("A damaged database, and a file that is none, make no copy")
    func damaged() throws {
        let folder = try TemporaryFolder("copy")
        let path = try Content.mlflow("old", in: folder)
        // The first byte of a page says what it is; of these most hold rows.
        for page in UInt64(20)..<40 { try Shell.invertByte(of: path, at: page * 4096) }
        let none = try folder.write("none.db", String(repeating: "no database\n", count: 2000))
        for file in [path, none] {
            let target = folder.path.appending("copy")
            let error = try #require(throws: DatabaseFileError.self) {
                try OnlineCopy(of: LiveDatabase(file)).write(to: target)
            }
            #expect(error.errorCode == "sqlite-copy-damaged")
            #expect(error.explanation.english.contains(file.string))
            #expect(try FileStatus.ifPresent(target) == nil)
        }
        let error = try #require(throws: SQLiteError.self) { try LiveDatabase(folder.path.appending("away.db")) }
        #expect(error.errorCode == "sqlite-not-usable")
    }

    @Test("On a full disk it fails, and leaves nothing")
    func fullDisk() throws {
        try MountedFileSystem.Kind.ext4.mustBeHere()
        let mount = try MountedFileSystem(.ext4)
        let folder = try TemporaryFolder("copy")
        let path = try Content.mlflow("old", in: folder)
        try grow(path, mib: 80)
        let target = mount.path.appending("copy")
        let error = try #require(throws: SQLiteError.self) { try OnlineCopy(of: LiveDatabase(path)).write(to: target) }
        #expect(error.errorCode == "disk-full")
        #expect(try Directory.names(in: mount.path).map { String(decoding: $0, as: UTF8.self) } == ["lost+found"])
    }

    @Test("A name that is taken is not written over")
    func taken() throws {
        let folder = try TemporaryFolder("copy")
        let path = try Content.mlflow("old", in: folder)
        let target = try folder.write("copy", "somebody's")
        #expect(throws: SystemError.self) { try OnlineCopy(of: LiveDatabase(path)).write(to: target) }
        #expect(try OpenFile(target, .read).readAll() == Array("somebody's".utf8))
    }

    private func grow(_ path: FilePath, mib: Int) throws {
        try Content.sqlite(
            path,
            "CREATE TABLE bulk (a INTEGER PRIMARY KEY, b BLOB);; INSERT INTO bulk (b) WITH RECURSIVE c(n) AS (SELECT 1 "
                + "UNION ALL SELECT n + 1 FROM c WHERE n < \(mib)) SELECT randomblob(1 << 20) FROM c")
    }

    /// A metric and the newest of its series are written in one transaction.
    private func isOfOneMoment(_ copy: FilePath) throws {
        let found = try Content.sqlite(
            copy,
            "SELECT (SELECT max(step) FROM metrics WHERE key = 'n') IS (SELECT max(step) FROM latest_metrics WHERE key = 'n'), "
                + "(SELECT integrity_check FROM pragma_integrity_check)")
        #expect(found == "[(1, 'ok')]")
    }
}
