// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Service
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("Cancelling a task", .serialized, .aheadBesideThePool)
struct CancelTests {
    @Test("A running task ends as failed, says that it was cancelled and that all is as before, and leaves nothing")
    func running() throws {
        let live = try ServiceFixture("cancel_running")
        let task = try live.holdingTheFolder {
            let task = try live.send("POST", "/backups").string("task_id")
            _ = try live.task(task, reaches: ["running"])
            let answer = try live.send("POST", "/tasks/\(task)/cancel")
            #expect(answer.status == 202, "\(answer.text)")
            #expect(try answer.string("task_id") == task)
            #expect(try answer.string("status") == "running")
            #expect(try answer.string("message").isEmpty == false)
            return try live.task(task)
        }
        #expect(task["status"] as? String == "failed")
        let message = try #require(task["message"] as? String)
        #expect(message.contains("cancelled") && message.contains("as before"), "\(message)")
        #expect((task["error"] as? [String: Any])?["code"] as? String == "cancelled")
        #expect(try live.service.operations.catalogue.items().isEmpty)
        // The one after it is not cancelled with it.
        _ = try live.backup()
    }

    @Test("A task that waits for its turn is removed from the queue at once")
    func pending() throws {
        let live = try ServiceFixture("cancel_pending")
        try live.holdingTheFolder {
            let first = try live.send("POST", "/backups").string("task_id")
            _ = try live.task(first, reaches: ["running"])
            let second = try live.send("POST", "/backups").string("task_id")
            let answer = try live.send("POST", "/tasks/\(second)/cancel")
            #expect(answer.status == 202, "\(answer.text)")
            let record = try live.send("GET", "/tasks/\(second)").object()
            #expect(record["status"] as? String == "failed", "while the first one still runs")
            #expect(try answer.string("status") == "failed")
        }
        try Patience.wait("the tasks to end") { try live.service.tasks.counts().running == 0 }
        #expect(try live.service.operations.catalogue.items().count == 1, "the cancelled one never ran")
    }

    @Test("No such task is 404, one that has ended is 409")
    func refused() throws {
        let live = try ServiceFixture("cancel_refused")
        #expect(try live.send("POST", "/tasks/backup_20000101_000000_00000/cancel").status == 404)
        let task = try live.send("POST", "/backups").string("task_id")
        _ = try live.task(task)
        let answer = try live.send("POST", "/tasks/\(task)/cancel")
        #expect(answer.status == 409, "\(answer.text)")
        #expect(try answer.string("code") == "already-ended")
        #expect(try live.task(task)["status"] as? String == "completed")
        #expect(try live.send("GET", "/tasks/\(task)/cancel").status == 405)
    }

    @Test("A task of the command line is cancelled as well: its process is told")
    func ofTheCommandLine() throws {
        let live = try ServiceFixture("cancel_cli")
        try live.holdingTheFolder {
            let process = try live.start(["backup"])
            let task = try onlyTask(live)
            let answer = try live.send("POST", "/tasks/\(task)/cancel")
            #expect(answer.status == 202, "\(answer.text)")
            #expect(process.exitStatus() == 130)
            #expect(try live.task(task)["status"] as? String == "failed")
        }
    }

    @Test(
        "A scheduled backup that somebody cancelled is dealt with; one that a signal of the system ended is made again",
        arguments: [true, false])
    func scheduled(isCancelled: Bool) throws {
        let live = try ServiceFixture(
            "cancel_cron", settings: ["BACKUP_SCHEDULE": "* * * * *", "BACKUP_SCHEDULER": "cron"])
        try Shell.sh("touch -d '2 hours ago' '\(live.service.operations.folder.state)/first-use'")
        try live.holdingTheFolder {
            let process = try live.start(["backup", "--scheduled"])
            let task = try onlyTask(live)
            if isCancelled {
                #expect(try live.send("POST", "/tasks/\(task)/cancel").status == 202)
            } else {
                kill(process.processIdentifier, SIGTERM)
            }
            #expect(process.exitStatus() == 130)
            let message = try #require(live.task(task)["message"] as? String)
            #expect(message.contains(isCancelled ? "cancelled on request" : "interrupted"), "\(message)")
        }
        let state = live.service.operations.folder.state
        let record = try #require(
            Directory.names(in: state).map { String(decoding: $0, as: UTF8.self) }.first {
                $0.hasPrefix("schedule") && $0.hasSuffix(".json")
            })
        let text = String(decoding: try OpenFile(state.appending(record), .read).readAll(limit: 1 << 16), as: UTF8.self)
        #expect(text.contains(isCancelled ? "\"done\"" : "\"failed\""), "\(text)")
    }

    @Test("Ctrl-C and SIGTERM end the program with 130 and mark its task", arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) throws {
        let live = try ServiceFixture("cancel_signal")
        try live.holdingTheFolder {
            let process = try live.start(["backup"])
            let task = try onlyTask(live)
            kill(process.processIdentifier, signal)
            #expect(process.exitStatus() == 130)
            let record = try live.task(task)
            let message = try #require(record["message"] as? String)
            #expect(record["status"] as? String == "failed")
            #expect(message.contains("interrupted") && message.contains("as before"), "\(message)")
        }
        #expect(try Directory.names(in: live.service.operations.folder.path).count == 1, "nothing but our own folder")
    }

    @Test("SIGTERM while a backup is being written: its task is marked, and nothing is left of it")
    func signalWhileWriting() throws {
        let live = try ServiceFixture("cancel_writing")
        try Shell.sh("head -c 300000000 /dev/urandom > '\(live.root.path)/artifacts/1/big'")
        let folder = live.service.operations.folder
        let process = try live.start(["backup"])
        let task = try onlyTask(live)
        try Patience.wait("the backup to write") { try isWriting(folder) }
        kill(process.processIdentifier, SIGTERM)
        #expect(process.exitStatus() == 130)
        let record = try live.task(task)
        #expect(record["status"] as? String == "failed", "\(record)")
        #expect((record["error"] as? [String: Any])?["code"] as? String == "cancelled")
        #expect(try Directory.names(in: folder.staging).isEmpty)
        #expect(try live.service.operations.catalogue.items().isEmpty)
    }

    private func isWriting(_ folder: BackupFolder) throws -> Bool {
        guard try FileStatus.ifPresent(folder.staging) != nil else { return false }
        return try Directory.names(in: folder.staging).contains {
            String(decoding: $0, as: UTF8.self).contains(".partial")
        }
    }

    @Test("What can no longer be undone ends as it ends: a backup that is published already is completed")
    func tooLate() throws {
        let live = try ServiceFixture("cancel_late")
        let service = live.service
        let notices = try NoticeDispatcher(mailer: nil, policy: NoticePolicy(service.settings), log: .silent)
        defer { notices.stop() }
        let cancellation = TaskCancellation()
        let request = service.backupRequest()
        let record = try service.tasks.begin(request, origin: .cli, email: nil)
        _ = try TaskExecution(service.operations, tasks: service.tasks, notices: notices, log: .silent).run(
            record, request, requested: nil, waitSeconds: 10, cancellation: cancellation
        ) { step in if step.phase == .pruning { cancellation.cancel(.requested) } }
        #expect(try service.tasks.get(record.id)?.status == .completed)
        #expect(try service.operations.catalogue.items().count == 1)
    }

    @Test("A forced restore that is cancelled after it made its backup says which, and that the live data is as before")
    func backupFirst() throws {
        let live = try ServiceFixture("cancel_first")
        let name = try live.backup()
        let (error, record) = try cancelled(live, .restore(name, .full, force: true), at: .pruning)
        try expectNamed(live, besides: [name], error, record)
    }

    @Test("So does a forced undo")
    func backupBeforeUndo() throws {
        let live = try ServiceFixture("cancel_undo")
        let name = try live.backup()
        let answer = try live.send("POST", "/restore", #"{"backup_name": "\#(name)", "mode": "full"}"#)
        #expect(answer.status == 202, "\(answer.text)")
        let restored = try live.task(answer.string("task_id"))
        #expect(restored["status"] as? String == "completed")
        let (error, record) = try cancelled(live, .undo(force: true), at: .pruning)
        try expectNamed(live, besides: [name], error, record)
    }

    private func expectNamed(
        _ live: ServiceFixture, besides others: [String], _ error: any Error, _ record: TaskRecord
    ) throws {
        let made = try live.service.operations.catalogue.items().map(\.name.string).filter { !others.contains($0) }
        #expect(made.count == 1 && record.status == .failed)
        #expect(record.failure?.code == "cancelled" && error.stableCode == "cancelled")
        for text in [record.message, error.bilingual] {
            #expect(text.english.contains(made[0]) && text.chinese.contains(made[0]), "\(text)")
            #expect(!text.english.contains("everything is as before") && !text.chinese.contains("一切"), "\(text)")
        }
        #expect(record.message.english.contains("the live data is as before"), "\(record.message)")
    }

    /// Runs a request and cancels it when it comes to `phase`.
    private func cancelled(
        _ live: ServiceFixture, _ request: OperationRequest, at phase: Backup.Progress.Phase
    ) throws -> (any Error, TaskRecord) {
        let service = live.service
        let notices = try NoticeDispatcher(mailer: nil, policy: NoticePolicy(service.settings), log: .silent)
        defer { notices.stop() }
        let cancellation = TaskCancellation()
        let record = try service.tasks.begin(request, origin: .cli, email: nil)
        let error = #expect(throws: (any Error).self) {
            _ = try TaskExecution(service.operations, tasks: service.tasks, notices: notices, log: .silent).run(
                record, request, requested: nil, waitSeconds: 10, cancellation: cancellation
            ) { step in if step.phase == phase { cancellation.cancel(.requested) } }
        }
        return (try #require(error), try #require(try service.tasks.get(record.id)))
    }

    private func onlyTask(_ live: ServiceFixture) throws -> String {
        for _ in 0..<400 {
            if let record = try live.service.tasks.list(.running).first { return record.id }
            usleep(50_000)
        }
        throw TaskStuck(id: "of the command line")
    }
}
