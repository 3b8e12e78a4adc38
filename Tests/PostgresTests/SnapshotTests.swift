// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("A snapshot", .onEachPostgres)
struct SnapshotTests {
    let server: TemporaryPostgres

    init() throws { server = try TemporaryPostgres.shared }

    @Test("counts have names that no reader of JSON takes for equal")
    func distinctNames() {
        let (composed, combined) = ("caf\u{e9}", "cafe\u{301}")
        let counts = QualifiedTable.byDistinctName([
            QualifiedTable(schema: "public", name: composed): 1, QualifiedTable(schema: "public", name: combined): 2,
            QualifiedTable(schema: "public", name: "runs"): 3,
        ])
        #expect(counts == ["public.runs": 3, "public.\"cafe\u{301}\"": 2, #"U&"public".U&"caf\+0000E9""#: 1])
    }

    @Test("shows one moment while rows are added and tables are dropped behind it")
    func oneMoment() throws {
        let database = try server.freshDatabase()
        let writer = try Connection(database)
        try writer.execute("create table runs (id int)")
        try writer.execute("insert into runs select generate_series(1, 100)")
        let snapshot = try ExportedSnapshot(of: database)
        try writer.execute("insert into runs select generate_series(1, 50)")
        try writer.execute("create table later (id int)")
        let counts = try snapshot.rowCounts()
        #expect(counts == [QualifiedTable(schema: "public", name: "runs"): 100])
        snapshot.release()
        #expect(throws: PostgresError.self) { try snapshot.rows("select 1") }
    }

    @Test("counts each partition once, leaves views out, and finds tables of every schema and spelling")
    func whatIsCounted() throws {
        let database = try server.freshDatabase()
        let session = try Connection(database)
        try session.execute("create schema \"Über.Schema\"")
        try session.execute("create table \"Über.Schema\".\"表 \"\"1\"\"\" (id int)")
        try session.execute("insert into \"Über.Schema\".\"表 \"\"1\"\"\" values (1)")
        try session.execute("create table parts (id int) partition by range (id)")
        try session.execute("create table parts_low partition of parts for values from (0) to (10)")
        try session.execute("create table parts_high partition of parts for values from (10) to (20)")
        try session.execute("insert into parts select generate_series(0, 14)")
        try session.execute("create table parent (id int)")
        try session.execute("create table child () inherits (parent)")
        try session.execute("insert into child values (1)")
        try session.execute("create view seen as select * from parts")
        try session.execute("create materialized view kept as select * from parts")
        try session.execute("create temporary table gone (id int)")
        let counts = try ExportedSnapshot(of: database).rowCounts()
        #expect(
            counts == [
                QualifiedTable(schema: "Über.Schema", name: "表 \"1\""): 1,
                QualifiedTable(schema: "public", name: "parts_low"): 10,
                QualifiedTable(schema: "public", name: "parts_high"): 5,
                QualifiedTable(schema: "public", name: "parent"): 0,
                QualifiedTable(schema: "public", name: "child"): 1,
            ])
        #expect(counts.keys.map(\.description).contains("\"Über.Schema\".\"表 \"\"1\"\"\""))
    }

    @Test("of a database with row policies fails rather than count a part")
    func rowPolicies() throws {
        let database = try server.freshDatabase()
        let session = try Connection(database)
        try session.execute("create table hidden (id int)")
        try session.execute("insert into hidden values (1)")
        try session.execute("alter table hidden enable row level security")
        try session.execute("alter table hidden force row level security")
        let error = #expect(throws: PostgresError.self) { try ExportedSnapshot(of: database).rowCounts() }
        guard case .insufficientPrivilege("mlflow_user", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("outlives the time limits an administrator set for idle sessions")
    func timeLimits() throws {
        let database = try server.freshDatabase()
        let admin = try Connection(server.superuser.naming(database: database.database))
        for name in ["idle_in_transaction_session_timeout", "statement_timeout", "idle_session_timeout"] {
            try admin.execute(
                "alter database \(identifier: database.database) set \(identifier: name) to '100ms'")
        }
        let snapshot = try ExportedSnapshot(of: database)
        let rows = try snapshot.rows("select pg_sleep(0.5)::text as slept, current_setting('statement_timeout') as t")
        #expect(try rows.first?.string("t") == "0")
    }

    /// C48. Without the locks the snapshot was one of before the rewrite, at which the table now has no rows at all.
    @Test("sees all rows of a table that somebody held, rewrote and let go while it was taken")
    func rewrittenMeanwhile() throws {
        let database = try server.freshDatabase()
        let writer = try Connection(database)
        try writer.execute("create table runs (id int)")
        try writer.execute("insert into runs select generate_series(1, 1000)")
        try writer.execute("begin")
        try writer.execute("lock table runs in access exclusive mode")
        let rewriting = try WorkerThread("migration") { [writer = Held(writer)] in
            usleep(300_000)
            _ = try? writer.connection.execute("alter table runs alter id type bigint")
            _ = try? writer.connection.execute("commit")
        }
        defer { rewriting.join() }
        let snapshot = try ExportedSnapshot(of: database)
        #expect(try snapshot.rows("select count(*) as n from runs").first?.int("n") == 1000)
        let type = try snapshot.rows("select pg_typeof(id)::text as name from runs limit 1").first?.string("name")
        #expect(type == "bigint")
    }

    @Test("begins anew where a table is made while it is taken, and names who holds one all the while")
    func heldAndNew() throws {
        let database = try server.freshDatabase().waiting(atMost: 1)
        let holder = try Connection(database, applicationName: "nightly migration")
        try holder.execute("create table runs (id int)")
        try holder.execute("begin")
        try holder.execute("create table later (id int)")
        try holder.execute("lock table runs in access exclusive mode")
        let error = #expect(throws: PostgresError.self) { try ExportedSnapshot(of: database) }
        guard case .tablesInUse(1, let holders)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(holders.count == 1 && holders[0].contains("nightly migration"), "\(holders)")
        try holder.execute("commit")
        #expect(try ExportedSnapshot(of: database).rowCounts().count == 2)
        let stop = Cancellation()
        stop.cancel()
        #expect(throws: CancelledError.self) { try ExportedSnapshot(of: database, cancellation: stop) }
    }

    /// C49.
    @Test("gives way to who waits for its tables longer than some seconds, and says who that was")
    func givesWay() throws {
        let database = try server.freshDatabase()
        try Connection(database).execute("create table runs (id int)")
        let snapshot = try ExportedSnapshot(of: database)
        let migration = try QueuedMigration(of: "runs", in: database)
        // The session's own count does not queue behind it.
        #expect(try snapshot.rowCounts().count == 1)
        let error = #expect(throws: PostgresError.self) {
            try snapshot.givingWay(cancellation: Cancellation()) { ending in
                while !ending.isCancelled { usleep(20_000) }
                throw CancelledError()
            }
        }
        snapshot.release()
        migration.thread.join()
        guard case .tablesInUse(3, let waiters)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(waiters.count == 1 && waiters[0].contains("nightly migration"), "\(waiters)")
    }
}

/// A session handed to another thread, which alone uses it from then on.
// @unchecked: see above.
private struct Held: @unchecked Sendable {
    let connection: Connection

    init(_ connection: Connection) { self.connection = connection }
}
