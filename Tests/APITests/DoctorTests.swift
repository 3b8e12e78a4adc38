// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Glibc
import Postgres
import Service
import SystemIO
import TestSupport
import Testing

@Suite("What doctor says beside whether a backup can be made", .onItsOwnThread)
struct DoctorTests {
    @Test("The lost mark of the artifacts folder is told by doctor and by /health, until claim has written it again")
    func lostMark() throws {
        let live = try ServiceFixture("doctor_mark")
        _ = try live.backup()
        let mark = live.service.operations.stack.artifacts.appending(".mlflow-backup-stack")
        #expect(try !live.command(["doctor"]).output.contains(mark.string))
        try Directory.remove(mark)
        let doctor = try live.command(["doctor"])
        #expect(doctor.exit == .code(0) && doctor.output.contains(mark.string), "\(doctor.output)\(doctor.errors)")
        #expect(try live.send("GET", "/health").text.contains(mark.string))
        #expect(try live.command(["claim"]).exit == .code(0))
        #expect(try !live.command(["doctor"]).output.contains(mark.string))
    }

    private func expectUnsettled(_ live: ServiceFixture, _ words: String) throws {
        let doctor = try live.command(["doctor"])
        #expect(doctor.exit == .code(1), "\(doctor.output)\(doctor.errors)")
        #expect(doctor.errors.contains(words) && !doctor.output.contains("All is well"), "\(doctor.errors)")
        let health = try live.send("GET", "/health")
        #expect(health.status == 503 && health.text.contains(words), "\(health.text)")
        let dry = try live.command(["backup", "--dry-run"])
        #expect(dry.exit == .code(1) && dry.errors.contains(words), "\(dry.output)\(dry.errors)")
    }

    @Test(
        "A restore journal that nobody can read keeps every backup from being made: doctor and /health say which",
        arguments: [true, false])
    func unreadableJournal(isFile: Bool) throws {
        let live = try ServiceFixture("doctor_journal_\(isFile)")
        _ = try live.backup()
        let journal = live.service.operations.folder.state.appending(
            "restore-journal-20260101_000000_0123456789abcdef.json")
        if isFile { try DurableFile.replace(journal, with: Array("{".utf8)) } else { try Directory.make(journal) }
        try expectUnsettled(live, journal.string)
        #expect(try live.command(["backup"]).exit == .code(1))
        let posted = try live.send("POST", "/backups")
        #expect(try posted.status == 503 && posted.string("code") == "needs-recovery", "\(posted.text)")
        // Whoever holds the lock may be the restore whose journal that is.
        let meanwhile = try live.holdingTheFolder { try live.command(["doctor"]) }
        #expect(meanwhile.exit == .code(0), "\(meanwhile.errors)")
        try Directory.removeTree(journal)
        #expect(try live.command(["doctor"]).exit == .code(0))
    }

    @Test(
        "A restore that was interrupted and is not settled yet is told by doctor and /health; the next operation settles it"
    )
    func interrupted() throws {
        let live = try ServiceFixture("doctor_interrupted")
        let name = try live.backup()
        let journal = """
            {"backup":"\(name)","mode":"artifacts","stage":"preparing","liveDatabase":"\(live.database.database)",
            "newDatabase":"\(live.database.database)_restore_1","oldDatabase":"\(live.database.database)_before_1","hadDatabase":false,
            "artifacts":[\(live.service.operations.stack.artifacts.bytes.map { "\($0)" }.joined(separator: ","))]}
            """
        try DurableFile.replace(live.service.operations.folder.restoreJournal, with: Array(journal.utf8))
        try expectUnsettled(live, "mlflow-backup recover")
        #expect(try live.command(["recover"]).exit == .code(0))
        #expect(try live.command(["doctor"]).exit == .code(0))
    }

    @Test(
        "Another service's interrupted restore, whose journal is not here, is told by whoever looks; its journal comes back, and all is well"
    )
    func journalElsewhere() throws {
        let live = try ServiceFixture("doctor_elsewhere")
        _ = try live.backup()
        let own = live.service.operations.stack.artifacts.appending(".mlflow-backup-restore")
        try Shell.sh("mkdir -p -m 700 '\(own)/work-20260101_000000_0123456789abcdef' && chmod 700 '\(own)'")
        try expectUnsettled(live, "its journal is not in")
        #expect(try live.send("POST", "/backups").status == 503)
        #expect(try live.command(["backup"]).exit == .code(1))
        try Directory.removeTree(own)
        #expect(try live.command(["doctor"]).exit == .code(0))
    }

    @Test("doctor and a dry run make nothing; what is emptied is said by both, by /health, and by the backup")
    func nothingMade() throws {
        let live = try ServiceFixture("doctor_new")
        let new = live.root.path.appending("new/folder")
        for command in [["doctor"], ["backup", "--dry-run"], ["prune", "--dry-run"]] {
            let outcome = try live.command(command + ["--backup-dir", new.string])
            #expect(outcome.exit == .code(0), "\(command): \(outcome.errors)")
            #expect(try FileStatus.ifPresent(new.parent) == nil, "\(command)")
        }
        let artifacts = live.service.operations.stack.artifacts
        _ = try live.backup()
        // A record that nobody can read keeps no backup from being made.
        let record = live.service.operations.folder.state.appending("kept-20260101_000000_0123456789abcdef.json")
        try DurableFile.replace(record, with: Array("{".utf8))
        #expect(try live.command(["backup", "--dry-run"]).exit == .code(0))
        #expect(try live.command(["doctor"]).exit == .code(0))
        try Directory.remove(record)

        try Shell.sh("rm -r '\(artifacts)'/1 '\(artifacts)/.mlflow-backup-stack'")
        for command in [["doctor"], ["backup", "--dry-run"]] {
            let outcome = try live.command(command)
            #expect(outcome.exit == .code(8), "\(command): \(outcome.exit) \(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("would be suspicious"), "\(command): \(outcome.output)")
        }
        let health = try live.send("GET", "/health")
        #expect(try (health.object()["checks"] as? [String: Bool])?["artifacts"] == false, "\(health.text)")
        #expect(health.text.contains("would be suspicious"), "\(health.text)")
        #expect(try live.command(["backup"]).exit == .code(8))
    }

    @Test(
        "A service whose backup folder's disk is full starts, says so and is not healthy; so does one whose task records are another's",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func fullDisk() throws {
        let (root, scripts) = (try TemporaryFolder("doctor_full"), try TemporaryFolder("doctor_scripts"))
        for name in ["backup_mlflow.sh", "restore_mlflow_backup.sh"] { try scripts.write(name, "", mode: 0o755) }
        try Shell.sh("mount -t tmpfs -o size=1m none '\(root.path)'")
        defer { _ = try? Shell.sh("umount -l '\(root.path)'") }
        let live = try ServiceFixture(
            "doctor_full", settings: ["BACKUP_DIR": root.path.string, "BACKUP_SCRIPTS_DIR": scripts.path.string]
        ) { _, _ in
            try BackupFolder(root.path).prepare()
            _ = try? Shell.sh("cat /dev/zero > '\(root.path)/filler' 2>&1")
        }
        let health = try live.send("GET", "/health")
        let checks = try health.object()["checks"] as? [String: Bool]
        let bad = checks?.filter { !$0.value }.keys.sorted()
        #expect(bad == ["disk_space", "docker", "task_records"], "\(health.text)")
        #expect(try health.status == 503 && health.string("status") == "unhealthy", "\(health.text)")
        #expect(try live.send("GET", "/tasks").status == 200)
        #expect(try live.send("POST", "/backups").status == 507)

        let other = try ServiceFixture("doctor_newer") { folder, _ in
            try Directory.make(folder.state.appending("tasks.sqlite.lock"))
        }
        #expect(try (other.send("GET", "/health").object()["checks"] as? [String: Bool])?["task_records"] == false)
        _ = try other.backup()
    }

    @Test("A damaged backup is told by doctor, and verify ends with 6 for one that lacks a part")
    func damaged() throws {
        let live = try ServiceFixture("doctor_damaged")
        #expect(try live.command(["backup", "--no-compress"]).exit == .code(0))
        let item = try #require(try live.service.operations.catalogue.items().first)
        #expect(try !live.command(["doctor"]).output.contains("are damaged"))
        try Directory.remove(item.path.appending("manifest.json"))
        let doctor = try live.command(["doctor"])
        #expect(doctor.exit == .code(0) && doctor.output.contains("manifest.json"), "\(doctor.output)\(doctor.errors)")
        live.lookAgain()
        #expect(try live.send("GET", "/backups").text.contains("corrupt"))
        #expect(try live.command(["list"]).output.contains(item.name.string))
        #expect(try live.command(["verify", "--all"]).exit == .code(6))
    }

    @Test("doctor and a dry run say everything that they find, and end with the code of the first")
    func everything() throws {
        let live = try ServiceFixture("doctor_all", settings: ["PG_BIN_DIR": "/nowhere"])
        let artifacts = live.service.operations.stack.artifacts
        try Shell.sh("mv '\(artifacts)' '\(artifacts)-away'")
        for command in [["doctor"], ["backup", "--dry-run"]] {
            let text = try live.command(command)
            #expect(text.exit == .code(1), "\(text.errors)")
            #expect(
                text.errors.contains(artifacts.string) && text.output.contains("pg_dump"),
                "\(text.output)\(text.errors)")
            let answer = try live.command(command + ["--json"])
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
            let codes = (report["obstacles"] as? [[String: String]])?.compactMap { $0["code"] }
            #expect(codes?.first == "artifacts-missing" && codes?.count == 2, "\(answer.output)")
            #expect(report["ready"] as? Bool == false && answer.exit == .code(1))
        }
        try Shell.sh("mv '\(artifacts)-away' '\(artifacts)'")
        let health = try live.send("GET", "/health")
        #expect(health.status == 503 && health.text.contains("pg_dump"), "\(health.text)")
    }

    @Test("What lies in the place of an archive is not handed out")
    func download() throws {
        let live = try ServiceFixture("doctor_download")
        let name = try live.backup()
        let path = live.service.operations.folder.path.appending(name)
        for command in ["mkfifo", "mkdir", "ln -s /etc/passwd"] {
            try Shell.sh("rm -rf '\(path)' && \(command) '\(path)'")
            let answer = try live.send("GET", "/backups/\(name)/download")
            #expect(answer.status == 409 && answer.text.contains("marked-corrupt"), "\(answer.status) \(answer.text)")
        }
    }
}
