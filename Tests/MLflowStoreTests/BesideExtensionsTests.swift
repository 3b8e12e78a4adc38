// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import TestSupport
import Testing
import Wording

/// Tables that belong to an extension, or to the server.
@Suite("What a restore would lose of an extension's tables", .onEachPostgres) struct BesideExtensionsTests {
    private static let hidden: [SQL] = [
        "create extension dblink", "create table vault (id int primary key, line text)",
        "create table empty_vault (id int)", "create schema closed", "create table closed.open (id int primary key)",
        "grant select on closed.open to public", "alter extension dblink add table vault",
        "alter extension dblink add table empty_vault", "alter extension dblink add table closed.open",
    ]

    @Test(
        "names an extension's tables that this role may not read and that may have rows, and none that is empty",
        .ofContrib)
    func unreadable() throws {
        let pair = try DatabasePair([], asSuperuser: Self.hidden)
        #expect(try pair.found() == [])
        let rows = try pair.fresh()
        defer { rows.close() }
        let moment = try rows.moment()
        #expect(try rows.written(since: moment)?.isEmpty == true)
        #expect(try rows.inNoDump(beside: pair.restored).isEmpty)
        let comparison = try StoreComparison(live: pair.live, restored: pair.restored)
        defer { comparison.close() }
        #expect(try comparison.first().isEmpty)
        try pair.admin("insert into vault values (1, 'precious')", "insert into closed.open values (1)")
        let all = ["closed.open", "public.vault"].map {
            "what is in table \($0) of extension dblink, which the role mlflow_user may not read, or not all of it, can neither be compared "
                + "nor be in a backup"
        }
        #expect(try pair.found() == all)
        #expect(try comparison.last().kept.map(\.text.english) == all)
        #expect(try comparison.lastLocking().findings.kept.map(\.text.english) == all)
        #expect(try rows.written(since: moment)?.kept.map(\.text.english) == all)
        #expect(try rows.inNoDump(beside: pair.restored).kept.map(\.text.english) == all)
        // Who may read them compares them.
        #expect(
            Set(try pair.found(asSuperuser: true)) == [
                "row public.vault (1) was added", "row closed.open (1) was added",
            ])
    }

    @Test("names an extension's table of which a policy would show this role only a part", .ofContrib)
    func policies() throws {
        let pair = try DatabasePair(
            [],
            asSuperuser: [
                "create extension dblink", "create table et (i int primary key, own text)",
                "alter extension dblink add table et", "grant select on et to public",
                "alter table et enable row level security", "create policy p on et using (own = current_user)",
            ])
        #expect(try pair.found() == [])
        try pair.admin("insert into et values (1, 'other')")
        #expect(try pair.found().map { $0.contains("table public.et of extension dblink") } == [true])
    }

    @Test("names any table that this role may not read, or of which a policy hides rows, and compares the others")
    func hidden() throws {
        let pair = try DatabasePair([])
        try pair.admin(
            "create table information_schema.secret (i int)", "insert into information_schema.secret values (1)",
            "create table guarded (i int primary key, own text)", "insert into guarded values (1, 'other')",
            "grant select, update on guarded to public", "alter table guarded enable row level security",
            "create policy p on guarded using (own = current_user)", "create table plain (i int primary key)",
            "insert into plain values (7)", "grant select, update on plain to public")
        let named = ["information_schema.secret", "public.guarded"].map {
            "what is in table \($0), which the role mlflow_user may not read, or not all of it, can neither be compared nor be "
                + "in a backup"
        }
        #expect(try Set(pair.found()) == Set(named + ["table public.plain with 1 rows was added"]))
        let rows = try pair.fresh()
        defer { rows.close() }
        #expect(try rows.inNoDump(beside: pair.restored).kept.map(\.text.english) == named)
        #expect(try rows.writtenLocking(since: rows.moment()).findings?.kept.map(\.text.english) == named)
    }

    @Test("leaves out the server's own tables, also where somebody made them anew")
    func madeAnew() throws {
        let pair = try DatabasePair([])
        // As the server's information_schema.sql does it.
        try pair.admin(
            "drop schema information_schema cascade", "create schema information_schema",
            "grant usage on schema information_schema to public",
            "create table information_schema.sql_features (feature_id text)",
            "grant select on information_schema.sql_features to public",
            "create table information_schema.sql_parts (feature_id text)",
            "insert into information_schema.sql_parts values ('x')")
        #expect(try pair.found() == [])
        let comparison = try StoreComparison(live: pair.live, restored: pair.restored)
        defer { comparison.close() }
        #expect(try comparison.lastLocking().findings.isEmpty)
        // A person's own table there is no server's.
        try pair.admin(
            "create table information_schema.mine (i int primary key)",
            "insert into information_schema.mine values (42)", "grant select on information_schema.mine to public")
        #expect(try pair.found() == ["table information_schema.mine with 1 rows was added"])
        let rows = try pair.fresh()
        defer { rows.close() }
        #expect(
            try rows.inNoDump(beside: pair.restored).kept.map(\.text.english)
                == ["no backup holds 1 rows of table information_schema.mine"])
        #expect(try rows.writtenLocking(since: rows.moment()).findings?.isEmpty == true)
    }

    @Test("takes rows of CREATE EXTENSION's transaction for its own where the live database has them, too", .ofContrib)
    func sameTransaction() throws {
        let pair = try DatabasePair(
            [],
            asSuperuser: [
                "begin", "create extension dblink", "create table cache (id int, written text)",
                "alter extension dblink add table cache", "grant select on cache to mlflow_user",
                "insert into cache values (1, 'own'), (1, 'own'), (77, null)", "commit",
            ])
        let rows = try pair.fresh()
        defer { rows.close() }
        func missing(_ live: ConnectionSettings) throws -> [String] {
            try rows.inNoDump(beside: live).kept.map(\.text.english)
        }
        func lacking(_ count: Int) -> [String] {
            ["no backup holds \(count) rows of table public.cache, which belongs to extension dblink"]
        }
        #expect(try missing(pair.restored) == [])
        #expect(try missing(pair.restored.naming(database: "of_no_such_name")) == lacking(3))
        try pair.adminOfRestored("insert into cache values (2, 'more')", "delete from cache where id = 77")
        #expect(try missing(pair.restored) == lacking(1))
        try pair.admin("insert into cache values (3, 'later')")
        try pair.adminOfRestored(
            "delete from cache where ctid = (select min(ctid) from cache where id = 1)",
            "insert into cache values (3, 'later')")
        #expect(try missing(pair.restored) == lacking(3))
        try pair.adminOfRestored("alter table cache add more int")
        #expect(try missing(pair.restored) == lacking(4))
    }
}
