// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import SystemIO
import TestSupport
import Testing

@testable import Service

@Suite("What nobody was told of", .serialized, .aheadBesideThePool)
struct UntoldTests {
    private func health(_ live: ServiceFixture) throws -> (checks: [String: Bool], text: String) {
        let answer = try live.send("GET", "/health")
        return (try #require(try answer.object()["checks"] as? [String: Bool]), answer.text)
    }

    @Test("the damage of an earlier backup is a finding, though the newest one is well, until that one is gone")
    func damaged() throws {
        let live = try ServiceFixture("untold_damaged")
        let first = try live.backup()
        try live.root.write("artifacts/1/run1/artifacts/other.bin", [UInt8](repeating: 9, count: 5000))
        let folder = live.service.operations.folder.path
        try Shell.sh("printf 'damaged!' | dd of='\(folder.appending(first))' bs=1 seek=2000 conv=notrunc status=none")
        _ = try live.task(live.send("POST", "/backups/\(first)/verify").string("task_id"))
        let second = try live.backup()
        #expect(second != first)
        live.lookAgain()
        let found = try health(live)
        #expect(found.checks["damaged_backups"] == false && found.text.contains(first), "\(found)")
        #expect(found.checks["last_backup"] == true)
        #expect(try live.send("DELETE", "/backups/\(first)").status == 200)
        live.lookAgain()
        #expect(try health(live).checks["damaged_backups"] == true)
    }

    @Test("while the backup folder is away nobody is told that what is in it is well again")
    func folderAway() throws {
        let live = try ServiceFixture("untold_away")
        let name = try live.backup()
        let folder = live.service.operations.folder.path
        try Shell.sh("printf 'damaged!' | dd of='\(folder.appending(name))' bs=1 seek=2000 conv=notrunc status=none")
        _ = try live.task(live.send("POST", "/backups/\(name)/verify").string("task_id"))
        var book = AlarmBook()
        func tellings(after minutes: Int64) throws -> [AlarmBook.Telling] {
            live.service.status.lookAtHealth()
            let seen = live.service.status.faults()
            return book.note(seen.faults, looked: seen.looked, now: 1_790_000_000 + minutes * 60)
        }
        _ = try tellings(after: 0)
        #expect(try tellings(after: 11).contains { $0.check == "damaged_backups" && $0.kind == .begins })
        let aside = live.root.path.appending("aside")
        try Directory.rename(folder, to: aside)
        for minutes in [12, 24, 48] {
            let told = try tellings(after: Int64(minutes))
            #expect(!told.contains { $0.kind == .over }, "\(told)")
        }
        let unseen: Set = ["damaged_backups", "last_backup", "last_backup_age", "schedule", "disk_space", "kept_parts"]
        let looked = live.service.status.faults().looked
        #expect(looked.isDisjoint(with: unseen) && looked.contains("database"), "\(looked)")
        try Directory.rename(aside, to: folder)
        #expect(try tellings(after: 60).isEmpty)
        #expect(live.service.status.faults().looked.isSuperset(of: unseen))
    }

    @Test("who is to get mails and no server to send them is known before the first failure")
    func noServer() throws {
        let live = try ServiceFixture("untold_mail", settings: ["BACKUP_EMAIL": "ops@company.com"])
        let found = try health(live)
        #expect(found.checks["notices"] == false && found.text.contains("SMTP_URL"), "\(found)")
        #expect(try live.command(["doctor"]).output.contains("SMTP_URL"))
    }

    @Test(
        "our folder is taken out of the backup folder while the service runs: it is made anew, and records are kept again"
    )
    func stateGone() throws {
        let live = try ServiceFixture("untold_state")
        let name = try live.backup()
        let state = live.service.operations.folder.state
        try Directory.rename(state, to: live.root.path.appending("aside"))
        live.service.settleOrphans(isFirst: false)
        live.service.settleOrphans(isFirst: false)
        #expect(try FileStatus.ifPresent(state.appending(TaskStore.fileName)) != nil)
        #expect(try health(live).checks["task_records"] == true)
        #expect(try live.send("GET", "/tasks").status == 200)
        let task = try live.send("POST", "/backups").string("task_id")
        #expect(try live.task(task)["status"] as? String == "completed")
        #expect(try TaskStore(in: state, log: .silent).get(task)?.status == .completed)
        #expect(try live.service.operations.catalogue.items().contains { $0.name.string == name })
    }

    @Test("a service that began on a folder that could only be read keeps its records when that can be written to")
    func writableLater() throws {
        let live = try ServiceFixture("untold_ro")
        let folder = live.root.path.appending("backups")
        try ReadOnlyMount.make(over: folder)
        var isMounted = true
        defer { if isMounted { _ = try? Shell.sh("umount '\(folder)'") } }
        let same = ["BACKUP_DIR", "ARTIFACTS_DIR", "POSTGRES_DB"]
        let service = try ServiceFixture(
            "untold_ro_second", settings: live.settingsEnvironment.filter { same.contains($0.key) })
        #expect(try service.send("GET", "/tasks").status == 200)
        try Shell.sh("umount '\(folder)'")
        isMounted = false
        service.service.settleOrphans(isFirst: false)
        let task = try service.send("POST", "/backups").string("task_id")
        #expect(try service.task(task)["status"] as? String == "completed")
        let state = service.service.operations.folder.state
        #expect(try TaskStore(in: state, log: .silent).get(task)?.status == .completed)
    }

    @Test("a zone in the file of settings is the zone of the schedule")
    func zone() throws {
        let live = try ServiceFixture("untold_zone")
        let file = live.root.path.appending("user.env")
        /// What the clock there shows: the schedule's next run is the next minute.
        func minute(_ zone: String) throws -> Int {
            try DurableFile.replace(file, with: Array("TZ=\(zone)\n".utf8))
            let outcome = try live.command(
                ["schedule", "--env-file", file.string, "--backup-schedule", "* * * * *"])
            let text = outcome.output + outcome.errors
            let time = try #require(text.firstMatch(of: /T\d\d:(\d\d):00/), "\(text)")
            return try #require(Int(time.1))
        }
        // Kathmandu is five hours and three quarters ahead.
        let (kathmandu, utc) = (try minute("Asia/Kathmandu"), try minute("UTC"))
        #expect([44, 45, 46].contains((kathmandu - utc + 60) % 60), "\(kathmandu) \(utc)")
    }
}
