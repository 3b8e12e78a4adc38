// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Service
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("How the task of a killed restore ends")
struct TaskSettlingTests {
    private static let backup = "mlflow_backup_20240730_020000.tar.gz"
    private static let restore = "restore_20240730_143000_12345"

    private func deadOwner() throws -> ProcessIdentity {
        let mine = ProcessIdentity.current()
        let json = "{\"pid\":\(mine.pid),\"startTicks\":\(mine.startTicks + 1),\"boot\":\"\(mine.boot)\"}"
        return try JSONDecoder().decode(ProcessIdentity.self, from: Data(json.utf8))
    }

    private func store(
        _ folder: ScratchFolder, _ kind: TaskRecord.Kind = .restore, _ status: TaskRecord.Status = .running
    ) throws -> TaskStore {
        let store = try TaskStore(in: folder.path, log: .silent)
        try store.insert(
            TaskRecord(
                id: Self.restore, kind: kind, origin: .api, message: BilingualText(zh: "进行中", en: "at work"),
                owner: deadOwner(), status: status, backupName: Self.backup))
        return store
    }

    @Test("Finished by the recovery: completed, whether the journal names the task or not", arguments: [true, false])
    func finished(isNamed: Bool) throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        try store.failOrphans(keepingRestores: true)
        #expect(try store.get(Self.restore)?.status == .running, "it has not failed before it is settled")
        try store.settle(.finished(backup: Self.backup, task: isNamed ? Self.restore : nil))
        let record = try #require(try store.get(Self.restore))
        #expect(record.status == .completed && record.failure == nil && record.completedAt != nil)
        #expect(record.message.english.contains("the recovery finished it"))
        #expect(try store.failOrphans().isEmpty, "no later word on it")
    }

    @Test("Undone by the recovery: failed, and everything is as before", arguments: [true, false])
    func undone(isNamed: Bool) throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        try store.settle(.undone(backup: Self.backup, task: isNamed ? Self.restore : nil))
        let record = try #require(try store.get(Self.restore))
        #expect(record.status == .failed && record.failure?.code == "interrupted")
        #expect(record.message.english.contains("undone") && record.message.chinese.contains("撤销"))
    }

    @Test("A service that failed it too early is corrected, by the name in the journal")
    func corrected() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        try store.failOrphans()
        let early = try #require(try store.get(Self.restore))
        #expect(early.status == .failed && !early.message.english.contains("start it again"))
        try store.settle(.finished(backup: Self.backup, task: Self.restore))
        #expect(try store.get(Self.restore)?.status == .completed)
    }

    @Test("Nothing to do settles nothing; neither does another backup's restore, nor one whose process lives")
    func others() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        #expect(try store.settle(.nothingToDo) == nil)
        #expect(try store.settle(.undone(backup: "another.tar.gz", task: nil)) == nil)
        let mine = try store.begin(
            .restore, origin: .cli, message: BilingualText(zh: "恢复", en: "restore"), backupName: Self.backup)
        #expect(try store.settle(.undone(backup: Self.backup, task: mine.id)) == nil)
        #expect(try store.get(mine.id)?.status == .pending)
    }

    @Test("A failure whose reason is known keeps it when the rest is undone")
    func knownReason() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        try store.update(Self.restore) {
            $0.status = .failed
            $0.failure = .init(code: "not-enough-room")
        }
        #expect(try store.settle(.undone(backup: Self.backup, task: Self.restore)) == nil)
        try store.update(Self.restore) { $0.failure = .init(code: "needs-recovery") }
        #expect(try store.settle(.undone(backup: Self.backup, task: Self.restore))?.failure?.code == "interrupted")
    }

    @Test("A restore that waited in the queue had not begun: it fails at once")
    func waiting() throws {
        let folder = try ScratchFolder()
        let store = try store(folder, .restore, .pending)
        let failed = try store.failOrphans(keepingRestores: true)
        #expect(failed.map(\.id) == [Self.restore])
        #expect(failed[0].message.english.contains("before the task began"), "\(failed[0].message.english)")
    }

    @Test("A failure's code and findings come back as they were written; a store of 0.1.0 is brought up to date")
    func failureRoundTrip() throws {
        let folder = try ScratchFolder()
        let path = folder.path.appending(TaskStore.fileName).string
        let store = try store(folder)
        let findings = [BilingualText(zh: "运行 \"甲\"", en: "run \"a\""), BilingualText(zh: "别名", en: "alias")]
        try store.update(Self.restore) { $0.failure = .init(code: "newer-data", findings: findings) }
        #expect(try store.get(Self.restore)?.failure == .init(code: "newer-data", findings: findings))
        // As 0.1.0 left it: without what keeps the counts.
        let old = try ChildProcess(
            try TestPython().path,
            [
                "-c",
                "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.executescript('ALTER TABLE task DROP COLUMN error_code;"
                    + "ALTER TABLE task DROP COLUMN findings; DROP TRIGGER task_added; DROP TRIGGER task_removed;"
                    + "DROP TRIGGER task_changed; DROP TABLE task_count; DROP INDEX task_by_time;"
                    + "DROP INDEX task_by_status_and_time; CREATE INDEX task_by_status ON task (status);"
                    + "PRAGMA user_version = 1')", path,
            ]
        ).run()
        #expect(old.succeeded, "\(old.errors)")
        let again = try TaskStore(in: folder.path, log: .silent)
        #expect(try again.get(Self.restore)?.id == Self.restore)
        #expect(try again.get(Self.restore)?.failure == nil)
        #expect(try again.counts().total == again.list().count)
        // Or with the counts of a bit that flipped.
        let flipped = try ChildProcess(
            try TestPython().path,
            [
                "-c",
                "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('UPDATE task_count SET tasks = 7'); d.commit()",
                path,
            ]
        ).run()
        #expect(flipped.succeeded, "\(flipped.errors)")
        #expect(try TaskStore(in: folder.path, log: .silent).counts().total == again.list().count)
        try again.update(Self.restore) { $0.failure = .init(code: "busy") }
        #expect(try again.get(Self.restore)?.failure?.code == "busy")
    }
}
