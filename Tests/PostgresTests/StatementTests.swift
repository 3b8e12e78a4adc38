// SPDX-License-Identifier: Apache-2.0

import Postgres
import TestSupport
import Testing

@Suite("A statement", .onEachPostgres)
struct StatementTests {
    let session: Connection

    init() throws { session = try Connection(TemporaryPostgres.shared.settings) }

    @Test(
        "carries any text as a value, a literal and an array element",
        arguments: ["", "it's", "a\\b", "'; drop table runs; --", "e\u{301}\"{},", "'\u{301}", "中文 😀", "$1", "NULL"])
    func texts(text: String) throws {
        let row = try #require(
            try session.rows(
                """
                select \(text)::text as bound, \(literal: text)::text as written,
                       (\([text, "x"])::text[])[1] as element
                """
            ).first)
        #expect(try Array(row.string("bound").utf8) == Array(text.utf8))
        #expect(try Array(row.string("written").utf8) == Array(text.utf8))
        #expect(try Array(row.string("element").utf8) == Array(text.utf8))
    }

    @Test(
        "quotes any name",
        arguments: ["UPPER", "with \"quotes\"", "实验", "select", "a.b", "\"\u{301}", "back\\slash"])
    func names(name: String) throws {
        try session.execute("create temporary table \(identifier: name) (\(identifier: name) text)")
        try session.execute("insert into \(identifier: name) values (\("v"))")
        let rows = try session.rows("select \(identifier: name) from pg_temp.\(identifier: name)")
        #expect(try rows.first?.string(.name(name)) == "v")
    }

    @Test("reads numbers, truth values and NULL by name and by position")
    func types() throws {
        let row = try #require(
            try session.rows(
                "select \(42)::int as a, \(true)::bool as b, \(String?.none)::text as c, \(Int64.max)::bigint, 1.5 as e"
            ).first)
        #expect(try row.int("a") == 42)
        #expect(try row.bool("b"))
        #expect(try row.optional("c", as: String.self) == nil)
        #expect(try row.int64(3) == Int64.max)
        #expect(try row.value("e", as: Double.self) == 1.5)
        #expect(throws: PostgresError.unexpectedValue(column: "c", found: "NULL")) { try row.string("c") }
        #expect(throws: PostgresError.unexpectedValue(column: "nope", found: "no such column")) { try row.int("nope") }
        #expect(throws: PostgresError.unexpectedValue(column: "e", found: "'1.5'")) { try row.int("e") }
    }

    @Test("that ends because another server is lost is not told as if ours was")
    func otherServer() throws {
        #expect(throws: PostgresError.query(sqlstate: "08001", message: "it is away")) {
            try session.execute(
                "do $$ begin raise exception using errcode = '08001', message = 'it is away'; end $$")
        }
        #expect(try session.rows("select 1 as n").first?.int("n") == 1)
    }

    @Test("with a NUL byte is refused instead of cut short")
    func nulByte() throws {
        #expect(throws: PostgresError.nulByte(text: "a\\0b")) { try session.rows("select \("a\0b")::text") }
        #expect(throws: PostgresError.self) { try session.rows("select 1 as \(identifier: "a\0b")") }
    }

    @Test("cannot smuggle a second statement in")
    func oneStatement() throws {
        #expect(throws: PostgresError.self) { try session.execute("select 1; select 2") }
        #expect(try session.rows("select 3 as n").first?.int("n") == 3)
    }

    @Test("that fails carries its SQLSTATE, and the session goes on")
    func failure() throws {
        let error = #expect(throws: PostgresError.self) { try session.execute("select * from no_such_table") }
        guard case .query("42P01", let message)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(message.contains("no_such_table"))
        #expect(throws: PostgresError.self) { try session.execute("copy (select 1) to stdout") }
    }
}
