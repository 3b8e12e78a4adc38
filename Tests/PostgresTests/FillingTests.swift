// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("Filling materialized views, in which a client's functions run", .onEachPostgres)
struct FillingTests {
    let ground: RestoringFixture
    let source: ConnectionSettings

    init() throws {
        ground = try RestoringFixture()
        source = try ground.server.freshDatabase("fills")
    }

    private func plant(_ body: String) throws -> [BeyondRestore] {
        try ground.run(
            source,
            [
                "create table runs as select 1 as id", "create materialized view z_after as select id from runs",
                """
                create function f() returns int language plpgsql as $$ begin
                  if current_database() <> \(literal: source.database) then \(SQL(stringLiteral: body)) end if; return 1; end $$
                """, "create materialized view a_planted as select f() as id",
                "create materialized view on_it as select id from a_planted",
            ])
        try ground.dump(source)
        let target = source.naming(database: "\(source.database)_new")
        try Databases(source).create(target.database, like: source.database)
        var tools = PostgresTools(binDirectory: ground.server.binDirectory)
        tools.fillingTime = 3
        let told = try tools.restore(
            from: ground.dump, into: target, dumper: source.user, standingFor: source.database, jobs: 1)
        // Of what was begun nothing is left in the database that is to be renamed.
        let others: SQL = """
            select count(*)::text from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
            """
        #expect(try ground.texts(target, others) == ["0"])
        #expect(try ground.texts(target, "select count(*)::text from runs") == ["1"])
        return told
    }

    private static let named = ["materialized view data public.a_planted", "materialized view data public.on_it"]

    @Test("one that does not let itself be cancelled is ended from outside", .timeLimit(.minutes(2)))
    func notCancelled() throws {
        let told = try plant("loop begin perform pg_sleep(1); exception when query_canceled then null; end; end loop;")
        #expect(Set(told.map(\.description)).isSuperset(of: Self.named), "\(told)")
    }

    @Test(
        "one that ends its own session ends no restore, and the others are filled in another", .timeLimit(.minutes(2)))
    func endsItself() throws {
        let told = try plant("perform pg_terminate_backend(pg_backend_pid());")
        #expect(told.map(\.description).sorted() == Self.named, "\(told)")
        let filled: SQL = "select count(*)::text from z_after"
        #expect(try ground.texts(source.naming(database: "\(source.database)_new"), filled) == ["1"])
    }
}
