// SPDX-License-Identifier: Apache-2.0

import Glibc
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Service

@Suite("A damaged task database")
struct TaskStoreRecoveryTests {
    private let text = BilingualText(zh: "任务", en: "task")

    private func names(_ folder: ScratchFolder) throws -> [String] {
        try Directory.names(in: folder.path).map { String(decoding: $0, as: UTF8.self) }
    }

    private func damage(_ folder: ScratchFolder, at offset: UInt64, count: Int) throws {
        let file = try OpenFile(folder.path.appending(TaskStore.fileName), .readWrite(create: 0o644))
        try file.seek(to: offset)
        try file.write([UInt8](repeating: 0xa5, count: count))
    }

    @Test("Something else under its name is moved aside and a new one begun")
    func otherContent() throws {
        let folder = try ScratchFolder()
        _ = try folder.write(TaskStore.fileName, String(repeating: "this is not a database\n", count: 1000))
        let store = try TaskStore(in: folder.path, log: .silent)
        let task = try store.begin(.backup, origin: .api, message: text)
        #expect(try store.list().map(\.id) == [task.id])
        #expect(try names(folder).contains { $0.hasPrefix("tasks.sqlite.corrupt-") })
    }

    @Test("A pipe under its name is waited for by nobody")
    func pipe() throws {
        let folder = try ScratchFolder()
        let path = folder.path.appending(TaskStore.fileName)
        #expect(path.withCString { mkfifo($0, 0o600) } == 0)
        #expect(throws: TaskStoreError.notAFile(path: path.string)) { try TaskStore(in: folder.path, log: .silent) }
    }

    @Test(
        "What root makes in a service's folder is the service's, with its companions",
        .enabled(if: geteuid() == 0, "becoming several users needs root"))
    func ofRoot() throws {
        let folder = try ScratchFolder()
        try OpenFile(folder.path, .directory).setOwner(user: 4301, group: 4301)
        let store = try TaskStore(in: folder.path, log: .silent)
        _ = try store.begin(.backup, origin: .api, message: text)
        let found = try names(folder)
        #expect(found.count == 4)
        for name in found { #expect(try FileStatus.of(folder.path.appending(name)).owner == 4301, "\(name)") }

        // What was there is not root's to give: its user may have moved a file of root's to our name.
        let other = try ScratchFolder()
        try OpenFile(other.path, .directory).setOwner(user: 4301, group: 4301)
        let secret = Array("TOPSECRET\n".utf8)
        try OpenFile(other.path.appending("tasks.sqlite"), .createNew(mode: 0o600)).write(secret)
        _ = try TaskStore(in: other.path, log: .silent)
        let aside = try #require(try names(other).first { $0.contains(".corrupt-") })
        let file = try OpenFile(other.path.appending(aside), .read)
        #expect(try file.readAll() == secret)
        #expect(try file.status().owner == 0)
    }

    @Test("Damaged pages are found at start", arguments: [0, 100, 4096, 8192] as [UInt64])
    func damagedPages(offset: UInt64) throws {
        let folder = try ScratchFolder()
        do {
            let store = try TaskStore(in: folder.path, log: .silent)
            for _ in 0..<20 { _ = try store.begin(.backup, origin: .api, message: text) }
        }
        try damage(folder, at: offset, count: 2000)
        let store = try TaskStore(in: folder.path, log: .silent)
        #expect(try store.counts().total == 0)
        _ = try store.begin(.backup, origin: .api, message: text)
        #expect(try names(folder).filter { $0.hasPrefix("tasks.sqlite.corrupt-") }.count == 1)
    }

    @Test(
        "One bit of the version, a lost table or a lost column: sound to SQLite, and moved aside all the same",
        arguments: [
            "PRAGMA user_version = 0", "PRAGMA user_version = 1", "DROP TABLE task",
            "ALTER TABLE task RENAME COLUMN owner TO ownes",
        ])
    func oddSchema(statement: String) throws {
        let folder = try ScratchFolder()
        do {
            let store = try TaskStore(in: folder.path, log: .silent)
            _ = try store.begin(.backup, origin: .api, message: text)
            try store.withDatabase { try $0.run(statement) }
        }
        let store = try TaskStore(in: folder.path, log: .silent)
        #expect(try store.counts().total == 0)
        _ = try store.begin(.backup, origin: .api, message: text)
        #expect(
            try names(folder).filter {
                $0.hasPrefix("tasks.sqlite.corrupt-") && !$0.contains("-wal") && !$0.contains("-shm")
            }.count == 1)
    }

    @Test("Damage while the service runs: it goes on with a new file")
    func whileOpen() throws {
        let folder = try ScratchFolder()
        let store = try TaskStore(in: folder.path, log: .silent)
        _ = try store.begin(.backup, origin: .api, message: text)
        // Another process found it damaged and moved it away.
        for name in try names(folder) where name.hasPrefix(TaskStore.fileName) {
            try Directory.rename(folder.path.appending(name), to: folder.path.appending("old-\(name)"))
        }
        let task = try store.begin(.backup, origin: .api, message: text)
        #expect(try store.list().map(\.id) == [task.id])
        let second = try TaskStore(in: folder.path, log: .silent)
        #expect(try second.list().map(\.id) == [task.id])
    }

    @Test("Several that find the damage at once agree on one new file")
    func together() throws {
        let folder = try ScratchFolder()
        _ = try folder.write(TaskStore.fileName, String(repeating: "garbage", count: 2000))
        let results = Monitor<[String]>([])
        let threads = try (0..<4).map { _ in
            try WorkerThread("opener") {
                let line: String
                do {
                    line = try TaskStore(in: folder.path, log: .silent).begin(.backup, origin: .cli, message: text).id
                } catch { line = "failed: \(error)" }
                results.withLock { $0.append(line) }
            }
        }
        threads.forEach { $0.join() }
        let ids = results.withLock { $0 }
        #expect(try Set(TaskStore(in: folder.path, log: .silent).list().map(\.id)) == Set(ids))
        #expect(try names(folder).filter { $0.hasPrefix("tasks.sqlite.corrupt-") }.count == 1)
    }

    @Test("A file of a newer version is left alone and named")
    func newer() throws {
        let folder = try ScratchFolder()
        _ = try TaskStore(in: folder.path, log: .silent)
        let path = folder.path.appending(TaskStore.fileName).string
        let raised = try ChildProcess(
            try TestPython().path,
            [
                "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 99')", path,
            ]
        ).run()
        #expect(raised.succeeded, "\(raised.errors)")
        #expect(throws: TaskStoreError.newerSchema(path: path, found: 99, known: 3)) {
            try TaskStore(in: folder.path, log: .silent)
        }
    }

    @Test("A folder that is not there is an error that names it")
    func noFolder() throws {
        let folder = try TemporaryFolder("no-folder").path.appending("nowhere")
        let error = #expect(throws: SystemError.self) { try TaskStore(in: folder, log: .silent) }
        #expect(error?.explanation.english.contains("\(folder)/tasks.sqlite") == true)
    }
}
