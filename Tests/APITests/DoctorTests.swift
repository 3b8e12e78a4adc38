// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

@Suite("What doctor says beside whether a backup can be made")
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
        #expect(health.text.contains(words), "\(health.text)")
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

    @Test("A damaged backup is told by doctor, and verify ends with 6 for one that lacks a part")
    func damaged() throws {
        let live = try ServiceFixture("doctor_damaged")
        #expect(try live.command(["backup", "--no-compress"]).exit == .code(0))
        let item = try #require(try live.service.operations.catalogue.items().first)
        #expect(try !live.command(["doctor"]).output.contains("damaged"))
        try Directory.remove(item.path.appending("manifest.json"))
        let doctor = try live.command(["doctor"])
        #expect(doctor.exit == .code(0) && doctor.output.contains("manifest.json"), "\(doctor.output)\(doctor.errors)")
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
