// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

/// C22, C23: a database in which an administrator has made more than MLflow's tables.
@Suite("Objects beside MLflow's tables", .besideThePool)
struct BesideObjectsTests {
    private let live: LiveStackFixture
    private let other: String

    init() throws {
        live = try LiveStackFixture("beside_objects")
        other = "other_\(live.database.database)"
        try admin(
            "create role \(identifier: other)", "create extension dblink", "create extension pg_trgm",
            "create extension postgres_fdw", "create table audit (i int)", "insert into audit values (1)",
            "alter table audit owner to \(identifier: other)", "grant select, update on audit to mlflow_user",
            "create view far as select * from dblink('x', 'select 1') as t(i int)",
            "create function c_function(float8) returns float8 language c strict as '$libdir/dblink', 'dblink_connect'",
            "create view through_c as select c_function(1)",
            "create function note() returns event_trigger language plpgsql as 'begin end'",
            "create event trigger noted on ddl_command_end execute function note()",
            "comment on event trigger noted is 'x'", "create server away foreign data wrapper postgres_fdw",
            "create user mapping for mlflow_user server away", "create foreign table remote (i int) server away",
            "create publication everything for all tables",
            "create subscription sub connection 'dbname=none' publication p with (connect = false, slot_name = none)")
        let ours = try Connection(live.database)
        defer { ours.close() }
        try ours.execute("create index on runs using gin (run_uuid gin_trgm_ops)")
        try ours.execute("create materialized view counted as select count(*) as n from runs")
        try ours.execute("create publication few for table runs, metrics")
        try ours.execute("grant select on runs to \(identifier: other)")
        try ours.execute("alter default privileges grant select on tables to \(identifier: other)")
    }

    private func admin(_ statements: SQL...) throws {
        try live.server.asSuperuser(in: live.database, statements)
    }

    private func names(_ query: SQL) throws -> [String] {
        let session = try Connection(live.server.superuser.naming(database: live.database.database))
        defer { session.close() }
        return try session.rows(query).map { try $0.string(0) }
    }

    private static let extensions: SQL = "select extname::text from pg_extension where extname <> 'plpgsql' order by 1"
    private static let publications: SQL = "select pubname::text from pg_publication order by 1"

    private func owner(of table: String) throws -> [String] {
        try names("select pg_get_userbyid(relowner)::text from pg_class where oid = to_regclass(\(table))")
    }

    @Test(
        "are told of by a backup, and an ordinary role's restore brings back what it may, leaves out the rest and says so"
    )
    func ordinaryRole() throws {
        let rows = try live.rows()
        let backup = try live.backup()
        let told = backup.warnings.map(\.english).joined(separator: "\n")
        for word in [
            "extension dblink", "view public.far", "event trigger noted", "everything", "subscription sub", other,
        ] {
            #expect(told.contains(word), "\(word) in: \(told)")
        }
        let beyond = try #require(backup.manifest.database.beyondRestore)
        #expect(beyond.contains(.init(kind: "extension", name: "dblink", fate: .leftOut)))
        #expect(backup.manifest.database.role == "mlflow_user")

        let restored = try live.restore(backup.name.string)
        #expect(try live.rows() == rows)
        #expect(try names("select i::text from audit") == ["1"])
        #expect(try names(Self.extensions) == ["pg_trgm"])
        #expect(try names(Self.publications) == ["few"])
        #expect(try names("select n::text from counted") == ["20"])
        #expect(try names("select has_table_privilege(\(other), 'runs', 'SELECT')::text") == ["true"])
        #expect(try names("select count(*)::text from pg_default_acl") == ["1"])
        #expect(try owner(of: "public.audit") == ["mlflow_user"])
        let after = restored.warnings.map(\.english).joined(separator: "\n")
        for word in ["extension dblink", "public.far", "event trigger noted", "everything", "subscription sub", other] {
            #expect(after.contains(word), "\(word) in: \(after)")
        }
        try live.expectNothingLeftBehind()
        // What is gone is not told of again.
        #expect(!(try live.backup().warnings.contains { $0.english.contains("dblink") }))
        try live.undo()
        #expect(try names(Self.extensions) == ["dblink", "pg_trgm", "postgres_fdw"])
        try admin("drop subscription sub")
    }

    @Test("are all brought back by a superuser's restore, but for a subscription")
    func superuser() throws {
        let stack = LiveStack(
            database: live.server.superuser.naming(database: live.database.database), tools: live.stack.postgres.tools,
            artifacts: live.artifacts, mlflowVersion: { "3.17.2" })
        let workspace = Workspace(stack, live.folder, log: .silent)
        try live.awaitOlderTransactions()
        let backup = try BackupJob(workspace, options: .init(), version: "test").run()
        #expect(backup.manifest.database.beyondRestore?.map(\.description) == ["subscription sub"])
        let rows = try live.rows()
        let restored = try RestoreJob(workspace, options: .init()).run(backup.name.string)
        #expect(try live.rows() == rows)
        #expect(try names(Self.extensions) == ["dblink", "pg_trgm", "postgres_fdw"])
        #expect(try names(Self.publications) == ["everything", "few"])
        #expect(try names("select evtname::text from pg_event_trigger") == ["noted"])
        #expect(try names("select srvname::text from pg_foreign_server") == ["away"])
        #expect(try names("select count(*)::text from pg_user_mappings") == ["1"])
        #expect(try owner(of: "public.audit") == [other])
        #expect(try owner(of: "public.runs") == ["mlflow_user"])
        #expect(try names("select subname::text from pg_subscription where subdbid = (\(Self.liveOID))").isEmpty)
        #expect(restored.warnings.contains { $0.english.contains("subscription sub") })
        #expect(!restored.warnings.contains { $0.english.contains("Not brought back") }, "\(restored.warnings)")
        _ = try UndoJob(workspace, force: true).run()
        try admin("drop subscription sub")
    }

    private static let liveOID: SQL = "select oid from pg_database where datname = current_database()"

    @Test("a table that only a superuser can make is told of by a backup, and refuses a restore before the swap")
    func lostTable() throws {
        try admin("create table by_c (i float8 default c_function(1))", "grant select, update on by_c to mlflow_user")
        let backup = try live.backup()
        #expect(backup.warnings.contains { $0.english.contains("would fail") && $0.english.contains("public.by_c") })
        let error = #expect(throws: PostgresError.self) { try live.restore(backup.name.string, force: true) }
        #expect(error?.errorCode == "needs-superuser")
        try live.expectNothingLeftBehind()
        try admin("drop subscription sub")
    }

    @Test(
        "what a superuser restores is MLflow's role's again, who goes on working; a foreign server that is away ends nothing"
    )
    func givenBackBySuperuser() throws {
        try admin(
            "create table parted (i int) partition by range (i)",
            "create foreign table parted_away partition of parted for values from (0) to (9) server away",
            "grant select, update on parted, parted_away to mlflow_user", "drop subscription sub")
        let name = try live.backup().name.string
        let stack = LiveStack(
            database: live.server.superuser.naming(database: live.database.database), tools: live.stack.postgres.tools,
            artifacts: live.artifacts, mlflowVersion: { "3.17.2" })
        let job = RestoreJob(Workspace(stack, live.folder, log: .silent), options: .init(mode: .full, force: true))
        _ = try job.run(name)
        for table in ["runs", "metrics", "counted"] { #expect(try owner(of: table) == ["mlflow_user"], "\(table)") }
        #expect(try owner(of: "audit") == [other])
        try live.add(runs: 41...41)
        try live.backup()
        try live.restore(name, force: true)
    }
}
