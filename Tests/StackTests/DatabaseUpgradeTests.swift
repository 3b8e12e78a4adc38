// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing

/// A backup of an older MLflow, forced into a newer one's stack: what is put in place is what the newer server expects.
@Suite(
    "A restored database is upgraded before it is put in place", .serialized, .aheadBesideThePool,
    .enabled(if: !MLflowRelease.here.isEmpty, "MLFLOW_TEST_VERSIONS is not set: run scripts/test"))
struct DatabaseUpgradeTests {
    /// As `scripts/up` writes it.
    private func program(of release: MLflowRelease, _ folder: TemporaryFolder) throws -> [String: String] {
        let script = TestStack.repository.appending("scripts/upgrade_database.py")
        return try program("exec '\(release.python)' -I '\(script)'", folder)
    }

    private func program(_ lines: String, _ folder: TemporaryFolder) throws -> [String: String] {
        let file = folder.path.appending("upgrade-database")
        try DurableFile.replace(file, with: Array("#!/bin/sh\n\(lines)\n".utf8), mode: 0o700)
        return ["DATABASE_UPGRADE_PROGRAM": file.string]
    }

    /// What 2.16's client wrote, as it reads it, and its backup.
    private func oldBackup(_ release: MLflowRelease) throws -> (
        reading: String, archive: FilePath, stack: VersionedStack
    ) {
        let stack = try VersionedStack(release, on: .shared, "old")
        try stack.client("fill")
        let reading = try stack.client("read")
        let archive = try stack.backup()
        stack.stop()
        return (reading, archive, stack)
    }

    private func databases(_ stack: VersionedStack) throws -> [String] {
        try Databases(stack.database).names(withPrefix: "\(stack.database.database)_")
    }

    @Test(
        "into the newest: the server answers, both clients read what was written, it goes on, and the undo leads back",
        arguments: MLflowRelease.here.dropLast())
    func upgraded(_ older: MLflowRelease) throws {
        let newer = try MLflowRelease.oldAndNew().new
        let (before, archive, old) = try oldBackup(older)
        defer { withExtendedLifetime(old) {} }
        let stack = try VersionedStack(newer, on: .shared, "new")
        try stack.client("fill")
        let replaced = try stack.client("read")
        let head = try stack.revision()
        let settings = try program(of: newer, stack.root)

        let refused = try stack.command(["restore", archive.string], settings)
        #expect(refused.exit == .code(5) && refused.errors.contains("upgrades"), "\(refused.errors)")
        #expect(differences(replaced, try stack.client("read")) == [])

        let outcome = try stack.command(["restore", "--force", archive.string], settings)
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        #expect(
            !"\(outcome.output)\(outcome.errors)".contains("mlflow db upgrade DATABASE-URI"),
            "nothing is left to be done")
        #expect(try stack.revision() == head)
        // A client of 2.16 reads what it wrote from the new server, which serves on without a restart.
        #expect(differences(before, try stack.client("read", of: older)) == [])
        let reading = try stack.client("read")
        #expect(reading.contains("first 实验") && reading.contains("iris"))
        // Then with a start of the server: it finds its own schema.
        stack.stop()
        try stack.start()
        #expect(differences(reading, try stack.client("read")) == [])
        try stack.client("more")
        _ = try stack.backup()

        let undone = try stack.command(["restore", "--undo", "--force"], settings)
        #expect(undone.succeeded, "\(undone.errors)")
        #expect(try stack.revision() == head)
        #expect(differences(replaced, try stack.client("read")) == [])
    }

    @Test("a stack of scripts/up does so by itself, asked through the API")
    func ofScriptsUp() throws {
        let (before, archive, old) = try oldBackup(MLflowRelease.oldAndNew().old)
        let stack = try TestStack("older-backup")
        try Shell.run("/bin/cp", [archive.string, stack.backups.string])
        let name = String(decoding: archive.lastComponent, as: UTF8.self)
        let accepted = try Curl.post("\(stack.backupURL)/restore", "{\"backup_name\": \"\(name)\", \"force\": true}")
        #expect(accepted.status == 202, "\(accepted.text)")
        let task = try stack.finished(accepted.string("task_id"))
        #expect(task["status"] as? String == "completed", "\(task)")
        #expect(differences(before, try old.client("read", at: stack.mlflowURL)) == [])
    }

    @Test("a backup of the newest is refused by an older stack whatever is forced, with the version to install")
    func newer() throws {
        let (older, newer) = try MLflowRelease.oldAndNew()
        let source = try VersionedStack(newer, on: .shared, "source")
        let archive = try source.backup()
        let version = try Shell.run(
            newer.python, ["-c", "import importlib.metadata as m; print(m.version('mlflow'))"]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        let stack = try VersionedStack(older, on: .shared, "older")
        let before = try stack.client("read")
        for force in [[], ["--force"]] {
            let refused = try stack.command(["restore"] + force + [archive.string], try program("exit 0", stack.root))
            #expect(refused.exit == .code(1) && refused.errors.contains("MLflow \(version)"), "\(refused.errors)")
        }
        #expect(differences(before, try stack.client("read")) == [])
    }

    @Test("an upgrade that fails changes nothing, leaves nothing, and says why without the password")
    func failing() throws {
        let (older, newer) = try MLflowRelease.oldAndNew()
        let (_, archive, old) = try oldBackup(older)
        defer { withExtendedLifetime(old) {} }
        let stack = try VersionedStack(newer, on: .shared, "failing")
        try stack.client("fill")
        let before = try stack.client("read")
        let kept = try databases(stack)

        let tries = [
            (
                "echo \"cannot reach $PGUSER:$(sed 's/^[*:]*//; s/\\\\\\(.\\)/\\1/g' \"$PGPASSFILE\")@$PGHOST\" >&2; exit 7",
                "cannot reach \(stack.database.user):***@", "exit status 7"
            ),
            ("exit 0", "could not", "the schema is \(try old.revision()) after it"),
            ("kill -9 $$", "could not", "killed by signal 9"),
        ]
        for (lines, said, ended) in tries {
            let outcome = try stack.command(
                ["restore", "--force", "--no-backup", archive.string], try program(lines, stack.root))
            #expect(outcome.exit == .code(1), "\(outcome.errors)")
            let words = outcome.output + outcome.errors
            #expect(
                words.contains(said) && words.contains(ended) && words.contains("could not be upgraded"), "\(words)")
            #expect(!words.contains(stack.database.password.revealed), "\(words)")
            #expect(try databases(stack) == kept, "no database stays behind")
        }
        let missing = try stack.command(
            ["restore", "--force", "--no-backup", archive.string], ["DATABASE_UPGRADE_PROGRAM": "/nowhere/upgrade"])
        #expect(missing.exit == .code(1) && missing.errors.contains("/nowhere/upgrade"), "\(missing.errors)")
        let doctor = try stack.command(["doctor"], ["DATABASE_UPGRADE_PROGRAM": "/nowhere/upgrade"])
        #expect(doctor.succeeded && doctor.output.contains("/nowhere/upgrade"), "\(doctor.output)")
        #expect(differences(before, try stack.client("read")) == [])

        // Without one it is as it was before there was one: restored as it is, and the command told.
        let plain = try stack.command(
            ["restore", "--force", "--no-backup", archive.string], ["MLFLOW_UPGRADE_COMMAND": "upgrade it like this"])
        #expect(plain.succeeded && "\(plain.output)\(plain.errors)".contains("upgrade it like this"), "\(plain.errors)")
        #expect(try stack.revision() == old.revision())
    }

    @Test("an upgrade that hangs is ended with the restore, with all that it began, and nothing is changed")
    func hanging() throws {
        let (older, newer) = try MLflowRelease.oldAndNew()
        let (_, archive, old) = try oldBackup(older)
        defer { withExtendedLifetime(old) {} }
        let stack = try VersionedStack(newer, on: .shared, "hanging")
        try stack.client("fill")
        let before = try stack.client("read")
        let kept = try databases(stack)
        let began = stack.root.path.appending("began")
        let psql = stack.server.binDirectory.appending("psql")
        let settings = try program(
            "'\(psql)' -Xqc 'create table half_done (i int)' && echo $$ >'\(began)'\nexec '\(psql)' -Xqc 'select pg_sleep(600)'",
            stack.root)
        let cancellation = Cancellation()
        let watcher = try WorkerThread("watcher") {
            try? Patience.wait("the upgrade to begin", atMost: 120) { try FileStatus.ifPresent(began) != nil }
            cancellation.cancel()
        }
        #expect(throws: CancelledError.self) {
            let ended = try stack.command(
                ["restore", "--force", "--no-backup", archive.string], settings, cancellation: cancellation)
            // Our program answers the signal itself, and says how it ended.
            #expect(ended.exit == .code(130), "\(ended.errors)")
            throw CancelledError()
        }
        watcher.join()
        #expect(try FileStatus.ifPresent(began) != nil, "the upgrade had begun")
        #expect(try databases(stack) == kept)
        #expect(differences(before, try stack.client("read")) == [])
    }

    @Test("tables in a schema that only MLflow's URI leads to, of a role that is not ours, are upgraded as that role")
    func elsewhere() throws {
        let (older, newer) = try MLflowRelease.oldAndNew()
        let server = try TemporaryPostgres.shared
        let database = try server.freshDatabase("elsewhere")
        let admin = try Connection(server.superuser.naming(database: database.database))
        defer { admin.close() }
        let role = "owner_\(database.database)"
        try admin.execute("create role \(identifier: role)")
        try admin.execute("grant \(identifier: role) to \(identifier: database.user)")
        try admin.execute("create schema \"My Tables\" authorization \(identifier: role)")
        let folder = try TemporaryFolder("elsewhere")
        let script = TestStack.repository.appending("scripts/upgrade_database.py")
        let way = DatabaseProgram.Way(schema: "My Tables", role: role)
        func run(_ release: MLflowRelease, _ code: String) throws -> (exit: ChildProcess.Exit, lastLines: [String]) {
            let file = folder.path.appending("run")
            try DurableFile.replace(
                file, with: Array("#!/bin/sh\nexec '\(release.python)' -I \(code)\n".utf8), mode: 0o700)
            return try DatabaseProgram(file).run(on: database, by: way, cancellation: Cancellation())
        }
        // Where MLflow has no tables none are made.
        let none = try run(newer, "'\(script)'")
        #expect(none.exit == .code(3), "\(none.lastLines)")
        let made = try run(
            older,
            "-c 'import sqlalchemy; from mlflow.store.db import utils; utils._initialize_tables(sqlalchemy.create_engine(\"postgresql+psycopg2://\"))'"
        )
        #expect(made.exit == .code(0), "\(made.lastLines)")
        let done = try run(newer, "'\(script)'")
        #expect(done.exit == .code(0), "\(done.lastLines)")
        let found = try admin.rows(
            "select distinct schemaname::text as schema, tableowner::text as owner from pg_tables where tablename in ('alembic_version', 'trace_info', 'logged_models')"
        )
        #expect(try found.map { try $0.string("schema") } == ["My Tables"])
        #expect(try found.map { try $0.string("owner") } == [role])
        #expect(try StoreSurvey.revision(of: database) == SchemaRevisions.chain.last || newer.name != "3.18")
    }
}
