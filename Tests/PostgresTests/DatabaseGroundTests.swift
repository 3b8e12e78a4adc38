// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("What is known of a database before it is touched", .onEachPostgres)
struct DatabaseGroundTests {
    let server: TemporaryPostgres

    init() throws { server = try TemporaryPostgres.shared }

    private func admin(_ database: ConnectionSettings, _ statements: SQL...) throws {
        try server.asSuperuser(in: database, statements)
    }

    private func ground(_ database: ConnectionSettings) throws -> DatabaseGround {
        let session = try Connection(database)
        defer { session.close() }
        return try DatabaseGround(on: session)
    }

    /// C27.
    @Test("names what this role may not read, each kind of it, and what it says to run makes it readable", .ofContrib)
    func unreadable() throws {
        let database = try server.freshDatabase("ground_unreadable")
        try Connection(database).execute("create table runs (id serial primary key)")
        #expect(try ground(database).unreadable.isEmpty)
        // In a transaction that only reads the server is the same.
        #expect(try ExportedSnapshot(of: database).ground().isReadOnly == false)
        try admin(
            database, "create schema \"closed Schema\"", "create table \"closed Schema\".inner (i int)",
            "create table hidden (i int)", "create sequence counter", "create table guarded (i int)",
            "grant select on guarded to mlflow_user", "alter table guarded enable row level security",
            "create policy p on guarded using (i = 1)", "select lo_create(4711)",
            // Its rows are in no dump.
            "create extension dblink", "create table cache (i int)", "alter extension dblink add table cache")
        let found = try ground(database)
        let unreadable = found.unreadable
        #expect(unreadable.schemas == ["closed Schema"])
        #expect(unreadable.tables.map(\.description) == ["\"closed Schema\".inner", "public.hidden"])
        #expect(unreadable.sequences.map(\.description) == ["public.counter"])
        #expect(unreadable.hidden.map(\.description) == ["public.guarded"])
        #expect(unreadable.largeObjects == ["4711"])
        let error = #expect(throws: PostgresError.self) { try found.requireReadable() }
        let text = try #require(error?.explanation)
        let restored = #expect(throws: PostgresError.self) { try found.requireReadable(isRestored: true) }
        #expect(restored?.explanation.english.contains("backed up") == false)
        #expect(restored?.explanation.english.contains("The live data was not touched") == true)
        for word in ["closed Schema", "public.hidden", "counter", "guarded", "4711", "GRANT SELECT ON TABLE"] {
            #expect(text.english.contains(word) && text.chinese.contains(word), "\(text.english)")
        }
        let remedy = try Connection(server.superuser.naming(database: database.database))
        // Of one role for all tests only the policy of this table may go.
        for statement in unreadable.remedies(for: "mlflow_user") where !statement.contains("BYPASSRLS") {
            try remedy.execute(script: statement.utf8)
        }
        try remedy.execute("alter table guarded disable row level security")
        #expect(try ground(database).unreadable.isEmpty)
    }

    /// C22, C23.
    @Test(
        "names what a restore by this role leaves out, with what depends on it, and nothing to a superuser", .ofContrib)
    func beyond() throws {
        let database = try server.freshDatabase("ground_beyond")
        try Connection(database).execute("create table runs (id int, name text)")
        try admin(
            database, "create extension dblink", "create extension pg_trgm", "create extension postgres_fdw",
            "create view far as select * from dblink('x', 'select 1') as t(i int)",
            "create view further as select * from far",
            "create function c_function(float8) returns float8 language c strict as '$libdir/dblink', 'dblink_connect'",
            "create view through_c as select c_function(1)", "create table by_c (i float8 default c_function(1))",
            "grant select, update on by_c to mlflow_user",
            "create function note() returns event_trigger language plpgsql as 'begin end'",
            "create event trigger noted on ddl_command_end execute function note()",
            "create server away foreign data wrapper postgres_fdw", "create foreign table remote (i int) server away",
            "create publication everything for all tables",
            "create subscription sub connection 'dbname=none' publication p with (connect = false)")
        let found = Set(try ground(database).beyondRestore.map { "\($0.description): \($0.fate.rawValue)" })
        for expected in [
            "extension dblink: left-out", "extension postgres_fdw: left-out", "view public.far: left-out",
            "view public.further: left-out", "function public.c_function(double precision): left-out",
            "view public.through_c: left-out", "table public.by_c: fails", "event trigger noted: left-out",
            "server away: left-out", "foreign table public.remote: left-out", "publication everything: left-out",
            "subscription sub: never", "owner postgres: owner-changes",
        ] {
            #expect(found.contains(expected), "\(expected) in \(found.sorted())")
        }
        #expect(found.count == 13, "\(found.sorted())")
        let superuser = try ground(server.superuser.naming(database: database.database)).beyondRestore
        #expect(superuser.map(\.description) == ["subscription sub"])
        let notices = BeyondRestore.notices(try ground(database).beyondRestore, role: "mlflow_user").map(\.english)
        #expect(notices.contains { $0.contains("extension dblink") && $0.contains("view public.far") })
        #expect(notices.contains { $0.contains("would fail") && $0.contains("public.by_c") })
        try admin(database, "alter subscription sub set (slot_name = none)", "drop subscription sub")
    }

    @Test("what is advised to run is quoted, whatever a role is called")
    func quoted() {
        let text = PostgresError.mayNotCreateDatabases(user: "a\"b; drop").explanation
        #expect(text.english.contains(#"ALTER ROLE "a""b; drop" CREATEDB;"#))
        #expect(text.chinese.contains(#"ALTER ROLE "a""b; drop" CREATEDB;"#))
    }

    /// C26.
    @Test("says what a restore by this role would fail of")
    func restoreObstacles() throws {
        let database = try server.freshDatabase("ground_rights")
        try Connection(database).execute("create table runs (id int)")
        let role = "role_\(database.database)"
        try admin(
            database, "create role \(identifier: role) login password 'x' connection limit 5",
            "grant select on runs to \(identifier: role)")
        let modest = ConnectionSettings(
            host: database.host, port: database.port, user: role, password: Secret("x"), database: database.database)
        let session = try Connection(modest)
        let tools = PostgresTools(binDirectory: server.binDirectory)
        let ground = try DatabaseGround(on: session)
        let codes = try ground.restoreObstacles(on: session, Databases(holding: session), with: tools).map {
            $0.stableCode
        }
        #expect(codes == ["may-not-create-databases", "database-not-owned", "table-privileges-missing"])
        let ours = try Connection(database)
        #expect(
            try DatabaseGround(on: ours).restoreObstacles(on: ours, Databases(holding: ours), with: tools).isEmpty)

        // One of its five is this session.
        let room = try ConnectionRoom(on: session)
        #expect(room.free == 4 && room.limit.contains("CONNECTION LIMIT 5"), "\(room)")
        #expect(room.jobs(atMost: 4) == 1)
        try room.require(4)
        let error = #expect(throws: PostgresError.self) { try room.require(5) }
        #expect(error?.explanation.english.contains("5 needed, 4 free") == true)
        // Its own place is free once it is closed.
        #expect(try ConnectionRoom(on: session, isEnding: true).free == 5)
        // A database's limit is for those in it.
        try admin(database, "alter database \(identifier: database.database) connection limit 4")
        defer { _ = try? admin(database, "alter database \(identifier: database.database) connection limit -1") }
        let narrow = try ConnectionRoom(on: ours)
        try narrow.require(9, here: 1)
        let limited = #expect(throws: PostgresError.self) { try narrow.require(9) }
        #expect(limited?.explanation.english.contains("ALTER DATABASE ... CONNECTION LIMIT 4") == true)
    }

    @Test("a database in an old encoding is looked at as any: what we ask with has no character that it lacks")
    func oldEncodings() throws {
        for (encoding, locale) in [("latin1", "C"), ("koi8r", "C"), ("sql_ascii", "C")] {
            let name = "old_\(encoding)_\(UInt32.random(in: .min ... .max))"
            try Connection(server.settings.naming(database: "postgres")).execute(
                script: "create database \(name) encoding '\(encoding)' locale '\(locale)' template template0".utf8)
            let session = try Connection(server.settings.naming(database: name))
            defer { session.close() }
            _ = try ConnectionRoom(on: session)
            _ = try DatabaseGround(on: session)
            #expect(try UnreadableObjects(on: session).isEmpty)
            guard encoding == "sql_ascii" else { continue }
            // A name that is no UTF-8, which the backup's sessions cannot be told.
            try session.execute(
                #"do $$ begin execute 'create table "' || convert_from('\xe9', 'SQL_ASCII') || '" (i int)'; end $$"#)
            #expect(throws: PostgresError.self) { try session.ordinaryTables() }
        }
    }
}
