// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import Service
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Dates and numbers that nobody means, as health, schedule and tasks show them", .besideThePool)
struct StrangeNumberTests {
    /// A second backup, verified and dated 2099, as a clock that was ahead made it.
    private func makeOneAhead(of made: String, _ live: ServiceFixture) throws {
        let folder = BackupFolder(live.root.path.appending("backups"))
        let name = "mlflow_backup_20990101_020000.tar.gz"
        try Shell.sh("cp '\(folder.path)/\(made)' '\(folder.path)/\(name)'")
        var sidecar = try #require(try Catalogue(folder).item(named: made).sidecar)
        sidecar.name = name
        sidecar.createdAt = try #require(LocalTime(stamp: "20990101_020000")).epoch
        try sidecar.write(in: folder)
        #expect(try Catalogue(folder).items().first?.name.string == name)
        #expect(try Catalogue(folder).items().first?.status == .completed)
    }

    private func isDue(_ decision: ScheduledRun.Decision) -> Bool { if case .due = decision { true } else { false } }

    private func checks(_ live: ServiceFixture) throws -> [String: Bool] {
        try #require(try live.send("GET", "/health").object()["checks"] as? [String: Bool])
    }

    @Test("S7: a verified backup dated 2099 silences neither catch-up nor the age check")
    func dueBehindTheFuture() throws {
        let live = try ServiceFixture("ahead_due", settings: ["BACKUP_SCHEDULE": "0 2 * * *"])
        let made = try live.backup()
        try makeOneAhead(of: made, live)
        #expect(try checks(live)["last_backup_age"] == true)
        #expect(try live.command(["schedule", "--missed"]).exit == .code(3), "the one of today is there")
        let folder = live.root.path.appending("backups")
        try Directory.remove(folder.appending(made))
        try Shell.sh("touch -d '3 days ago' '\(folder)/.mlflow-backup/first-use'")
        #expect(try checks(live)["last_backup_age"] == false)
        #expect(try live.command(["schedule", "--missed"]).exit == .code(0))
    }

    @Test(
        "S7's kind: nor does one hide that the last backup is suspicious, nor a task dated in the future that it failed"
    )
    func suspiciousBehindTheFuture() throws {
        let live = try ServiceFixture("ahead_suspicious")
        let made = try live.backup()
        try makeOneAhead(of: made, live)
        #expect(try checks(live)["last_backup"] == true)
        let tasks = try TaskStore(in: live.service.operations.folder.state, log: .silent)
        try tasks.insert(
            TaskRecord(
                id: "backup_20990101_020000_12345", kind: .backup, origin: .api,
                message: BilingualText(zh: "失败", en: "failed"), createdAt: LocalTime(epoch: 4_070_908_800),
                status: .failed))
        #expect(try checks(live)["last_backup"] == true, "a task of 2099 says nothing of the last backup")
        try Connection(live.database).execute("delete from runs")
        try Directory.removeTree(live.root.path.appending("artifacts/1"))
        _ = try live.backup()
        #expect(try checks(live)["last_backup"] == false)
    }

    @Test(
        "a first use in the future is one of now: catch-up begins, and no schedule is looked through for ever",
        arguments: ["@4000000000", "@9223372036854775807", "@-9223372036854775808"])
    func firstUse(_ time: String) throws {
        // Of tmpfs, which keeps any time.
        let scratch = try TemporaryFolder("first_use", in: "/dev/shm")
        let folder = BackupFolder(scratch.path)
        try folder.prepare()
        let marker = folder.state.appending("first-use")
        try Shell.sh("touch -d '\(time)' '\(marker)'")
        let live = try ServiceFixture("first_use", settings: ["BACKUP_DIR": folder.path.string])
        let run = ScheduledRun(
            try CronExpression("* * * * *"), of: live.service.operations, since: .now(), log: .silent)
        let isPast = time.hasPrefix("@-")
        #expect(isDue(run.preview()) == isPast)
        #expect(isDue(run.preview(now: LocalTime(epoch: FileTime.now().seconds + 600))))
    }

    @Test("a task store that holds any number is listed, and no progress is more than the whole")
    func tasks() throws {
        let live = try ServiceFixture("strange_tasks")
        try live.recording { tasks in
            for (number, fraction) in [-1, 0.5, 1e308, -.infinity, .infinity].enumerated() {
                for epoch in [Int64.min, .max] {
                    var record = TaskRecord(
                        id: "backup_\(number)_\(epoch)", kind: .backup, origin: .api,
                        message: BilingualText(zh: "任务", en: "task"), createdAt: LocalTime(epoch: epoch),
                        status: .running)
                    record.startedAt = LocalTime(epoch: epoch == .min ? .max : .min)
                    record.completedAt = LocalTime(epoch: epoch)
                    record.warningCount = .min
                    record.progress = .init(
                        phase: BilingualText(zh: "打包", en: "archiving"), fraction: fraction, doneBytes: .max,
                        totalBytes: 0)
                    try tasks.insert(record)
                }
            }
        }
        let answer = try live.send("GET", "/tasks")
        #expect(answer.status == 200)
        let list = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [[String: Any]])
        let percents = list.compactMap { ($0["progress"] as? [String: Any])?["percent"] as? Int }
        #expect(percents.sorted() == [0, 0, 0, 0, 50, 50, 100, 100, 100, 100])
        #expect(try live.send("GET", "/stats").status == 200)
    }

    @Test(
        "numbers at the command line that no range holds are refused by name, with 2",
        arguments: [
            ["backup", "--max-backups", "9223372036854775808"], ["backup", "--keep-days", "-9223372036854775809"],
            ["prune", "--max-backups", "1e308"], ["scrub", "--rate", "9223372036854775807"],
            ["backup", "--wait", "18446744073709551615"], ["backup", "--wait", "nan"],
        ])
    func arguments(_ arguments: [String]) throws {
        let live = try ServiceFixture("strange_arguments")
        #expect(try live.command(arguments).exit == .code(2))
        for index in ["9223372036854775807", "9223372036854775808", "18446744073709551616"] {
            #expect(try live.command(["list", index]).exit == .code(3))
        }
    }

    @Test(
        "a setting with a number that no range holds is refused by name, with 2",
        arguments: [
            "BACKUP_MAX_BACKUPS", "BACKUP_KEEP_DAYS", "BACKUP_FULL_EVERY", "BACKUP_COMPRESSION_LEVEL", "UNDO_KEEP",
            "UNDO_KEEP_SIZE", "POSTGRES_PORT", "BACKUP_API_PORT",
        ])
    func settings(_ name: String) throws {
        let live = try ServiceFixture("strange_settings")
        for value in ["-1", "9223372036854775807", "9223372036854775808", "18446744073709551616T", "1e308", "nan"] {
            let environment = live.settingsEnvironment.merging([name: value]) { $1 }
            let outcome = try ChildProcess(live.program, ["list"], environment: environment).run()
            #expect(outcome.exit == .code(2), "\(name)=\(value): \(outcome.exit) \(outcome.output)")
        }
    }
}
