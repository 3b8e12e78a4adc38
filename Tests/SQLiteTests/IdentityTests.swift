// SPDX-License-Identifier: Apache-2.0

import Glibc
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("The identity and the lock of a database of SQLite")
struct IdentityTests {
    private func database() throws -> (TemporaryFolder, FilePath) {
        let folder = try TemporaryFolder("identity")
        return (folder, try folder.write("mlflow.db", ""))
    }

    @Test("It is made once, for its owner alone, and is one by each name of the file")
    func once() throws {
        let (folder, path) = try database()
        #expect(try SQLiteIdentity.known(of: path) == nil)
        let identity = try SQLiteIdentity(of: path)
        #expect(try SQLiteIdentity(of: path) == identity)
        #expect(identity.path.string.hasSuffix("/mlflow.db.mlflow-backup"))
        #expect(try FileStatus.of(identity.path).mode == 0o600)
        try Shell.run("/bin/ln", ["-s", path.string, folder.path.appending("link.db").string])
        #expect(try SQLiteIdentity(of: folder.path.appending("link.db")) == identity)
        #expect(try SQLiteIdentity.known(of: path) == identity)
        #expect(try Directory.names(in: folder.path).count == 3)
    }

    @Test("A database that is not there yet has one already")
    func before() throws {
        let folder = try TemporaryFolder("identity")
        let path = folder.path.appending("mlflow.db")
        let identity = try SQLiteIdentity(of: path)
        try folder.write("mlflow.db", "")
        #expect(try SQLiteIdentity(of: path) == identity)
    }

    @Test("Two that make it at once get the same one")
    func together() throws {
        for _ in 0..<20 {
            let (folder, path) = try database()
            let found = Monitor<[String]>([])
            let threads = try (0..<4).map { _ in
                try WorkerThread("identity") {
                    let id = try? SQLiteIdentity(of: path).id
                    found.withLock { $0.append(id ?? "none") }
                }
            }
            threads.forEach { $0.join() }
            #expect(try Directory.names(in: folder.path).count == 2)
            #expect(found.read { Set($0).count } == 1)
            #expect(found.read { $0.first } != "none")
        }
    }

    @Test("Where its folder can only be read that is said, and one that is there is read")
    func readOnly() throws {
        try needs(geteuid() == 0, "mounting needs root")
        let (folder, path) = try database()
        try Shell.sh("mount --bind '\(folder.path)' '\(folder.path)' && mount -o remount,ro,bind '\(folder.path)'")
        do {
            defer { _ = try? Shell.sh("umount -l '\(folder.path)'") }
            let error = try #require(throws: DatabaseFileError.self) { try SQLiteIdentity(of: path) }
            #expect(error.errorCode == "sqlite-identity-not-usable")
            #expect(error.explanation.english.contains("cannot be written to"))
        }
        let identity = try SQLiteIdentity(of: path)
        try Shell.sh("mount --bind '\(folder.path)' '\(folder.path)' && mount -o remount,ro,bind '\(folder.path)'")
        defer { _ = try? Shell.sh("umount -l '\(folder.path)'") }
        #expect(try SQLiteIdentity(of: path) == identity)
        _ = try SQLiteLock(identity, atMost: 0)
    }

    @Test("One that is damaged is refused, and stays")
    func damaged() throws {
        let (folder, path) = try database()
        let identity = try SQLiteIdentity(of: path)
        try DurableFile.replace(identity.path, with: Array("nonsense\n".utf8))
        #expect(throws: DatabaseFileError.self) { try SQLiteIdentity(of: path) }
        #expect(try OpenFile(identity.path, .read).readAll() == Array("nonsense\n".utf8))
        #expect(try Directory.names(in: folder.path).count == 2)
    }

    @Test("Another process is kept out as long as the lock is held, and whoever waits hears of it")
    func lock() throws {
        let (folder, path) = try database()
        let identity = try SQLiteIdentity(of: path)
        let script = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        do {
            let lock = try SQLiteLock(identity, atMost: 0)
            #expect(throws: ProgramFailed.self) {
                try Shell.run(TestPython().path, ["-c", script, lock.identity.path.string])
            }
            let error = try #require(throws: DatabaseFileError.self) { try SQLiteLock(identity, atMost: 0.2) }
            #expect(error.errorCode == "busy")
        }
        try Shell.run(TestPython().path, ["-c", script, identity.path.string])
        let stop = folder.path.appending("stop")
        let python = try TestPython().path
        let other = try WorkerThread("other") {
            _ = try? Shell.run(
                python,
                [
                    "-c",
                    "import fcntl, sys, os, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); "
                        + "open(sys.argv[2] + '.here', 'w'); "
                        + "[time.sleep(0.01) for _ in iter(lambda: os.path.exists(sys.argv[2]), True)]",
                    identity.path.string, stop.string,
                ])
        }
        try Patience.wait("the other") { try FileStatus.ifPresent(FilePath(stop.string + ".here")) != nil }
        var told: [String?] = []
        let error = try #require(throws: DatabaseFileError.self) {
            try SQLiteLock(identity, atMost: 0.3, onWait: { told.append($0) })
        }
        guard case .busy(_, let holder?) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(holder.contains("(pid "))
        #expect(told.count == 1)
        _ = try OpenFile(stop, .createNew(mode: 0o600))
        other.join()
        _ = try SQLiteLock(identity, atMost: 5)
    }
}
