// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

/// What does not need MLflow itself: moments, sessions, tables of other programs.
@Suite(.onEachPostgres) struct StoreComparisonTests {
    private struct Pair {
        let live: ConnectionSettings
        let restored: ConnectionSettings
        let session: Connection

        /// - Parameter restoredSchema: where it is to differ from the live one.
        init(_ schema: [SQL], restoredSchema: [SQL]? = nil) throws {
            let server = try TemporaryPostgres.shared
            live = try server.freshDatabase("compared_live")
            restored = try server.freshDatabase("compared_restored")
            session = try Connection(live)
            for statement in schema { try session.execute(statement) }
            let other = try Connection(restored)
            for statement in restoredSchema ?? schema { try other.execute(statement) }
            other.close()
        }

        func open() throws -> StoreComparison { try StoreComparison(live: live, restored: restored) }

        func found() throws -> [String] {
            let comparison = try open()
            defer { comparison.close() }
            return try comparison.first().described
        }
    }

    private static let invoices: [SQL] = [
        "create table invoices (id integer primary key, payer text, amount numeric)",
        "insert into invoices select n, 'payer ' || n, n from generate_series(1, 5000) n",
    ]

    @Test func aRowOfAnotherProgramsTableIsNamedByItsKey() throws {
        let pair = try Pair(Self.invoices)
        #expect(try pair.found() == [])
        try pair.session.execute("insert into invoices values (5001, 'new', 1)")
        try pair.session.execute("update invoices set amount = 2.50 where id = 17")
        try pair.session.execute("delete from invoices where id = 4000")
        #expect(
            try pair.found() == ["row public.invoices (17) was changed", "row public.invoices (5001) was added"])
    }

    @Test func columnsInAnotherOrderAreTheSameTable() throws {
        let pair = try Pair(
            ["create table t (a integer primary key, b text)", "insert into t (a, b) values (1, 'x')"],
            restoredSchema: ["create table t (b text, a integer primary key)", "insert into t (a, b) values (1, 'x')"])
        #expect(try pair.found() == [])
    }

    @Test func rowsWithoutAKeyAreCountedByContent() throws {
        let pair = try Pair(["create table log (line text)", "insert into log values ('a'), ('a'), (null), ('b')"])
        try pair.session.execute("delete from log where line = 'b'")
        #expect(try pair.found() == [])
        try pair.session.execute("insert into log values ('a')")
        #expect(try pair.found() == ["row public.log ((a)) was added"])
    }

    @Test func nullAndAnEmptyTextDiffer() throws {
        let pair = try Pair(["create table t (a integer primary key, b text)", "insert into t values (1, null)"])
        try pair.session.execute("update t set b = ''")
        #expect(try pair.found() == ["row public.t (1) was changed"])
    }

    @Test func aLongValueThatDiffersAtItsEndIsFound() throws {
        let pair = try Pair([
            "create table t (a integer primary key, b text)", "insert into t values (1, repeat('x', 100000) || 'y')",
        ])
        try pair.session.execute("update t set b = repeat('x', 100000) || 'z'")
        #expect(try pair.found() == ["row public.t (1) was changed"])
    }

    @Test func canonicallyEqualTextsAreDifferentValuesAndKeys() throws {
        let pair = try Pair(["create table t (a text primary key, b text)", "insert into t values ('k', 'e\u{301}')"])
        try pair.session.execute("update t set b = '\u{E9}'")
        try pair.session.execute("insert into t values ('\u{E9}', ''), ('e\u{301}', '')")
        #expect(try pair.found().count == 3)
    }

    @Test func canonicallyEqualNamesAreDifferentColumns() throws {
        let (composed, combined) = ("caf\u{e9}", "cafe\u{301}")
        let pair = try Pair([
            "create table t (a integer primary key, \(identifier: composed) text, \(identifier: combined) text)",
            "insert into t values (1, 'x', 'x')", "insert into t values (2, 'x', 'x')",
            "create table one (a integer primary key, \(identifier: composed) text)", "insert into one values (1, 'x')",
        ])
        #expect(try pair.found() == [])
        try pair.session.execute("update t set \(identifier: composed) = 'y' where a = 1")
        try pair.session.execute("update t set \(identifier: combined) = 'y' where a = 2")
        try pair.session.execute("alter table one add \(identifier: combined) text")
        #expect(
            Set(try pair.found()) == [
                "row public.t (1) was changed", "row public.t (2) was changed",
                "column \(combined) of table public.one was added",
            ])
    }

    @Test func bytesThatAreNoTextAreComparedWhereTheDatabaseHasNoEncoding() throws {
        let statements: [SQL] = [
            "create table t (a integer primary key, b text)", "create table log (line text)",
            #"insert into t values (1, E'caf\xe9'), (2, E'caf\xe9'), (3, repeat(E'\xe9', 400)), (4, E'\xe9')"#,
            #"insert into log values (E'\xe9'), (E'\xea')"#,
            "create table keyed (k text primary key)", #"insert into keyed values ('é'), (E'\xe9')"#,
        ]
        let server = try TemporaryPostgres.shared
        let names = (0..<2).map { _ in "bytes_\(UInt32.random(in: .min ... .max))" }
        let sessions = try names.map { name -> Connection in
            let maker = try Connection(server.settings.naming(database: "postgres"))
            try maker.execute(
                "create database \(identifier: name) template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'"
            )
            maker.close()
            let session = try Connection(server.settings.naming(database: name))
            for statement in statements { try session.execute(statement) }
            return session
        }
        let comparison = try StoreComparison(
            live: server.settings.naming(database: names[0]), restored: server.settings.naming(database: names[1]))
        defer { comparison.close() }
        #expect(try comparison.first().described == [])
        try sessions[0].execute(#"update t set b = E'caf\xea' where a = 2"#)
        try sessions[0].execute(#"update t set b = repeat(E'\xea', 400) where a = 3"#)
        try sessions[0].execute("update t set b = 'plain' where a = 4")
        try sessions[0].execute(#"insert into log values (E'\xeb')"#)
        let found = Set(try comparison.first().described)
        #expect(
            found.isSuperset(of: (2...4).map { "row public.t (\($0)) was changed" }) && found.count == 4, "\(found)")
        // Touched rows are there, by keys of any bytes, and in the server's order: A9 before é (C3 A9).
        try sessions[0].execute("update keyed set k = k")
        try sessions[0].execute(#"insert into keyed values (E'\xa9')"#)
        #expect(try comparison.last().total == 5)
    }

    @Test func tablesAndColumnsThatTheBackupLacksAreFoundWhereTheyHoldSomething() throws {
        let pair = try Pair(["create table t (a integer primary key)"])
        try pair.session.execute("create table empty (a integer)")
        try pair.session.execute("create schema other")
        try pair.session.execute("create table other.full_one as select 1 as a")
        try pair.session.execute("alter table t add column b text")
        #expect(
            try pair.found() == [
                "table other.full_one with 1 rows was added", "column b of table public.t was added",
            ])
    }

    @Test func aTransactionThatRanDuringTheFirstLookIsFoundByTheLast() throws {
        let pair = try Pair(Self.invoices)
        let writer = try Connection(pair.live)
        try writer.execute("begin")
        try writer.execute("insert into invoices values (9001, 'early', 1)")
        // Younger transactions end before it does.
        try pair.session.execute("create table other (a integer)")
        let comparison = try pair.open()
        defer { comparison.close() }
        #expect(try comparison.first().described == [])
        try writer.execute("savepoint s")
        try writer.execute("insert into invoices values (9002, 'late', 1)")
        try writer.execute("commit")
        #expect(
            try comparison.last().described == [
                "row public.invoices (9001) was added", "row public.invoices (9002) was added",
            ])
    }

    @Test func theLastLookSeesEachKindOfWriteSinceTheFirst() throws {
        let pair = try Pair(Self.invoices)
        let comparison = try pair.open()
        defer { comparison.close() }
        #expect(try comparison.first().isEmpty)
        #expect(try comparison.last().isEmpty)
        try pair.session.execute("update invoices set payer = 'other' where id = 3")
        try pair.session.execute("create table later (a integer primary key)")
        try pair.session.execute("insert into later values (1)")
        #expect(
            try comparison.last().described == [
                "row public.invoices (3) was changed", "table public.later with 1 rows was added",
            ])
        try pair.session.execute("update invoices set payer = 'payer 3' where id = 3")
        try pair.session.execute("drop table later")
        #expect(try comparison.last().isEmpty)
        try pair.session.execute("vacuum (freeze, full) invoices")
        try pair.session.execute("insert into invoices values (6000, 'new', 1)")
        try pair.session.execute("delete from invoices where id = 1")
        #expect(try comparison.last().described == ["row public.invoices (6000) was added"])
    }

    @Test func itsSessionsWorkOnInADatabaseThatWasClosed() throws {
        let pair = try Pair(Self.invoices)
        let comparison = try pair.open()
        defer { comparison.close() }
        #expect(try comparison.first().isEmpty)
        try pair.session.execute("insert into invoices values (7000, 'new', 1)")
        pair.session.close()
        let admin = try Connection(pair.live.naming(database: "postgres"))
        try admin.execute("alter database \(identifier: pair.live.database) allow_connections false")
        #expect(throws: PostgresError.self) { try Connection(pair.live) }
        #expect(try comparison.last().described == ["row public.invoices (7000) was added"])
        #expect(Set(try comparison.serverProcesses()).count == 2)
    }

    @Test func settingsOfTheDatabaseDoNotMakeValuesDiffer() throws {
        let pair = try Pair([
            "create table t (a timestamptz primary key, b date, c double precision, d bytea, e interval)",
            "insert into t values ('2026-01-02 03:04:05.678+02', '2026-02-03', 0.1 + 0.2, '\\x00ff', '1 day 2 hours')",
        ])
        for setting in [
            "timezone to 'Asia/Shanghai'", "datestyle to 'German'", "extra_float_digits to 0",
            "bytea_output to 'escape'", "intervalstyle to 'iso_8601'", "statement_timeout to '5ms'",
            "default_transaction_read_only to on", "search_path to nowhere",
        ] {
            let sql = SQL(stringLiteral: setting)
            try pair.session.execute("alter database \(identifier: pair.live.database) set " + sql)
        }
        #expect(try pair.found() == [])
    }

    @Test func aHundredThousandFindingsAreCountedAndAHundredATableKept() throws {
        let pair = try Pair(["create table t (a integer primary key)"])
        try pair.session.execute("insert into t select n from generate_series(1, 100000) n")
        let comparison = try pair.open()
        defer { comparison.close() }
        let findings = try comparison.first()
        #expect(findings.total == 100_000)
        #expect(findings.kept.count == StoreFindings.limitPerTable)
    }

    @Test func findingsSurviveJSON() throws {
        let pair = try Pair(Self.invoices)
        try pair.session.execute("insert into invoices values (8000, 'new', 1)")
        let comparison = try pair.open()
        defer { comparison.close() }
        let findings = try comparison.first()
        let decoded = try JSONDecoder().decode(StoreFindings.self, from: JSONEncoder().encode(findings))
        #expect(decoded == findings)
        #expect(decoded.kept.first?.text.chinese == "表 public.invoices (8000) 中新增了记录")
    }

    @Test func cancellationEndsAComparison() throws {
        let pair = try Pair(Self.invoices)
        let cancellation = Cancellation()
        let comparison = try StoreComparison(live: pair.live, restored: pair.restored, cancellation: cancellation)
        defer { comparison.close() }
        cancellation.cancel()
        #expect(throws: CancelledError.self) { try comparison.first() }
    }

    @Test func revisionsAreOrderedAlongMLflowsChain() {
        #expect(SchemaRevisions.order("867495a8f9d4", "dc11669786a5") == .older)
        #expect(SchemaRevisions.order("dc11669786a5", "867495a8f9d4") == .newer)
        #expect(SchemaRevisions.order("dc11669786a5", "dc11669786a5") == .same)
        #expect(SchemaRevisions.order("dc11669786a5", "ffffffffffff") == .unknown)
        #expect(SchemaRevisions.chain.count == 70)
        #expect(Set(SchemaRevisions.chain).count == 70)
        #expect(SchemaRevisions.order("dc11669786a5", "f4a9b2c7d1e6") == .older)
    }
}

extension StoreFindings {
    fileprivate var described: [String] { kept.map(\.text.english) }
}
