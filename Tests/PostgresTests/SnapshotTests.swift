// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("A snapshot")
struct SnapshotTests {
    let server: TemporaryPostgres

    init() throws { server = try TemporaryPostgres.shared }

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
}
