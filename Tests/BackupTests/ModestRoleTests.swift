// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A role or a server that may not do all", .besideThePool)
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
                database: database, tools: live.stack.postgres.tools, artifacts: live.artifacts,
                mlflowVersion: { "3.17.2" }),
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

    @Test("what would keep the job from its lock, its programs or its sessions is told by doctor, too")
    func sameAsTheJob() throws {
        let live = try LiveStackFixture("modest_doctor")
        let admin = try Connection(live.server.superuser.naming(database: live.database.database))
        defer { admin.close() }
        let role = "role_\(live.database.database)"
        try admin.execute(
            "create role \(identifier: role) login createdb in role mlflow_user password \(literal: "x\ny")")
        func workspace(_ password: String, maintenance: String = "postgres") -> Workspace {
            let database = ConnectionSettings(
                host: live.database.host, port: live.database.port, user: role, password: Secret(password),
                database: live.database.database, maintenanceDatabase: maintenance)
            return Workspace(
                LiveStack(
                    database: database, tools: live.stack.postgres.tools, artifacts: live.artifacts,
                    mlflowVersion: { nil }),
                live.folder, log: .silent)
        }
        func found(_ workspace: Workspace) -> [String] { codes(BackupPreflight(workspace, options: .init()).run()) }
        #expect(found(workspace("x\ny")) == ["password-not-expressible"])
        try admin.execute("alter role \(identifier: role) password 'x'")
        #expect(found(workspace("x", maintenance: "none")) == ["maintenance-database-not-usable"])
        let text = PostgresError.maintenanceDatabaseNotUsable(
            name: "none", reason: .init(zh: "没有", en: "there is no database of that name")
        ).explanation.english
        #expect(!text.contains("owner") && text.contains("POSTGRES_MAINTENANCE_DB"))

        let own = BackupPreflight(workspace("x", maintenance: live.database.database), options: .init()).run()
        #expect(own.notices.contains { $0.english.contains("MLflow's own, which a restore renames") }, "\(own)")
        let made = try BackupJob(workspace("x"), options: .init(), version: "test").run().name.string
        let refused = #expect(throws: PostgresError.self) {
            try RestoreJob(workspace("x", maintenance: live.database.database), options: .init(force: true)).run(made)
        }
        #expect(refused?.errorCode == "maintenance-database-not-usable")
        try live.expectNothingLeftBehind()

        // Whoever asks and the job, which holds the lock, find the same.
        let modest = workspace("x")
        func limit(_ sessions: Int) throws {
            let inside: SQL = "select from pg_stat_activity where usename = \(role)"
            try Patience.wait("its sessions to end") { try admin.rows(inside).isEmpty }
            try admin.execute("alter role \(identifier: role) connection limit \(number: sessions)")
        }
        for (sessions, expected) in [(4, ["database-connections-exhausted"]), (5, [])] {
            try limit(sessions)
            #expect(found(modest) == expected)
            try limit(sessions)
            let hold = try modest.hold("test")
            #expect(codes(BackupPreflight(modest, options: .init()).run(holding: hold.session)) == expected)
            withExtendedLifetime(hold) {}
        }
        try limit(-1)
        // The database's limit is for the sessions in it: a restore has two of them.
        let backup = try BackupJob(modest, options: .init(), version: "test").run().name.string
        try admin.execute("alter database \(identifier: live.database.database) connection limit 5")
        admin.close()
        _ = try RestoreJob(modest, options: .init()).run(backup)
    }

    @Test(
        "whom an administrator lets the role work as in this database owns what it restores, and a template can be forgotten"
    )
    func anotherRoleHere() throws {
        let live = try LiveStackFixture("modest_set_role")
        let (name, role) = (live.database.database, "login_\(live.database.database)")
        let admin = try Connection(live.server.superuser.naming(database: "postgres"))
        defer { admin.close() }
        for statement in [
            "create role \(identifier: role) login createdb in role mlflow_user password 'x'",
            "alter role \(identifier: role) in database \(identifier: name) set role = mlflow_user",
            "alter database \(identifier: name) is_template true",
        ] as [SQL] { try admin.execute(statement) }
        let database = ConnectionSettings(
            host: live.database.host, port: live.database.port, user: role, password: Secret("x"), database: name)
        let workspace = Workspace(
            LiveStack(
                database: database, tools: live.stack.postgres.tools, artifacts: live.artifacts, mlflowVersion: { nil }),
            live.folder, log: .silent)
        #expect(codes(BackupPreflight(workspace, options: .init()).run()) == [])
        let backup = try BackupJob(workspace, options: .init(), version: "test").run()
        #expect(backup.manifest.database.role == "mlflow_user")
        let rows = try live.rows()
        let outcome = try RestoreJob(workspace, options: .init()).run(backup.name.string)
        // As MLflow's role, which owns it all again.
        #expect(try live.rows() == rows)
        try live.add(runs: 41...41)
        let owners = try Connection(live.database).rows(
            "select distinct pg_get_userbyid(relowner)::text from pg_class where relnamespace = 'public'::regnamespace")
        #expect(try owners.map { try $0.string(0) } == ["mlflow_user"])
        #expect(try admin.rows("select from pg_database where datname = \(name) and datistemplate").count == 1)
        let kept = try #require(outcome.kept)
        _ = try ForgetJob(workspace).run(kept.id)
        try admin.execute("alter database \(identifier: name) is_template false")
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
        let unlogged = try Connection(live.database)
        try unlogged.execute("create unlogged table scratch as select 1 as i")
        unlogged.close()
        try server.becomeStandby()
        let findings = BackupPreflight(live.workspace(), options: .init()).run()
        #expect(findings.obstacles.isEmpty)
        #expect(findings.notices.contains { $0.english.contains("is a standby") })
        let error = #expect(throws: PostgresError.self) { try live.restore(before.name.string, force: true) }
        #expect(error?.errorCode == "server-read-only")
        #expect(try FileStatus.ifPresent(live.folder.restoreJournal) == nil)
        let backup = try live.backup()
        #expect(backup.manifest.database.rows["public.runs"] == 20)
        #expect(backup.manifest.database.rows["public.scratch"] == nil)
        #expect(
            backup.warnings.contains { $0.english.contains("unlogged tables") && $0.english.contains("public.scratch") }
        )
    }
}
