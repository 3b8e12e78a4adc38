// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

/// What a dump holds beside the rows of ordinary tables, and tables that only look like MLflow's.
@Suite("What a restore would lose", .onEachPostgres) struct BesideTablesTests {
    private static let objects: [SQL] = [
        "select lo_from_bytea(4242, convert_to(repeat('x', 700000), 'UTF8'))", "select lo_from_bytea(4243, '')",
        "select lo_from_bytea(4244, 'gone')",
    ]

    @Test("names large objects that were added or changed anywhere, and none that is the same or was deleted")
    func largeObjects() throws {
        let pair = try DatabasePair(Self.objects)
        #expect(try pair.found() == [])
        try pair.session.execute("select lo_unlink(4244)")
        #expect(try pair.found() == [])
        try pair.session.execute("select lo_put(4242, 699999, 'y')")
        try pair.session.execute("select lo_put(4243, 0, 'z')")
        try pair.session.execute("select lo_from_bytea(4245, 'new')")
        let all = [
            "large object 4242 was changed", "large object 4243 was changed", "large object 4245 was added",
        ]
        #expect(try pair.found() == all)
        #expect(try pair.found(asSuperuser: true) == all)
    }

    @Test(
        "sees in its last look what became of large objects since the first, as a superuser, too",
        arguments: [false, true])
    func lastLook(asSuperuser: Bool) throws {
        let pair = try DatabasePair(Self.objects)
        let role = asSuperuser ? try TemporaryPostgres.shared.superuser : pair.live
        let comparison = try StoreComparison(
            live: role.naming(database: pair.live.database), restored: role.naming(database: pair.restored.database))
        defer { comparison.close() }
        #expect(try comparison.first().isEmpty)
        #expect(try comparison.last().isEmpty)
        try pair.session.execute("select lo_put(4242, 5, 'y')")
        #expect(try comparison.last().kept.map(\.text.english) == ["large object 4242 was changed"])
        try pair.session.execute("select lo_put(4242, 5, 'x')")
        #expect(try comparison.lastLocking().findings.isEmpty)
        guard asSuperuser else { return }
        // Nobody writes one now.
        try pair.session.execute("set lock_timeout = '100ms'")
        #expect(throws: PostgresError.self) { try pair.session.execute("select lo_put(4242, 5, 'y')") }
    }

    @Test("names a large object that this role may not read, which is in no backup of it")
    func unreadable() throws {
        let pair = try DatabasePair(Self.objects)
        try pair.admin("select lo_from_bytea(5000, 'theirs')")
        #expect(try pair.found() == ["large object 5000 cannot be read by this role"])
    }

    @Test("tells large objects that were written since by who may read all, and says where it cannot tell", .ofContrib)
    func freshObjects() throws {
        let pair = try DatabasePair(Self.objects)
        let (rows, all) = (try pair.fresh(), try pair.fresh(pair.reader()))
        defer { rows.close() }
        defer { all.close() }
        let moment = try rows.moment()
        #expect(try all.written(since: moment)?.isEmpty == true)
        #expect(
            try rows.written(since: moment)?.kept.map(\.text.english) == [
                "whether 3 large objects were written since cannot be told: the role mlflow_user may not read pg_largeobject "
                    + "(a member of pg_read_all_data may)"
            ])
        try pair.session.execute("select lo_put(4242, 5, 'y')")
        try pair.session.execute("select lo_from_bytea(4246, 'new')")
        #expect(
            try all.written(since: moment)?.kept.map(\.text.english)
                == ["2 large objects were written since: 4242, 4246"])
        #expect(try rows.written(since: moment)?.kept.first?.text.english == "1 large objects were written since: 4246")
        let none = try DatabasePair([])
        #expect(try none.fresh().written(since: moment)?.isEmpty == true)
    }

    /// An extension with a table of settings, one of settings beside its own (`extcondition`), and one that no dump holds.
    private static let extensionTables: [SQL] = [
        "create extension dblink",
        "create table part_config (parent text primary key, keep text)", "insert into part_config values ('a.b', '30')",
        "create table refs (id int primary key, name text)", "insert into refs values (1, 'own')",
        "create table runlog (id int primary key, line text)", "insert into runlog values (1, 'own')",
        "alter extension dblink add table part_config", "alter extension dblink add table refs",
        "alter extension dblink add table runlog",
        """
        update pg_extension set extconfig = array['part_config'::regclass::oid, 'refs'::regclass::oid],
          extcondition = array['', 'where id > 100'] where extname = 'dblink'
        """,
    ]

    @Test("names rows of an extension's tables, those that a dump holds and those that none does", .ofContrib)
    func extensionRows() throws {
        let pair = try DatabasePair(
            [], asSuperuser: Self.extensionTables + ["grant select on part_config, refs, runlog to mlflow_user"])
        #expect(try pair.found() == [])
        try pair.admin(
            "update part_config set keep = '60'", "insert into part_config values ('new', 'x')",
            "insert into refs values (101, 'mine')", "insert into runlog values (2, 'written')")
        let all = [
            "row public.part_config (a.b) was changed", "row public.part_config (new) was added",
            "row public.refs (101) was added", "row public.runlog (2) was added",
        ]
        #expect(try pair.found() == all)
        // Locking asks for no right that an extension need not give.
        let comparison = try StoreComparison(live: pair.live, restored: pair.restored)
        defer { comparison.close() }
        #expect(try comparison.lastLocking().findings.kept.map(\.text.english) == all)
    }

    @Test(
        "tells fresh rows of an extension's tables, and those that no dump holds, whenever they were written",
        .ofContrib)
    func freshExtensionRows() throws {
        let pair = try DatabasePair(
            [],
            asSuperuser: ["begin"] + Self.extensionTables
                + ["commit", "grant select on part_config, refs, runlog to mlflow_user"])
        let rows = try pair.fresh()
        defer { rows.close() }
        #expect(try rows.inNoDump(beside: pair.restored).isEmpty)
        try pair.admin("insert into refs values (2, 'mine')", "insert into runlog values (2, 'written')")
        try pair.admin("insert into refs values (101, 'dumped')")
        let moment = try rows.moment()
        #expect(try rows.written(since: moment)?.isEmpty == true)
        try pair.admin("update part_config set keep = '60'")
        #expect(
            try rows.written(since: moment)?.kept.map(\.text.english)
                == ["1 rows of table public.part_config were written since"])
        #expect(
            try rows.inNoDump(beside: pair.restored).kept.map(\.text.english) == [
                "no backup holds 1 rows of table public.refs, which belongs to extension dblink",
                "no backup holds 1 rows of table public.runlog, which belongs to extension dblink",
            ])
    }

    private static let store: [SQL] = [
        "create table alembic_version (version_num text primary key)",
        "insert into alembic_version values ('dc11669786a5')",
        "create table experiments (experiment_id int primary key, name text, lifecycle_stage text)",
        "create table runs (run_uuid text primary key, experiment_id int)",
        "create table metrics (key text, value double precision, timestamp bigint, run_uuid text)",
        "create table latest_metrics (key text, value double precision, timestamp bigint, run_uuid text)",
        "create table webhooks (webhook_id text primary key, name text, url text, deleted_timestamp bigint)",
    ]

    @Test("lets pass what is MLflow's own, in whatever schema MLflow is")
    func machinery() throws {
        let pair = try DatabasePair(["create schema tracking", "set search_path to tracking"] + Self.store)
        try pair.session.execute("insert into latest_metrics values ('loss', 1, 1, 'a')")
        try pair.session.execute("insert into webhooks values ('w', 'hook', 'u', 1)")
        #expect(try pair.found() == [])
    }

    /// F3: it took any schema with a table `alembic_version` for MLflow's.
    @Test("takes no other program's tables for MLflow's, where they are called as those are")
    func otherPrograms() throws {
        let pair = try DatabasePair(
            Self.store + [
                "create schema app", "create table app.alembic_version (version_num text primary key)",
                "insert into app.alembic_version values ('one')",
                "create table app.webhooks (id int primary key, url text, deleted_timestamp text)",
                "create table app.jobs (id int primary key, status_message text, last_updated_by text)",
                "insert into app.jobs values (1, 'queued', 'me')",
                "create table app.job_locks (k text primary key)",
                "create table app.latest_metrics (v text primary key)",
                // Of an MLflow that has none of these yet.
                "create table jobs (id int primary key, status_message text)", "insert into jobs values (1, 'queued')",
                "create table scheduler_leases (k text primary key)",
            ])
        let rows = try pair.fresh()
        defer { rows.close() }
        let moment = try rows.moment()
        for statement: SQL in [
            "update app.alembic_version set version_num = 'two'", "insert into app.webhooks values (2, 'u', '2026')",
            "update app.jobs set status_message = 'paid', last_updated_by = 'you'",
            "insert into app.job_locks values ('l')", "insert into app.latest_metrics values ('v')",
            "update jobs set status_message = 'paid'", "insert into scheduler_leases values ('l')",
        ] { try pair.session.execute(statement) }
        #expect(
            Set(try pair.found()) == [
                "row app.alembic_version (two) was added", "row app.webhooks (2) was added",
                "row app.jobs (1) was changed", "row app.job_locks (l) was added",
                "row app.latest_metrics (v) was added",
                "row public.jobs (1) was changed", "row public.scheduler_leases (l) was added",
            ])
        #expect(try rows.written(since: moment)?.total == 7)
    }

    /// Before MLflow's revisions 75868b020152 and 5d2d30f0abce.
    @Test("knows traces and jobs of an MLflow that had no column for their names yet")
    func olderColumns() throws {
        let pair = try DatabasePair(
            Self.store + [
                """
                create table trace_info (request_id text primary key, experiment_id int not null, timestamp_ms bigint not null,
                  execution_time_ms bigint, status text not null)
                """,
                "insert into trace_info values ('tr-1', 0, 1, 1, 'OK')",
                """
                create table jobs (id text primary key, creation_time bigint, function_fullname text, params text,
                  timeout double precision, status int, result text, retry_count int, last_update_time bigint)
                """,
                "insert into jobs values ('j1', 1, 'f', '{}', 1, 0, null, 0, 1)",
            ])
        try pair.session.execute("update jobs set retry_count = 1, last_update_time = 5")
        #expect(try pair.found() == [])
        try pair.session.execute("update trace_info set status = 'ERROR'")
        #expect(try pair.found() == ["status of trace (tr-1) was changed"])
    }
}
