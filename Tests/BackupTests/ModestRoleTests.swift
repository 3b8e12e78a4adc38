// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A role or a server that may not do all")
struct ModestRoleTests {
    private func codes(_ findings: Findings) -> [String] { findings.obstacles.map { $0.stableCode } }

    /// C27.
    @Test("a table that may not be read is named by doctor and before anything is written")
    func unreadable() throws {
        let live = try LiveStackFixture("modest_unreadable")
        let admin = try Connection(live.server.superuser.naming(database: live.database.database))
        defer { admin.close() }
        try admin.execute("create table vault (i int)")
        #expect(codes(BackupPreflight(live.workspace(), options: .init()).run()) == ["database-not-readable"])
        let error = #expect(throws: PostgresError.self) { try live.backup() }
        #expect(error?.explanation.english.contains("GRANT SELECT ON TABLE public.vault TO \"mlflow_user\"") == true)
        #expect(try live.names().isEmpty)
    }

    /// C26.
    @Test("a missing CREATEDB is told by doctor and by each backup, and refuses a restore before anything is unpacked")
    func noCreateDB() throws {
        let live = try LiveStackFixture("modest_createdb")
        let role = "role_\(live.database.database)"
        let admin = try Connection(live.server.superuser.naming(database: live.database.database))
        defer { admin.close() }
        try admin.execute("create role \(identifier: role) login password 'x' in role mlflow_user")
        let database = ConnectionSettings(
            host: live.database.host, port: live.database.port, user: role, password: Secret("x"),
            database: live.database.database)
        let workspace = Workspace(
            LiveStack(
                database: database, tools: live.stack.tools, artifacts: live.artifacts, mlflowVersion: { "3.17.2" }),
            live.folder, log: .silent)
        let findings = BackupPreflight(workspace, options: .init()).run()
        #expect(findings.obstacles.isEmpty)
        #expect(findings.notices.contains { $0.english.contains("CREATEDB") })
        let backup = try BackupJob(workspace, options: .init(), version: "test").run()
        #expect(backup.warnings.contains { $0.english.contains("CREATEDB") })
        #expect(throws: PostgresError.mayNotCreateDatabases(user: role)) {
            try RestoreJob(workspace, options: .init(force: true)).run(backup.name.string)
        }
        try live.expectNothingLeftBehind()
    }

    /// C25, C22, C52, on a server of its own, whose standby is away: MLflow's role does not wait for it, nor do we.
    @Test(
        "a prepared transaction refuses a restore at once, a slot is told of, and a standby is backed up and not restored into"
    )
    func server() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let admin = try Connection(server.superuser)
        try admin.execute("alter system set max_prepared_transactions = 5")
        try admin.execute("alter system set wal_level = logical")
        try admin.execute("alter role mlflow_user set synchronous_commit = local")
        try admin.execute("alter system set synchronous_standby_names = 'away'")
        admin.close()
        try server.restart()
        let live = try LiveStackFixture("modest_server", on: server)
        let before = try live.backup()

        let session = try Connection(live.database)
        for statement in ["begin", "update runs set start_time = 0", "prepare transaction 'stuck one'"] as [SQL] {
            try session.execute(statement)
        }
        let start = ContinuousClock.now
        let prepared = #expect(throws: PostgresError.self) { try live.restore(before.name.string, force: true) }
        #expect(prepared == .preparedTransactions(database: live.database.database, identifiers: ["stuck one"]))
        #expect(prepared?.explanation.english.contains("ROLLBACK PREPARED") == true)
        #expect(ContinuousClock.now - start < .seconds(10))
        try session.execute("rollback prepared 'stuck one'")
        session.close()

        let inside = try Connection(server.superuser.naming(database: live.database.database))
        _ = try inside.rows("select pg_create_logical_replication_slot('changes', 'pgoutput')")
        inside.close()
        let beside = try live.backup()
        #expect(beside.warnings.contains { $0.english.contains("replication slot changes") })
        let restored = try live.restore(beside.name.string)
        #expect(restored.warnings.contains { $0.english.contains("replication slot changes") })
        #expect(!(try live.backup().warnings.contains { $0.english.contains("replication slot") }))
        try standby(server, live, before)
    }

    private func standby(_ server: TemporaryPostgres, _ live: LiveStackFixture, _ before: BackupOutcome) throws {
        try server.becomeStandby()
        let findings = BackupPreflight(live.workspace(), options: .init()).run()
        #expect(findings.obstacles.isEmpty)
        #expect(findings.notices.contains { $0.english.contains("is a standby") })
        let error = #expect(throws: PostgresError.self) { try live.restore(before.name.string, force: true) }
        #expect(error?.errorCode == "server-read-only")
        #expect(try FileStatus.ifPresent(live.folder.restoreJournal) == nil)
        let backup = try live.backup()
        #expect(backup.manifest.database.rows["public.runs"] == 20)
    }
}
