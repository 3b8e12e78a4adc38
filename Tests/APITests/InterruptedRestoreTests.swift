// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Service
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("A restore whose process was killed", .serialized, .aheadBesideThePool)
struct InterruptedRestoreTests {
    private static let backup = "mlflow_backup_20240730_020000.tar.gz"

    /// Our own pid, started at another time: what a pid that was given out again looks like.
    private func deadOwner() throws -> ProcessIdentity {
        let mine = ProcessIdentity.current()
        let json = "{\"pid\":\(mine.pid),\"startTicks\":\(mine.startTicks + 1),\"boot\":\"\(mine.boot)\"}"
        return try JSONDecoder().decode(ProcessIdentity.self, from: Data(json.utf8))
    }

    private func orphan(_ id: String, _ kind: TaskRecord.Kind, _ backup: String?) throws -> TaskRecord {
        TaskRecord(
            id: id, kind: kind, origin: .api, message: BilingualText(zh: "进行中", en: "at work"), owner: try deadOwner(),
            status: .running, backupName: backup)
    }

    @Test("Its task says what the recovery came to, not that it is to be started again; others are failed at once")
    func settledAtStart() throws {
        let live = try ServiceFixture("killed_restore") { folder, database in
            let store = try TaskStore(in: folder.state, log: .silent)
            try store.insert(orphan("restore_20240730_143000_12345", .restore, Self.backup))
            try store.insert(orphan("backup_20240730_143001_12345", .backup, nil))
            // As 0.1.0 leaves it while it unpacks.
            let journal = """
                {"backup":"\(Self.backup)","mode":"artifacts","stage":"preparing","liveDatabase":"\(database)","newDatabase":"\(database)_restore_1",
                "oldDatabase":"\(database)_before_1","hadDatabase":false,"artifacts":[\(Array("\(folder.path.parent)/artifacts".utf8)
                .map { "\($0)" }.joined(separator: ","))]}
                """
            try DurableFile.replace(folder.restoreJournal, with: Array(journal.utf8))
        }
        #expect(try live.task("backup_20240730_143001_12345")["status"] as? String == "failed")
        try live.service.start()
        let task = try live.task("restore_20240730_143000_12345")
        #expect(task["status"] as? String == "failed")
        let message = try #require(task["message"] as? String)
        #expect(message.contains("undone") && message.contains("before"), "\(message)")
    }

    @Test("Killed at the command line while the service runs: the next operation settles it, and its task says so")
    func killedAtTheCommandLine() throws {
        let live = try ServiceFixture("killed_cli")
        let big = live.root.path.appending("artifacts/1/big")
        try Shell.sh("head -c 300000000 /dev/urandom > '\(big)'")
        let name = try live.backup()
        // It has to be unpacked again, which takes a moment. What was deleted is nothing newer.
        try Directory.remove(big)
        let process = try live.start(["restore", name])
        let recovery = RecoverJob(live.service.operations.workspace)
        try Patience.wait("the restore's journal") { recovery.isNeeded }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(recovery.isNeeded, "it was killed in its midst")
        let restore = try #require(try live.service.tasks.list(.running).first { $0.kind == .restore })
        _ = try live.backup()
        let task = try live.task(restore.id)
        let message = try #require(task["message"] as? String)
        #expect(task["status"] as? String == "failed" && message.contains("undone"), "\(task)")
        #expect(try !recovery.isNeeded && FileStatus.ifPresent(big) == nil)
    }
}
