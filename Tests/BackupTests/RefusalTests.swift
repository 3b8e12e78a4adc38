// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

/// What is refused, and that nothing was touched by trying.
@Suite(.besideThePool) struct RefusalTests {
    @Test func newerRowsAndFilesAreNotOverwrittenAndDeletionsAreNotNewer() throws {
        let live = try LiveStackFixture("newer")
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics where run_uuid = 'run1'")
        try live.restore(name)

        try live.add(runs: 21...21)
        let (rows, files) = (try live.rows(), try live.files())
        for mode in RestoreMode.allCases where mode != .artifacts {
            #expect(throws: BackupError.self) { try live.restore(name, mode) }
        }
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        try live.restore(name, force: true)
        #expect(try live.rows() != rows)

        let path = live.artifacts.appending("1/run2/artifacts/late.bin")
        try DurableFile.replace(path, with: [1])
        try Shell.sh("touch -d '+1 hour' '\(path)'")
        #expect(throws: BackupError.self) { try live.restore(name, .artifacts) }
        #expect(try FileStatus.ifPresent(path) != nil)
    }

    /// As MLflow 3.17 has these tables: what it writes there by itself, and what is deleted for good, is nobody's loss.
    @Test func whatOnlyLooksNewerIsNotRefused() throws {
        let live = try LiveStackFixture("only_looks_newer")
        let session = try Connection(live.database)
        try session.execute(
            "create table scheduler_leases (lease_key text primary key, acquired_at bigint, ttl_seconds integer)")
        try session.execute(
            """
            create table webhooks (webhook_id text primary key, name text, url text, status text,
              creation_timestamp bigint, last_updated_timestamp bigint, deleted_timestamp bigint)
            """)
        try session.execute(
            """
            create table label_schemas (schema_id text primary key, experiment_id integer references experiments,
              name text, instruction text, is_default boolean, created_time bigint, last_update_time bigint)
            """)
        let name = try live.backup().name.string
        try session.execute("insert into scheduler_leases values ('work', 1790000009999, 60)")
        try session.execute(
            "insert into webhooks values ('w', 'gone', 'u', 'ACTIVE', 1790000009000, 1790000009001, 1790000009001)")
        try session.execute("insert into label_schemas values ('l', 1, 'q', 'i', true, 1790000009000, 1790000009000)")
        // The same bytes once more.
        let file = live.artifacts.appending("1/run2/artifacts/model.bin")
        try Shell.sh("cp '\(file)' '\(live.root.path)/again'; sleep 1.1; cat '\(live.root.path)/again' > '\(file)'")
        let item = try Catalogue(live.folder).item(named: name)
        try RestoreJob(live.workspace(), options: .init(mode: .full)).preflight(item)
        try live.restore(name)

        // What is not in the backup by its name, or has another size, is known at once.
        for change in ["printf x >> '\(file)'", "echo new > '\(live.artifacts)/1/run2/artifacts/new.bin'"] {
            try Shell.sh("sleep 1.1; \(change)")
            #expect(throws: BackupError.self, "\(change)") {
                try RestoreJob(live.workspace(), options: .init(mode: .artifacts)).preflight(item)
            }
            try live.restore(name, .artifacts, force: true)
        }
    }

    @Test func dataThatArrivesWhileTheDumpIsLoadedStopsTheSwap() throws {
        let live = try LiveStackFixture("late")
        let name = try live.backup().name.string
        let once = Monitor(false)
        #expect(throws: BackupError.self) {
            try live.restore(name) { step in
                guard step.phase == .loading,
                    once.withLock({ done in
                        defer { done = true }; return !done
                    })
                else { return }
                do { try live.add(runs: 50...50) } catch { Issue.record(error) }
            }
        }
        #expect(try live.rows().contains("run50"))
        try live.expectNothingLeftBehind()
    }

    @Test func anotherSchemaRevisionIsRefused() throws {
        let live = try LiveStackFixture("revision")
        let name = try live.backup().name.string
        try Connection(live.database).execute("update alembic_version set version_num = 'ffffffffffff'")
        #expect {
            try live.restore(name)
        } throws: {
            if case .schemaDiffers(_, "dc11669786a5", "ffffffffffff") = $0 as? BackupError { true } else { false }
        }
    }

    @Test func aManifestThatLiesAboutRowsOrFilesTouchesNothing() throws {
        for lie in ["s/\"public.runs\" : 20/\"public.runs\" : 19/", "s/\"files\" : 20/\"files\" : 21/"] {
            let live = try LiveStackFixture("lies")
            let made = try live.backup(.uncompressed)
            // Told in the manifest and in the index, so that only the data itself contradicts it.
            let manifest = made.path.appending("manifest.json")
            try Shell.run("/bin/sed", ["-i", lie, manifest.string])
            let digest = SHA256.digest(of: try OpenFile(manifest, .read).readAll())
            try Shell.run(
                "/bin/sed",
                [
                    "-i", "-E", "s/(\"path\":\"manifest.json\".*\"sha256\":\")[0-9a-f]+/\\1\(digest)/",
                    made.path.appending("index.json").string,
                ])
            try Directory.remove(live.folder.path.appending(made.name.string + ".json"))
            let (rows, files) = (try live.rows(), try live.files())
            #expect(throws: (any Error).self, "\(lie)") { try live.restore(made.name.string, force: true) }
            #expect(try live.rows() == rows)
            #expect(try live.files() == files)
            try live.expectNothingLeftBehind()
        }
    }

    @Test func aDamagedArchiveIsMarkedAndTouchesNothing() throws {
        let live = try LiveStackFixture("damaged")
        let made = try live.backup()
        let sound = try OpenFile(made.path, .read).readAll()
        let (rows, files) = (try live.rows(), try live.files())
        // Header, first members, the middle, the index, the footer.
        for offset in [3, 2000, sound.count / 3, sound.count / 2, sound.count - 4000, sound.count - 9] {
            var damaged = sound
            damaged[offset] ^= 0x58
            try Directory.remove(made.path)
            try OpenFile(made.path, .createNew(mode: 0o600)).write(damaged)
            #expect(throws: ArchiveError.self, "byte \(offset)") { try live.restore(made.name.string, force: true) }
            #expect(try live.rows() == rows)
            #expect(try live.files() == files)
            #expect(try Catalogue(live.folder).item(named: made.name.string).status == .corrupt, "byte \(offset)")
        }
        try live.expectNothingLeftBehind()
    }

    @Test func noBackupIsMadeWithoutArtifactsTablesOrAPassword() throws {
        let live = try LiveStackFixture("without")
        let stack = live.stack
        func attempt(_ stack: LiveStack) throws {
            _ = try BackupJob(Workspace(stack, live.folder, log: .silent), options: .init(), version: "test").run()
        }
        let noArtifacts = LiveStack(
            database: stack.postgres.settings, tools: stack.postgres.tools, artifacts: "/nowhere/at/all",
            mlflowVersion: { nil })
        #expect(throws: BackupError.artifactsMissing(path: "/nowhere/at/all")) { try attempt(noArtifacts) }
        let empty = try live.server.freshDatabase("empty")
        let noTables = LiveStack(
            database: empty, tools: stack.postgres.tools, artifacts: stack.artifacts, mlflowVersion: { nil })
        #expect(throws: BackupError.databaseEmpty(name: empty.database)) { try attempt(noTables) }
        let wrong = ConnectionSettings(
            host: empty.host, port: empty.port, user: empty.user, password: Secret("wrong"), database: empty.database)
        let noPassword = LiveStack(
            database: wrong, tools: stack.postgres.tools, artifacts: stack.artifacts, mlflowVersion: { nil })
        #expect(throws: PostgresError.self) { try attempt(noPassword) }
        #expect(try live.names().isEmpty)
        #expect(try Directory.names(in: live.folder.staging).isEmpty)
    }

    @Test(arguments: [Backup.Progress.Phase.dumping, .archiving, .verifying, .pruning])
    func aBackupCancelledInAnyPhaseLeavesNothingHalf(_ phase: Backup.Progress.Phase) throws {
        let live = try LiveStackFixture("cancelled")
        let cancellation = Cancellation()
        let outcome = Result {
            try live.backup(cancellation: cancellation) { if $0.phase == phase { cancellation.cancel() } }
        }
        switch outcome {
        case .success: #expect(phase == .pruning || phase == .verifying, "too late to cancel")
        case .failure(let error): #expect(error is CancelledError, "\(error)")
        }
        #expect(try live.names().count == (try? outcome.get()).map { _ in 1 } ?? 0)
        #expect(try Directory.names(in: live.folder.staging).isEmpty)
        try live.backup()
    }

    @Test(arguments: [Backup.Progress.Phase.verifying, .extracting, .loading])
    func aRestoreCancelledBeforeTheSwapLeavesTheLiveDataAlone(_ phase: Backup.Progress.Phase) throws {
        let live = try LiveStackFixture("cancelled")
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics")
        let (rows, files) = (try live.rows(), try live.files())
        let cancellation = Cancellation()
        #expect(throws: (any Error).self) {
            try live.restore(name, cancellation: cancellation) { if $0.phase == phase { cancellation.cancel() } }
        }
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
    }
}
