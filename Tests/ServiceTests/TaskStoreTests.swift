// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import Service
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("The task store")
struct TaskStoreTests {
    private let started = BilingualText(zh: "备份任务已启动", en: "The backup task has started")
    private let done = BilingualText(zh: "备份成功完成", en: "The backup is complete")

    private func record(_ id: String, at epoch: Int64 = 1_722_304_800, owner: ProcessIdentity = .current())
        -> TaskRecord
    {
        TaskRecord(
            id: id, kind: .backup, origin: .api, message: started, createdAt: LocalTime(epoch: epoch), owner: owner)
    }

    /// Our own pid, started at another time: what a pid that was given out again looks like.
    private func deadOwner() throws -> ProcessIdentity {
        let mine = ProcessIdentity.current()
        let json = "{\"pid\":\(mine.pid),\"startTicks\":\(mine.startTicks + 1),\"boot\":\"\(mine.boot)\"}"
        return try JSONDecoder().decode(ProcessIdentity.self, from: Data(json.utf8))
    }

    @Test("A record comes back as it was written, also after the store is opened again")
    func roundTrip() throws {
        let folder = try ScratchFolder()
        var expected = record("backup_20240730_143000_12345")
        do {
            let store = try TaskStore(in: folder.path, log: .silent)
            try store.insert(expected)
            expected.status = .running
            expected.startedAt = LocalTime(epoch: 1_722_304_801)
            expected.progress = TaskRecord.Progress(
                phase: BilingualText(zh: "打包'文件\"", en: "packing; DROP TABLE task"), fraction: 0.25, doneBytes: 1 << 40,
                totalBytes: 1 << 42)
            expected.backupName = "mlflow_backup_20240730_143000.tar.gz"
            expected.backupDirectory = "/backup/mlflow"
            expected.output = done
            expected.warningCount = 2
            expected.notice = BilingualText(zh: "已发送", en: "sent")
            expected.email = "a@b.c"
            try store.update(expected.id) { [expected] in $0 = expected }
            // Columns that only `init` sets are written too.
            #expect(try store.get(expected.id) == expected)
        }
        let store = try TaskStore(in: folder.path, log: .silent)
        #expect(try store.get(expected.id) == expected)
        #expect(try store.get("backup_no_such") == nil)
        #expect(throws: TaskStoreError.noSuchTask("x")) { try store.update("x") { _ in } }
    }

    @Test("Names have the guide's form and are never given twice")
    func names() throws {
        let folder = try ScratchFolder()
        let store = try TaskStore(in: folder.path, log: .silent)
        let ids = try (0..<50).map { _ in try store.begin(.restore, origin: .cli, message: started).id }
        #expect(Set(ids).count == 50)
        #expect(ids.allSatisfy { $0.wholeMatch(of: /restore_\d{8}_\d{6}_\d{5}/) != nil })
        #expect(throws: SQLiteError.self) { try store.insert(record(ids[0])) }
    }

    @Test("Lists are newest first, by state where asked; counts add up; old finished records go")
    func lists() throws {
        let folder = try ScratchFolder()
        let store = try TaskStore(in: folder.path, log: .silent)
        for (id, at) in [("a", 100), ("c", 200), ("b", 200)] as [(String, Int64)] {
            try store.insert(record(id, at: at))
        }
        #expect(try store.list().map(\.id) == ["b", "c", "a"])
        #expect(try store.list(limit: 1).map(\.id) == ["b"])
        try store.update("a") { $0.status = .running }
        let finished = try store.finish("b", .completed, message: done, output: done, warningCount: 1)
        #expect(finished.completedAt != nil && finished.warningCount == 1 && finished.message == done)
        #expect(try store.list(.running).map(\.id) == ["a"])
        let counts = try store.counts()
        #expect(
            counts.total == 3 && counts.pending == 1 && counts.running == 1 && counts.completed == 1
                && counts.failed == 0)
        #expect(try store.removeFinished(olderThan: 3600) == 0)
        try store.update("b") { $0.completedAt = LocalTime(epoch: 200) }
        #expect(try store.removeFinished(olderThan: 3600) == 1)
        #expect(try store.list().map(\.id) == ["c", "a"])
    }

    @Test("A change that throws writes nothing")
    func rolledBack() throws {
        let folder = try ScratchFolder()
        let store = try TaskStore(in: folder.path, log: .silent)
        try store.insert(record("a"))
        #expect(throws: CancelledError.self) {
            try store.update("a") { record in
                record.status = .failed
                throw CancelledError()
            }
        }
        #expect(try store.get("a")?.status == .pending)
        try store.update("a") { $0.status = .running }
    }

    @Test("Tasks of a process that is gone become failed, those of living ones stay")
    func orphans() throws {
        let folder = try ScratchFolder()
        let store = try TaskStore(in: folder.path, log: .silent)
        try store.insert(record("mine"))
        try store.insert(record("dead", owner: deadOwner()))
        try store.update("dead") { $0.status = .running }
        try store.insert(record("waiting", owner: deadOwner()))
        try store.insert(record("ended", owner: deadOwner()))
        try store.finish("ended", .completed, message: done)
        #expect(try store.failOrphans().map(\.id).sorted() == ["dead", "waiting"])
        let dead = try #require(try store.get("dead"))
        #expect(dead.status == .failed && dead.completedAt != nil)
        #expect(dead.message.english.contains("The service stopped while the task ran"))
        #expect(try store.get("waiting")?.message.english.contains("before the task began") == true)
        #expect(try store.get("mine")?.status == .pending)
        #expect(try store.get("ended")?.status == .completed)
        #expect(try store.failOrphans().isEmpty)
    }

    @Test("A task whose process is gone where memory was short says so", arguments: [0, 3])
    func shortOfMemory(_ kills: Int) throws {
        let folder = try ScratchFolder()
        let store = try TaskStore(in: folder.path, log: .silent, memoryKills: { kills })
        try store.insert(record("dead", owner: deadOwner()))
        try store.update("dead") { $0.status = .running }
        let message = try #require(try store.failOrphans().first?.message)
        for text in [message.chinese, message.english] { #expect(text.contains("BACKUP_MEMORY") == (kills > 0)) }
    }

    @Test("What the kernel ended is counted for a container, and not for a whole machine")
    func memoryKills() throws {
        let folder = try ScratchFolder()
        let group = folder.path.appending("memory")
        #expect(MemoryKills.count(in: folder.path) == 0)
        try Directory.make(group)
        try Shell.sh("printf 'under_oom 0\\noom_kill 4\\n' >'\(group)/memory.oom_control'")
        #expect(MemoryKills.count(in: folder.path) == 4)
        try Shell.sh("touch '\(group)/release_agent'")
        #expect(MemoryKills.count(in: folder.path) == 0)
        try Shell.sh("printf 'oom 9\\noom_kill 5\\noom_group_kill 0\\n' >'\(folder.path)/memory.events'")
        #expect(MemoryKills.count(in: folder.path) == 5)
    }

    @Test("While the service runs, a process that may be at work in another container keeps its task")
    func unseen() throws {
        let folder = try ScratchFolder()
        let store = try TaskStore(in: folder.path, log: .silent)
        let mine = ProcessIdentity.current()
        let here = try #require(mine.namespace)
        for (id, namespace) in [("here", "\(here)"), ("elsewhere", "\(here + 1)"), ("before", "null")] {
            let json =
                "{\"pid\":\(mine.pid),\"startTicks\":\(mine.startTicks + 1),\"boot\":\"\(mine.boot)\",\"namespace\":\(namespace)}"
            try store.insert(record(id, owner: JSONDecoder().decode(ProcessIdentity.self, from: Data(json.utf8))))
        }
        try store.insert(record("mine", owner: mine))
        #expect(try store.failOrphans(seenFromHere: true).map(\.id) == ["here"])
        #expect(try store.failOrphans().map(\.id).sorted() == ["before", "elsewhere"])
    }

    @Test("Four threads, two stores and another process write at once and lose nothing")
    func concurrent() throws {
        let folder = try ScratchFolder()
        let stores = [try TaskStore(in: folder.path, log: .silent), try TaskStore(in: folder.path, log: .silent)]
        try stores[0].insert(record("shared"))
        try stores[0].update("shared") { $0.warningCount = 0 }
        let failures = Monitor<[String]>([])
        let threads = try (0..<4).map { number in
            try WorkerThread("writer") {
                for _ in 0..<50 {
                    do {
                        try stores[number % 2].update("shared") { $0.warningCount = ($0.warningCount ?? 0) + 1 }
                        _ = try stores[number % 2].begin(.verify, origin: .cli, message: done)
                    } catch { failures.withLock { $0.append("\(error)") } }
                }
            }
        }
        let writer = FilePath(String(#filePath)).parent.appending("task_writer.py")
        let outcome = try ChildProcess(
            try TestPython().path, [writer.string, folder.path.appending(TaskStore.fileName).string, "100"]
        ).run()
        threads.forEach { $0.join() }
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(failures.withLock { $0 } == [])
        #expect(try stores[1].get("shared")?.warningCount == 300)
        #expect(try stores[0].counts().total == 201)
    }
}
