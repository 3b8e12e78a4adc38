// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
@testable import Service
import SystemIO
import TestSupport
import Testing

@Suite("S2: a scheduled backup needs neither a store nor a place in the queue", .serialized, .aheadBesideThePool)
struct BrokenStoreTests {
    private func store(_ live: ServiceFixture) -> FilePath {
        live.service.operations.folder.state.appending(TaskStore.fileName)
    }

    private func schedule(_ live: ServiceFixture) throws -> TaskRecord {
        try live.service.submitScheduled()
    }

    private func checks(_ live: ServiceFixture) throws -> [String: Bool] {
        try #require(try live.send("GET", "/health").object()["checks"] as? [String: Bool])
    }

    /// A folder in its place: whatever is asked of the store fails. At once, since the service makes a new one where there is none.
    private func takeAway(_ live: ServiceFixture) throws {
        let aside = live.root.path.appending("aside")
        try Directory.make(aside)
        try Directory.exchange(store(live), aside)
    }

    private func bringBack(_ live: ServiceFixture) throws {
        let aside = live.root.path.appending("aside")
        try Directory.exchange(store(live), aside)
        try Directory.removeTree(aside)
    }

    @Test("the store is gone: the backup is made, seen, and written down when the store is back")
    func gone() throws {
        let live = try ServiceFixture("store_gone")
        let before = try live.backup()
        try takeAway(live)
        let record = try schedule(live)
        let done = try live.task(record.id)
        #expect(done["status"] as? String == "completed", "\(done)")
        #expect(try live.service.operations.catalogue.items().count == 2)
        #expect(try live.send("GET", "/tasks").text.contains(record.id))
        #expect(try live.send("GET", "/tasks?limit=1").text.contains(record.id))
        #expect(try checks(live)["task_records"] == false)
        #expect(try live.send("GET", "/health").text.contains("written down when that is possible again"))
        // Who asks himself is told at once, and can ask again.
        #expect(try live.send("POST", "/backups").status >= 500)

        try bringBack(live)
        live.service.tasks.heal()
        #expect(try checks(live)["task_records"] == true)
        let kept = try TaskStore(in: live.service.operations.folder.state, log: .silent)
        #expect(try kept.get(record.id)?.status == .completed)
        #expect(try kept.list().contains { $0.backupName == before })
        #expect(try live.service.tasks.counts().completed == 2)
    }

    @Test("at a stop what is in memory is written down where the store is back, and else named in the log")
    func stopped() throws {
        let live = try ServiceFixture("store_stopped")
        try takeAway(live)
        let record = try schedule(live)
        _ = try live.task(record.id)
        try bringBack(live)
        live.service.stop(graceSeconds: 5)
        #expect(
            try TaskStore(in: live.service.operations.folder.state, log: .silent).get(record.id)?.status == .completed)

        let lines = live.root.path.appending("log")
        try DurableFile.replace(lines, with: [])
        let descriptor = open(lines.string, O_WRONLY | O_APPEND)
        defer { close(descriptor) }
        let log = Log(format: .text, syslog: false, descriptor: descriptor)
        let second = try ServiceFixture("store_stopped_away", log: log)
        try takeAway(second)
        let lost = try schedule(second)
        _ = try second.task(lost.id)
        second.service.stop(graceSeconds: 5)
        let text = String(decoding: try OpenFile(lines, .read).readAll(limit: 1 << 20), as: UTF8.self)
        #expect(
            text.split(separator: "\n").contains { $0.contains("a task record is lost") && $0.contains(lost.id) },
            "\(text)")
    }

    @Test("the store goes while a task runs: its end is seen, and written down later")
    func goesMeanwhile() throws {
        let live = try ServiceFixture("store_meanwhile")
        let id = try live.holdingTheFolder {
            let id = try live.send("POST", "/backups").string("task_id")
            _ = try live.task(id, reaches: ["running"])
            try takeAway(live)
            return id
        }
        #expect(try live.task(id)["status"] as? String == "completed")
        #expect(try live.service.tasks.counts().completed == 1)
        try bringBack(live)
        let counts = try live.service.tasks.counts()
        #expect(counts.completed == 1 && counts.total == 1, "what the store says of it is older")
        live.service.tasks.heal()
        #expect(try TaskStore(in: live.service.operations.folder.state, log: .silent).get(id)?.status == .completed)
    }

    @Test("the store cannot be opened at the start: it is opened when it can be")
    func lateOpened() throws {
        let live = try ServiceFixture("store_late") { folder, _ in
            try Directory.make(folder.state.appending(TaskStore.fileName))
        }
        _ = try live.task(schedule(live).id)
        #expect(try checks(live)["task_records"] == false)
        try Directory.removeTree(store(live))
        live.service.tasks.heal()
        #expect(try checks(live)["task_records"] == true)
        #expect(try TaskStore(in: live.service.operations.folder.state, log: .silent).list().count == 1)
    }

    @Test("the queue is full: it has a place of its own")
    func full() throws {
        let live = try ServiceFixture("store_queue")
        try live.holdingTheFolder {
            for _ in 0...TaskRunner.queueLimit { _ = try live.send("POST", "/backups").string("task_id") }
            #expect(try live.send("POST", "/backups").string("code") == "queue-full")
            let record = try schedule(live)
            #expect(try live.send("GET", "/tasks/\(record.id)").status == 200)
            let ended = Monitor<Bool?>(nil)
            let other = try live.service.submitScheduled { end in ended.withLock { $0 = end } }
            _ = try live.service.cancel(other.id)
            #expect(ended.withLock { $0 } == true, "else the schedule would wait for it for ever")
            for task in try live.service.tasks.list() where task.id != record.id && !task.status.isFinished {
                _ = try live.service.cancel(task.id)
            }
        }
    }

    @Test(
        "a full disk: what failed is in the list and the findings, and written down when there is room",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func fullDisk() throws {
        let root = try TemporaryFolder("store_full")
        try Shell.sh("mount -t tmpfs -o size=8m none '\(root.path)'")
        defer { _ = try? Shell.sh("umount -l '\(root.path)'") }
        let live = try ServiceFixture("store_full", settings: ["BACKUP_DIR": root.path.string])
        _ = try live.backup()
        _ = try? Shell.sh("cat /dev/zero > '\(root.path)/filler' 2>&1")
        let record = try schedule(live)
        #expect(try live.task(record.id)["status"] as? String == "failed")
        #expect(try checks(live)["last_backup"] == false)
        try Directory.remove(root.path.appending("filler"))
        live.service.tasks.heal()
        #expect(try TaskStore(in: live.service.operations.folder.state, log: .silent).get(record.id)?.status == .failed)
        #expect(try live.task(schedule(live).id)["status"] as? String == "completed")
    }

    @Test("`backup --scheduled` makes one when it is due, and says so when not; a folder that is away is told of")
    func fromCron() throws {
        let server = try MailServer()
        let live = try ServiceFixture(
            "cron_command",
            settings: [
                "BACKUP_SCHEDULE": "0 2 * * *", "BACKUP_EMAIL": "ops@company.com", "SMTP_URL": server.url,
                "SMTP_FROM": "backup@company.com",
            ])
        let notDue = try live.command(["backup", "--scheduled"])
        #expect(notDue.exit == .code(0) && notDue.output.contains("No backup is due now"), "\(notDue)")
        let state = live.service.operations.folder.state
        try Shell.sh("touch -d '3 days ago' '\(state)/first-use'")
        #expect(try live.command(["schedule", "--missed"]).exit == .code(0))
        let made = try live.command(["backup", "--scheduled", "--quiet"])
        #expect(made.exit == .code(0), "\(made)")
        #expect(try live.service.operations.catalogue.items().count == 1)
        #expect(try live.command(["schedule", "--missed"]).exit == .code(3))
        #expect(try live.command(["backup", "--scheduled"]).output.contains("No backup is due now"))

        try Shell.sh("mv '\(live.root.path)/backups' '\(live.root.path)/elsewhere'")
        #expect(try live.command(["backup", "--scheduled"]).exit == .code(1))
        #expect(try server.message(to: "ops@company.com").subject?.contains("Backup failed") == true)
        #expect(try FileStatus.ifPresent(live.root.path.appending("backups")) == nil)
        try Shell.sh("mv '\(live.root.path)/elsewhere' '\(live.root.path)/backups'")
    }
}
