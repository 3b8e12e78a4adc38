// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("An MLflow on SQLite, and what its database says", .besideThePool)
struct SQLiteAnswerTests {
    @Test(
        "An older schema is upgraded in the restored file, by the program that the settings name, and the undo leads back"
    )
    func upgraded() throws {
        let live = try SQLiteStack("upgraded")
        let made = try live.backup()
        try live.run("UPDATE alembic_version SET version_num = 'ec0ad1e9d4f7'")
        try live.run("CREATE TABLE newer (a INTEGER)")
        let before = try live.rows()
        let program = live.root.path.appending("upgrade")
        func job(_ lines: String) throws -> RestoreJob {
            try DurableFile.replace(program, with: Array("#!/bin/sh\n\(lines)\n".utf8), mode: 0o700)
            return RestoreJob(
                try live.workspace(), options: .init(force: true, upgrade: .init(program: program)))
        }
        let failed = try #require(throws: BackupError.self) { try job("echo no way; exit 3").run(made.name.string) }
        #expect(failed.bilingual.english.contains("no way"), "\(failed)")
        #expect(try live.rows() == before)
        try live.expectNothingLeftBehind()
        _ = try job(
            """
            exec python3 -c "import os, sqlite3; d = sqlite3.connect(os.environ['DATABASE_UPGRADE_URI'][10:]); \
            d.executescript(\\"UPDATE alembic_version SET version_num = 'ec0ad1e9d4f7'; CREATE TABLE newer (a INTEGER)\\")"
            """
        ).run(made.name.string)
        #expect(try live.stack().database.revision() == "ec0ad1e9d4f7")
        try live.undo()
        #expect(try live.rows() == before)
        try live.expectNothingLeftBehind()
    }

    @Test("Places, keys and files that its rows speak of are read as PostgreSQL's are")
    func places() throws {
        let live = try SQLiteStack("places")
        for statement in [
            "UPDATE experiments SET artifact_location = 's3://bucket/one' WHERE experiment_id = 1",
            "CREATE TABLE webhooks (webhook_id TEXT, secret TEXT, deleted_timestamp BIGINT, creation_timestamp BIGINT)",
            "INSERT INTO webhooks VALUES ('a', 'sealed', NULL, 1), ('b', 'gone', 5, 2)",
            "CREATE TABLE model_versions (name TEXT, version INTEGER, source TEXT, run_id TEXT, current_stage TEXT)",
        ] { try live.run(statement) }
        let id = String(repeating: "0123456789abcdef", count: 2)
        try live.run(
            "INSERT INTO model_versions VALUES ('m', 1, ?, 'run1', 'None')",
            [.text("/mnt/models/\(id)/artifacts/model")])
        let made = try live.backup()
        let elsewhere = try #require(made.manifest.elsewhere)
        #expect(Set(elsewhere.places.map(\.place)) == ["s3://bucket/one", "/mnt/models"])
        #expect(elsewhere.webhookSecrets == 1)
        #expect(made.manifest.lack?.isNothing == false)
        guard case .webhook("sealed") = try live.stack().database.sealedRow(.webhook, atMost: 5) else {
            Issue.record("not the newest that is left")
            return
        }
    }

    @Test("doctor's view names the file, its journal and its schema; what is missing is an obstacle")
    func facts() throws {
        let live = try SQLiteStack("facts", wal: true)
        let store = try live.stack().database
        let facts = try #require(store.facts())
        #expect(facts.isMLflows && facts.name == live.database.string)
        #expect(facts.facts.contains("journal wal") && facts.facts.contains("alembic dc11669786a5"))
        var findings = Findings()
        let measure = try #require(store.check(holding: nil, isHasty: true, &findings))
        #expect(findings.obstacles.isEmpty && measure.tables > 0 && measure.files == 1)
        try Directory.remove(live.database)
        var others = Findings()
        #expect(store.check(holding: nil, isHasty: true, &others) == nil)
        let isMissing = others.obstacles.contains { $0.isMissingDatabase }
        #expect(isMissing)
    }
}
