// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Postgres
import Service
import SystemIO
import TestSupport
import Testing

@Suite("A backup that lacks artifacts which its database names is partial, and never completed")
struct PartialTests {
    private func bucket(_ live: ServiceFixture, _ location: String) throws {
        let connection = try Connection(live.database)
        try connection.execute("alter table experiments add column if not exists artifact_location text")
        try connection.execute("update experiments set artifact_location = \(location)")
    }

    @Test("at the command line it ends with 9, its list says why, and so do doctor and a dry run")
    func commandLine() throws {
        let live = try ServiceFixture("partial_cli")
        #expect(try live.command(["backup", "--quiet"]).exit == .code(0))
        try bucket(live, "s3://key:hush@bucket/ml/0")
        for command in [["doctor"], ["backup", "--dry-run"]] {
            let outcome = try live.command(command)
            #expect(outcome.exit == .code(9), "\(command): \(outcome.exit) \(outcome.errors)")
            #expect(outcome.output.contains("s3://bucket/ml"), "\(outcome.output)")
            #expect(!outcome.output.contains("All is well") && !outcome.output.contains("hush"))
        }
        let dry = try live.command(["doctor", "--json"])
        #expect(dry.exit == .code(9) && dry.output.contains(#""partial" : true"#), "\(dry.output)")
        for _ in 0..<2 {
            let outcome = try live.command(["backup"])
            #expect(outcome.exit == .code(9), "\(outcome.errors)")
            #expect(outcome.output.contains("s3://bucket/ml (1 experiment)"), "\(outcome.output)")
        }
        let list = try live.command(["list"]).output.split(separator: "\n").map(String.init)
        #expect(list.count == 4 && list[1].contains("partial") && list[2].contains("partial"))
        #expect(list.last?.contains("completed") == true, "\(list)")
    }

    @Test("doctor names each store, covered or not, with the line that mends it, and is content with that line")
    func stores() throws {
        let live = try ServiceFixture("partial_stores")
        let stack = live.service.operations.stack
        let nas = stack.artifacts.parent.appending("my-nas")
        try Directory.make(nas.appending("7"))
        try bucket(live, "s3://bucket/ml/0")
        try Connection(live.database).execute(
            "insert into experiments (experiment_id, name, artifact_location) values (7, 'nas', \("\(nas)/7"))")
        let doctor = try live.command(["doctor"])
        let lines = doctor.output.split(separator: "\n").map(String.init)
        func line(_ words: String...) -> Bool { lines.contains { line in words.allSatisfy(line.contains) } }
        #expect(doctor.exit == .code(9))
        #expect(
            line("database \(live.database.database)@", "PostgreSQL 1", "pg_dump 1", "schema public", "in backups"),
            "\(lines)")
        #expect(line("artifacts \(stack.artifacts)", ": in backups"), "\(lines)")
        #expect(line("artifacts s3://bucket/ml", "not in backups", "ARTIFACT_ROOTS_IGNORED=s3://bucket/ml"), "\(lines)")
        let json = try live.command(["doctor", "--json"]).output
        #expect(json.contains(#""covered" : false"#) && json.contains(#""kind" : "database""#), "\(json)")
        let mended = try live.command([
            "doctor", "--artifact-roots", "nas=\(nas)", "--artifact-roots-ignored", "s3://bucket/ml",
        ])
        #expect(mended.exit == .code(0), "\(mended.output)\(mended.errors)")
        #expect(mended.output.contains("artifacts nas=\(nas): in backups"), "\(mended.output)")
    }

    @Test("a place that a person keeps himself makes none partial; one that is no place is refused")
    func ignored() throws {
        let live = try ServiceFixture("partial_ignored")
        try bucket(live, "s3://bucket/ml/0")
        let flag = "--artifact-roots-ignored"
        #expect(try live.command(["backup", flag, "s3://bucket/other"]).exit == .code(9))
        #expect(try live.command(["backup", flag, "/mnt/nas s3://bucket/ml"]).exit == .code(0))
        #expect(try live.command(["doctor", flag, "s3://bucket"]).exit == .code(0))
        let refused = try live.command(["backup", flag, "bucket/ml"])
        #expect(refused.exit == .code(2) && refused.errors.contains("ARTIFACT_ROOTS_IGNORED"), "\(refused.errors)")
    }

    @Test(
        "over HTTP its task is completed with the places in its words, its status is partial, and /health says it until it is over"
    )
    func service() throws {
        let live = try ServiceFixture("partial_http")
        let whole = try live.backup()
        try bucket(live, "s3://bucket/ml/0")
        let record = try live.task(live.send("POST", "/backups").string("task_id"))
        #expect(record["status"] as? String == "completed")
        #expect((record["message"] as? String)?.contains("is partial") == true, "\(record)")
        let name = try #require(record["backup_name"] as? String)
        func status(_ name: String) throws -> [String: Any] {
            let list =
                try JSONSerialization.jsonObject(with: Data(live.send("GET", "/backups").body)) as? [[String: Any]]
            return try #require(list?.first { $0["name"] as? String == name })
        }
        #expect(try status(name)["status"] as? String == "partial")
        #expect(try status(name)["lacks"] as? [String] == ["s3://bucket/ml/0"])
        #expect(try status(whole)["status"] as? String == "completed")
        let health = try live.send("GET", "/health")
        #expect(try (health.object()["checks"] as? [String: Bool])?["last_backup"] == false, "\(health.text)")
        #expect(health.text.contains("\(name) is partial: it has no artifacts of s3://bucket/ml/0"), "\(health.text)")
        try bucket(live, "mlflow-artifacts:/0")
        _ = try live.backup()
        let after = try live.send("GET", "/health")
        #expect(try (after.object()["checks"] as? [String: Bool])?["last_backup"] == true, "\(after.text)")
    }
}
