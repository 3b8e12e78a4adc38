// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("What a restore tries when the rows are there", .onEachPostgres)
struct RestoreAfterwardsTests {
    let server: TemporaryPostgres
    let tools: PostgresTools
    let folder: TemporaryFolder

    init() throws {
        server = try TemporaryPostgres.shared
        tools = PostgresTools(binDirectory: server.binDirectory)
        folder = try TemporaryFolder("afterwards")
    }

    private var dump: FilePath { folder.path.appending("dump") }

    /// A new database to load into.
    private func target(_ source: ConnectionSettings, _ name: String) throws -> ConnectionSettings {
        let target = source.naming(database: "\(source.database)_\(name)")
        try Databases(source).create(target.database, like: source.database)
        return target
    }

    @Test(
        "is told of with its reason whatever it ends with, since a client may raise anything there, and can be cancelled"
    )
    func fillings() throws {
        let source = try server.freshDatabase("filling")
        let session = try Connection(source)
        try session.execute(
            """
            create function filled() returns int language plpgsql as $$
            begin
              case current_setting('test.filling', true)
                when 'sleep' then perform pg_sleep(30);
                when '' then null;
                else raise exception using errcode = current_setting('test.filling', true), message = 'it fails here';
              end case;
              return 1;
            end $$
            """)
        try session.execute("set test.filling = ''")
        try session.execute("create table runs as select 7 as id")
        try session.execute("create materialized view seen as select filled()")
        try session.execute("create materialized view on_it as select * from seen")
        try tools.dump(source, into: dump)
        func restored(_ behaviour: String, _ cancellation: Cancellation = Cancellation()) throws -> [BeyondRestore] {
            let target = try target(source, behaviour)
            try Connection(server.superuser.naming(database: target.database)).execute(
                "alter database \(identifier: target.database) set test.filling to \(literal: behaviour)")
            defer { #expect((try? Connection(target).rows("select id from runs").count) == 1) }
            return try tools.restore(from: dump, into: target, jobs: 1, cancellation: cancellation)
        }
        let told = try restored("22012")
        #expect(told.map(\.name) == ["public.seen", "public.on_it"])
        #expect(told.first?.reason == "22012: it fails here")
        #expect(BeyondRestore.afterwards(told)[0].english.contains("it fails here"))
        // What another server says that this one asked.
        #expect(try restored("08001").count == 2)
        // Nor is a full disk one because a client says so.
        for code in ["53100", "57014", "40P01"] {
            #expect(try restored(code).first?.reason?.contains("it fails here") == true, "\(code)")
        }
        let stop = Cancellation()
        let watching = try WorkerThread("cancel") { [source] in
            guard let watch = try? Connection(source) else { return }
            let sleeping: SQL = """
                select from pg_stat_activity
                where datname = \(source.database + "_sleep") and wait_event = 'PgSleep'
                """
            while (try? watch.rows(sleeping).isEmpty) == true { usleep(20_000) }
            stop.cancel()
        }
        let start = ContinuousClock.now
        #expect(throws: CancelledError.self) { try restored("sleep", stop) }
        watching.join()
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test(
        "is refused where the server does not let this role do it, or cannot, and not where it has no room or is told to stop",
        arguments: [
            ("42501", false), ("0A000", false), ("42P01", false), ("2BP01", false), ("3F000", false), ("55006", false),
            ("08001", false), ("22012", false), ("58P01", false), ("XX000", false), ("53400", false), ("53100", true),
            ("53200", true), ("53300", true), ("57014", true), ("58030", true), ("XX001", true), ("40P01", true),
        ])
    func kinds(sqlstate: String, isTrouble: Bool) {
        let error = PostgresError(sqlstate: sqlstate, message: "", settings: server.settings)
        #expect(error.isTroubleOfServer == isTrouble)
    }

    @Test("event triggers belong to whom they belonged to, and nothing is said that is not so")
    func eventTrigger() throws {
        let source = server.superuser.naming(database: try server.freshDatabase("trigger_owner").database)
        let session = try Connection(source)
        let other = "dba_\(source.database)"
        for statement in [
            "create role \(identifier: other) superuser", "create table runs (id int)",
            "create function note() returns event_trigger language plpgsql as 'begin end'",
            "create event trigger noted on ddl_command_end execute function note()",
            "alter event trigger noted owner to \(identifier: other)",
        ] as [SQL] { try session.execute(statement) }
        try tools.dump(source, into: dump)
        let target = try target(source, "restored")
        #expect(try tools.restore(from: dump, into: target, dumper: "postgres", jobs: 1) == [])
        let owner = try Connection(target).rows("select evtowner::regrole::text from pg_event_trigger")
        #expect(try owner.map { try $0.string(0) } == [other])
    }

    @Test("what is refused is told of once, and not as if its owner could not be given")
    func refusedOnce() throws {
        let source = try server.freshDatabase("refused_once")
        let admin = try Connection(server.superuser.naming(database: source.database))
        for statement in [
            "create function note() returns event_trigger language plpgsql as 'begin end'",
            "create event trigger noted on ddl_command_end execute function note()",
            "comment on event trigger noted is 'x'", "create publication everything for all tables",
            "create table audit (id int primary key)", "grant select, update on audit to mlflow_user",
        ] as [SQL] { try admin.execute(statement) }
        try tools.dump(source, into: dump)
        let told = try tools.restore(from: dump, into: try target(source, "restored"), dumper: "mlflow_user", jobs: 1)
        #expect(
            told.map(\.description).sorted() == ["event trigger noted", "owner postgres", "publication everything"])
        // The function and the table; not its key, nor what was not made.
        #expect(told.first { $0.kind == "owner" }?.count == 2)
    }
}
