// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("Dump and restore", .onEachPostgres)
struct ToolsTests {
    let server: TemporaryPostgres
    let tools: PostgresTools
    let folder: TemporaryFolder

    init() throws {
        server = try TemporaryPostgres.shared
        tools = PostgresTools(binDirectory: server.binDirectory)
        folder = try TemporaryFolder("dump")
    }

    @Test("agree row by row with the counts of their snapshot while a writer keeps adding")
    func roundTrip() throws {
        let source = try server.freshDatabase("Quelle 'x' = \\")
        let session = try Connection(source)
        try session.execute("create table runs (id bigserial primary key, name text not null)")
        try session.execute("create table \"指标 \"\"m\"\"\" (run_id bigint references runs, value double precision)")
        try session.execute("insert into runs (name) select 'run ' || n from generate_series(1, 5000) n")
        try session.execute("insert into \"指标 \"\"m\"\"\" select id, id / 3.0 from runs")
        let stop = Cancellation()
        let writer = try WorkerThread("writer") {
            guard let session = try? Connection(source) else { return }
            while !stop.isCancelled { _ = try? session.execute("insert into runs (name) values ('late')") }
        }
        defer {
            stop.cancel()
            writer.join()
        }
        let snapshot = try ExportedSnapshot(of: source)
        let dump = folder.path.appending("dump")
        try tools.dump(source, snapshot: snapshot.identifier, into: dump, jobs: 2)
        let counts = try snapshot.rowCounts()
        snapshot.release()

        let target = source.naming(database: source.database + " restored")
        try Databases(source).create(target.database, like: source.database)
        try tools.restore(from: dump, into: target, jobs: 2)
        let found = try Connection(target).rowCounts()
        #expect(found == counts)
        #expect(counts.count == 2)
        #expect(try Connection(source).rowCounts() != counts)
    }

    /// One at a time: several write their lines into one another.
    @Test("name each table once as they come to it")
    func progress() throws {
        let source = try server.freshDatabase("names")
        let (session, dump) = (try Connection(source), folder.path.appending("names"))
        try session.execute("create table runs (id int)")
        try session.execute("create table \"指标 \"\"m\"\"\" (id int)")
        var (dumped, restored) = ([String](), [String]())
        let snapshot = try ExportedSnapshot(of: source)
        try tools.dump(source, snapshot: snapshot.identifier, into: dump, jobs: 1) {
            if case .table(let name) = $0 { dumped.append(name) }
        }
        #expect(dumped.sorted() == ["public.runs", "public.指标 \"m\""])
        let target = source.naming(database: source.database + " restored")
        try Databases(source).create(target.database, like: source.database)
        try tools.restore(from: dump, into: target, jobs: 1) {
            if case .table(let name) = $0 { restored.append(name) }
        }
        #expect(restored.sorted() == dumped.sorted())
    }

    @Test("name who waits for a table that is to be dumped: it would keep the dump waiting, and MLflow with it")
    func heldTable() throws {
        let source = try server.freshDatabase("held").waiting(atMost: 2)
        try Connection(source).execute("create table runs (id int)")
        let snapshot = try ExportedSnapshot(of: source)
        let holder = try QueuedMigration(of: "runs", in: source)
        defer {
            snapshot.release()
            holder.thread.join()
        }
        let error = #expect(throws: PostgresError.self) {
            try tools.dump(source, snapshot: snapshot.identifier, into: folder.path.appending("dump"), jobs: 2)
        }
        guard case .tablesInUse(2, let holders)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(holders.count == 1 && holders[0].contains("nightly migration"), "\(holders)")
    }

    @Test(
        "work for a role that may only log in and create databases, whatever was done to the schema public", .ofContrib)
    func modestRole() throws {
        let source = try server.freshDatabase("modest")
        let admin = try Connection(server.superuser.naming(database: source.database))
        // What administrators and older servers leave behind.
        try admin.execute("alter schema public owner to postgres")
        try admin.execute("grant all on schema public to public")
        try admin.execute("create extension pg_trgm")
        try admin.execute("comment on extension pg_trgm is 'search'")
        try admin.execute("comment on extension plpgsql is 'ours'")
        try admin.execute("comment on schema public is 'the usual one'")
        try admin.execute("create role \"gone elsewhere\"")
        try admin.execute("create table audit (id int)")
        try admin.execute("insert into audit values (1)")
        try admin.execute("alter table audit owner to \"gone elsewhere\"")
        try admin.execute("grant select on audit to mlflow_user")
        try admin.execute("create schema extra")
        try admin.execute("grant usage on schema extra to mlflow_user")
        let session = try Connection(source)
        try session.execute("create table runs (name text)")
        try session.execute("create index on runs using gin (name gin_trgm_ops)")
        try session.execute("create function f() returns int language plpgsql as 'begin return 1; end'")

        let restored = try copy(source)
        #expect(try Connection(restored).rowCounts().count == 2)
        #expect(try Connection(restored).rows("select f() as n").first?.int("n") == 1)
    }

    @Test("leave out an extension that only a superuser may create, and say so", .ofContrib)
    func superuserExtension() throws {
        let source = try server.freshDatabase("extension")
        let admin = try Connection(server.superuser.naming(database: source.database))
        try admin.execute("create extension pg_stat_statements")
        try admin.execute("create table runs (id int)")
        try admin.execute("grant select on runs to mlflow_user")
        var leftOut: [BeyondRestore] = []
        let restored = try copy(source) { leftOut = $0 }
        #expect(leftOut.contains(.init(kind: "extension", name: "pg_stat_statements", fate: .leftOut)))
        #expect(try Connection(restored).rowCounts().count == 1)
    }

    @Test("stop at the first thing that cannot be loaded")
    func firstError() throws {
        let source = try server.freshDatabase("conflict")
        try Connection(source).execute("create table runs (id int)")
        let dump = folder.path.appending("dump")
        try tools.dump(source, into: dump)
        let error = #expect(throws: PostgresError.self) { try tools.restore(from: dump, into: source, jobs: 2) }
        guard case .toolFailed("pg_restore", "exit status 1", let lines)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lines.joined().contains("relation \"runs\" already exists"))
    }

    @Test("with a wrong password or a missing database fail by name")
    func failures() throws {
        let right = server.settings
        let wrong = ConnectionSettings(
            host: right.host, port: right.port, user: right.user, password: Secret("guess"), database: right.database)
        #expect(throws: PostgresError.authenticationFailed(user: "mlflow_user")) {
            try tools.dump(wrong, snapshot: "0", into: folder.path.appending("a"), jobs: 1)
        }
        #expect(throws: PostgresError.self) {
            try tools.dump(
                right.naming(database: "none"), snapshot: "0", into: folder.path.appending("b"), jobs: 1)
        }
        let broken = ConnectionSettings(
            host: right.host, port: right.port, user: right.user, password: Secret("x\ny"), database: right.database)
        #expect(throws: PostgresError.passwordNotExpressible) {
            try tools.dump(broken, snapshot: "0", into: folder.path.appending("c"), jobs: 1)
        }
    }

    @Test("refuse a pg_dump older than the server, or none at all")
    func oldTools() throws {
        for tool in ["pg_dump", "pg_restore"] {
            try TemporaryFolder.write(
                program: folder.path.appending(tool), "#!/bin/sh\necho \"\(tool) (PostgreSQL) 14.9 (Debian 14.9-1)\"\n")
        }
        let old = PostgresTools(binDirectory: folder.path)
        #expect(throws: PostgresError.toolTooOld(tool: "pg_dump", toolVersion: 14, serverVersion: 15)) {
            try old.check(serverVersion: 150_018)
        }
        try old.check(serverVersion: 140_022)
        // A command that works where it is read: on Debian, and where somebody said which.
        let words = PostgresError.toolTooOld(tool: "pg_dump", toolVersion: 14, serverVersion: 15).explanation
        #expect(words.english.contains("apt.postgresql.org.sh -y && apt-get install -y postgresql-client-15"))
        let inContainer = PostgresTools(binDirectory: folder.path, installCommand: "build MAJOR-bookworm")
        let told = #expect(throws: PostgresError.self) { try inContainer.check(serverVersion: 150_018) }
        #expect(told?.explanation.chinese.contains("build 15-bookworm") == true)
        try TemporaryFolder.write(program: folder.path.appending("pg_dump"), "#!/bin/sh\nexec sleep 30\n")
        let start = ContinuousClock.now
        let hanging = PostgresTools(binDirectory: folder.path, installed: folder.path, patience: 0.3)
        let error = #expect(throws: PostgresError.self) { try hanging.check(serverVersion: 140_022) }
        #expect(error?.errorCode == "tool-failed" && error?.explanation.english.contains("does not end") == true)
        let hasty = PostgresTools(binDirectory: folder.path).waiting(atMost: 0.2)
        #expect(throws: PostgresError.self) { try hasty.version(of: .dump, serverVersion: 130_000) }
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(PostgresError.toolMissing(path: "x").explanation.english.contains("PG_BIN_DIR"))
        #expect(throws: PostgresError.toolMissing(path: "/nowhere/pg_dump")) {
            try PostgresTools(binDirectory: "/nowhere").check(serverVersion: 150_018)
        }
        let found = PostgresTools(binDirectory: nil)
        try found.check(serverVersion: 150_018)
        #expect(try found.version(of: .dump, serverVersion: 150_018) >= 15)
    }

    @Test("are given what libpq looks at in our own environment, and nothing that we say ourselves")
    func environment() {
        let passed = ToolEnvironment.passedOn(of: [
            "HOME": "/h", "PGSSLMODE": "verify-full", "PGSSLCRL": "c", "PGCHANNELBINDING": "require",
            "PGKRBSRVNAME": "p", "KRB5CCNAME": "k", "PGPASSWORD": "x", "PGPASSFILE": "x", "PGOPTIONS": "x",
            "PG_COLOR": "always", "PG_BIN_DIR": "/x", "LD_PRELOAD": "x", "POSTGRES_PASSWORD": "x", "PATH": "/x",
            "PGSERVICE": "s", "PGSERVICEFILE": "/f", "PGHOST": "h", "PGHOSTADDR": "a",
        ])
        let expected: Set = [
            "HOME", "PGSSLMODE", "PGSSLCRL", "PGCHANNELBINDING", "PGKRBSRVNAME", "KRB5CCNAME", "PGHOSTADDR",
        ]
        #expect(Set(passed.keys) == expected)
    }

    /// C37.
    @Test("are those of the server's own major version, else the next newer, looked up at each use")
    func severalVersions() throws {
        let tools = PostgresTools(binDirectory: nil, installed: folder.path)
        func install(_ major: Int) throws {
            try Directory.make(folder.path.appending("\(major)").appending("bin"))
            for tool in ["pg_dump", "pg_restore"] {
                try TemporaryFolder.write(
                    program: folder.path.appending("\(major)/bin/\(tool)"),
                    "#!/bin/sh\necho \"\(tool) (PostgreSQL) \(major).1\"\n")
            }
        }
        for major in [14, 18, 17] { try install(major) }
        #expect(try tools.version(of: .dump) == 18)
        #expect(try tools.version(of: .dump, serverVersion: 170_004) == 17)
        #expect(try tools.version(of: .restore, serverVersion: 160_004) == 17)
        try tools.check(serverVersion: 160_004)
        let tooNew = PostgresError.toolTooNew(tool: "pg_restore", toolVersion: 17, serverVersion: 16)
        #expect(throws: tooNew) { try tools.checkRestore(serverVersion: 160_004) }
        try install(16)
        try tools.checkRestore(serverVersion: 160_004)
        #expect(try tools.version(of: .dump, serverVersion: 160_004) == 16)
        #expect(try tools.version(of: .dump, serverVersion: 140_004) == 14)
    }

    private func copy(
        _ source: ConnectionSettings, told: ([BeyondRestore]) -> Void = { _ in }
    ) throws -> ConnectionSettings {
        let dump = folder.path.appending("dump")
        try tools.dump(source, into: dump, jobs: 2)
        let target = source.naming(database: source.database + "_restored")
        try Databases(source).create(target.database, like: source.database)
        told(try tools.restore(from: dump, into: target, jobs: 2))
        return target
    }
}
