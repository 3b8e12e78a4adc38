// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("What a role may not make", .onEachPostgres)
struct RestoreTrialTests {
    let server: TemporaryPostgres
    let tools: PostgresTools
    let folder: TemporaryFolder

    init() throws {
        server = try TemporaryPostgres.shared
        tools = PostgresTools(binDirectory: server.binDirectory)
        folder = try TemporaryFolder("trial")
    }

    private func run(_ settings: ConnectionSettings, _ statements: SQL...) throws {
        let session = try Connection(settings)
        defer { session.close() }
        for statement in statements { try session.execute(statement) }
    }

    private func admin(_ database: ConnectionSettings) -> ConnectionSettings {
        server.superuser.naming(database: database.database)
    }

    private func restore(
        _ source: ConnectionSettings, as role: ConnectionSettings, _ name: String, dumping: Bool = true
    ) throws -> (target: ConnectionSettings, told: [BeyondRestore]) {
        let dump = folder.path.appending("dump")
        if dumping { try tools.dump(source, into: dump) }
        let target = role.naming(database: "\(source.database)_\(name)")
        try Databases(role).create(target.database, like: source.database)
        let told = try tools.restore(
            from: dump, into: target, dumper: source.user, standingFor: source.database, jobs: 1)
        return (target, told)
    }

    private func names(_ database: ConnectionSettings, _ query: SQL) throws -> [String] {
        try Connection(admin(database)).rows(query).map { try $0.string(0) }
    }

    /// C23, C22.
    @Test("is found by trying, said at backup, and left out by a restore, which brings back all the rest")
    func forSuperusers() throws {
        let source = try server.freshDatabase("for_superusers")
        let gone = "gone_\(source.database)"
        try run(
            source, "create table runs as select 7 as id", "create type kind as enum ('a')",
            "create function ours(kind) returns text language sql as $$ select $1::text $$",
            "create cast (kind as json) with inout",
            "create function plus(int, int) returns int language sql as 'select $1 + $2'",
            "create aggregate total(int) (sfunc = plus, stype = int, initcond = '0')")
        try run(
            admin(source), "create cast (varchar as json) with inout",
            "create function sealed(kind) returns text leakproof language sql as $$ select $1::text $$",
            "create view on_it as select sealed('a')",
            "create function quiet() returns int set session_replication_role = 'replica' language sql as 'select 1'",
            """
            create aggregate inside(anynonarray) (sfunc = array_agg_transfn, stype = internal, finalfunc = array_agg_finalfn,
              finalfunc_extra)
            """,
            "create role \(identifier: gone)", "create policy theirs on runs to \(identifier: gone) using (true)",
            "create policy all_of_us on runs using (true)", "alter table runs enable row level security")
        let beyond = try DatabaseGround(on: Connection(source)).beyondRestore.filter { $0.fate == .leftOut }
        // PostgreSQL 18 does without the schema of its own types.
        let expected = [
            "cast (character varying AS json)", "function public.quiet()",
            "function public.sealed(public.kind)",
            "view public.on_it",
        ]
        let told = beyond.map { $0.description.replacing("AS pg_catalog.", with: "AS ") }
        #expect(told.filter { !$0.hasPrefix("aggregate") }.sorted() == expected)
        #expect(beyond.filter { $0.kind == "aggregate" }.map(\.name) == ["public.inside(pg_catalog.anynonarray)"])
        try tools.dump(source, into: folder.path.appending("dump"))
        try run(
            admin(source), "drop policy theirs on runs", "drop role \(identifier: gone)")

        let (target, out) = try restore(source, as: source, "restored", dumping: false)
        #expect(Set(out.map(\.kind)) == ["cast", "function", "view", "aggregate", "policy"], "\(out)")
        #expect(out.first { $0.kind == "policy" }?.reason?.contains(gone) == true)
        #expect(try names(target, "select id::text from runs") == ["7"])
        #expect(try names(target, "select total(i)::text from generate_series(1, 3) i") == ["6"])
        #expect(try names(target, "select castmethod::text from pg_cast where oid >= 16384") == ["i"])
        #expect(try names(target, "select polname::text from pg_policy") == ["all_of_us"])
        // A superuser's restore makes all but the policy.
        let (whole, refused) = try restore(source, as: server.superuser, "whole", dumping: false)
        #expect(refused.map(\.kind) == ["policy"], "\(refused)")
        #expect(try names(whole, "select count(*)::text from pg_cast where oid >= 16384") == ["2"])
    }

    @Test("what stands in a function's body is no line of the dump, and a name may have two lines")
    func bodies() throws {
        let source = try server.freshDatabase("bodies")
        let other = "team\nof \(source.database)"
        try run(admin(source), "create role \(identifier: other)")
        // The numbers of its entries are not known before: each that may be one is claimed.
        let claims = (200...330).map {
            "--\n-- TOC entry \($0) (class 0 OID 0)\n-- Name: x; Type: ACL; Schema: -; Owner: -\n\n"
        }
        let spoof = claims.joined(separator: "ALTER ROLE mlflow_user SUPERUSER;\n\n")
        try run(
            source, "create function a() returns text language sql as \(literal: "select $x$\n\(spoof)\n$x$")",
            "create function b() returns text language sql as \(literal: "select 'x';\n--\n-- PostgreSQL database dump complete\n--\n")",
            "comment on function b() is \(literal: "it's\n-- PostgreSQL database dump complete\n")",
            "create table runs as select 1 as id", "create table zebra as select 1 as id")
        try run(
            admin(source), "create table \(identifier: "two\nlines") (i int)",
            "alter table \(identifier: "two\nlines") owner to \(identifier: other)",
            "grant select, update on \(identifier: "two\nlines") to mlflow_user",
            "grant select on zebra to \(identifier: other)")
        let (target, told) = try restore(source, as: server.superuser, "restored")
        #expect(told == [])
        let owners: SQL = """
            select c.relname || ': ' || pg_get_userbyid(c.relowner) || coalesce(' ' || c.relacl::text, '')
            from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1
            """
        #expect(try names(target, owners) == names(source, owners))
        #expect(try names(target, "select rolsuper::text from pg_roles where rolname = 'mlflow_user'") == ["false"])
    }

    @Test("large objects get their owners and grants back, as far as this role may, and it is said before")
    func largeObjects() throws {
        let source = try server.freshDatabase("objects_owned")
        let other = "other_\(source.database)"
        try run(source, "create table runs as select 7 as id", "select lo_from_bytea(4242, 'ours')")
        try run(
            admin(source), "create role \(identifier: other)", "select lo_from_bytea(4243, 'theirs')",
            "alter large object 4243 owner to \(identifier: other)",
            "grant select on large object 4242 to \(identifier: other)",
            "grant select on large object 4243 to mlflow_user")
        #expect(
            try DatabaseGround(on: Connection(source)).beyondRestore
                == [.init(kind: "owner", name: other, fate: .ownerChanges, count: 1)])
        let all: SQL = """
            select m.oid || ': ' || pg_get_userbyid(m.lomowner) || ' ' || m.lomacl::text || ' ' || encode(lo_get(m.oid), 'escape')
            from pg_largeobject_metadata m order by 1
            """
        let before = try names(source, all)
        let (ours, told) = try restore(source, as: source, "ours")
        #expect(told == [.init(kind: "owner", name: other, fate: .ownerChanges, count: 1)])
        #expect(try names(ours, all).first == before.first)
        let (whole, refused) = try restore(source, as: server.superuser, "whole", dumping: false)
        #expect(refused == [])
        #expect(try names(whole, all) == before)
    }

    @Test("an owner who may make things in a schema by a grant of the dump gets his back")
    func grantedSchema() throws {
        let source = try server.freshDatabase("granted_schema")
        let team = "team_\(source.database)"
        try run(
            admin(source), "create role \(identifier: team)", "grant \(identifier: team) to mlflow_user",
            "grant create, usage on schema public to \(identifier: team)")
        try run(
            source, "create table runs as select 7 as id", "alter table runs owner to \(identifier: team)")
        let (target, told) = try restore(source, as: source, "restored")
        #expect(told == [])
        let owner: SQL = "select pg_get_userbyid(relowner)::text from pg_class where oid = 'public.runs'::regclass"
        #expect(try names(target, owner) == [team])
        try run(admin(source), "revoke \(identifier: team) from mlflow_user")
    }
}

@Suite("Quoted text of a script")
struct QuotedTextTests {
    @Test(
        "is told from what is outside, line by line",
        arguments: [
            ("a\nb", "oo"), ("'a\nb'\nc", "oio"), ("'it''s\nx'\ny", "oio"), ("\"a\n\"\"b\"\nc", "oio"),
            ("$$ '\n$$\nc", "oio"), ("$a$ $$\n$b$\n$a$;\nc", "oiio"), ("-- it's\nc", "oo"), ("x -- \"\nc", "oo"),
            (#"E'\'"# + "\n'\nc", "oio"), (#"'\'"# + "\nc", "oo"), (#"like'\'"# + "\nc", "oo"), ("a$b$\nc", "oo"),
            ("$1 $2\nc", "oo"), (#"e'\"# + "\n'\nc", "oio"), ("'-- '\nc", "oo"), ("$$\n", "oi"),
        ])
    func lines(script: String, expected: String) {
        let found = QuotedText.outsideLines(of: Array(script.utf8)).map { $0 ? "o" : "i" }.joined()
        #expect(found == expected, "\(script)")
    }

    @Test(
        "is a name, or more than one",
        arguments: [
            ("app", true), ("a$b", true), (#""a b""#, true), (#""a"" OWNER TO ""b""#, true), ("", false),
            ("b'::text", false),
            (#""'::"T""#, false), (#""a"#, false), ("\"\"", false), ("\"\"\"\"", true),
        ])
    func names(text: String, expected: Bool) {
        #expect(QuotedText.isName(Array(text.utf8)[...]) == expected, "\(text)")
    }
}
