// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing

/// C24: what `ALTER ROLE … SET` and `ALTER DATABASE … SET` say is for MLflow's sessions, not for ours.
@Suite("Our sessions and programs", .onEachPostgres)
struct SessionParameterTests {
    let server: TemporaryPostgres

    init() throws { server = try TemporaryPostgres.shared }

    private static let hostile: [(name: String, value: String, ours: String)] = [
        ("statement_timeout", "1ms", "0"), ("lock_timeout", "1ms", "0"),
        ("idle_in_transaction_session_timeout", "1ms", "0"), ("idle_session_timeout", "1s", "0"),
        ("default_transaction_read_only", "on", "off"),
        ("default_transaction_isolation", "serializable", "read committed"),
        ("default_transaction_deferrable", "on", "off"), ("search_path", "nowhere", "public"),
        ("standard_conforming_strings", "off", "on"),
        ("DateStyle", "German", "ISO, MDY"), ("IntervalStyle", "iso_8601", "postgres"),
        ("extra_float_digits", "-15", "1"),
        ("bytea_output", "escape", "hex"), ("quote_all_identifiers", "on", "off"), ("row_security", "on", "off"),
        ("client_encoding", "LATIN1", "UTF8"),
    ]

    /// A role of its own in a database of its own, both with settings that stand in the way.
    private func hostileDatabase(_ name: String) throws -> ConnectionSettings {
        let database = try server.freshDatabase(name)
        let admin = try Connection(server.superuser.naming(database: database.database))
        let role = "role_\(database.database)"
        try admin.execute("create role \(identifier: role) login createdb password 'x'")
        try admin.execute("alter database \(identifier: database.database) owner to \(identifier: role)")
        try admin.execute("alter schema public owner to \(identifier: role)")
        for (name, value, _) in Self.hostile {
            try admin.execute("alter role \(identifier: role) set \(identifier: name) to \(literal: value)")
            try admin.execute(
                "alter database \(identifier: database.database) set \(identifier: name) to \(literal: value)")
        }
        return ConnectionSettings(
            host: database.host, port: database.port, user: role, password: Secret("x"), database: database.database)
    }

    @Test("have parameters of their own, whatever role and database set")
    func parameters() throws {
        let session = try Connection(try hostileDatabase("hostile"))
        for (name, _, ours) in Self.hostile {
            #expect(try session.rows("select current_setting(\(name)) as value")[0].string("value") == ours, "\(name)")
        }
    }

    @Test(
        "wait as long for a standby as the role's own, and for our disk in any case",
        arguments: [("local", "local"), ("remote_write", "remote_write"), ("on", "on"), ("off", "local")])
    func commits(wanted: String, ours: String) throws {
        let database = try server.freshDatabase("commits")
        let admin = try Connection(server.superuser.naming(database: database.database))
        try admin.execute(
            "alter database \(identifier: database.database) set synchronous_commit to \(literal: wanted)")
        let found = try Connection(database).rows("select current_setting('synchronous_commit') as value")
        #expect(try found[0].string("value") == ours)
    }

    @Test("dump and restore where role and database limit every statement and allow no writing")
    func dumpAndRestore() throws {
        let source = try hostileDatabase("hostile_dump")
        let session = try Connection(source)
        try session.execute("create table runs (id serial primary key, at interval, raw bytea, f float8)")
        try session.execute(
            "insert into runs (at, raw, f) select '1 day', '\\xdeadbeef', 1 / 3.0 from generate_series(1, 20000)")
        let folder = try TemporaryFolder("hostile")
        let tools = PostgresTools(binDirectory: server.binDirectory)
        try tools.dump(source, into: folder.path.appending("dump"), jobs: 2)
        let target = source.naming(database: source.database + "_restored")
        try Databases(source).create(target.database, like: source.database)
        try tools.restore(from: folder.path.appending("dump"), into: target, jobs: 2)
        let digest: SQL = "select count(*)::text || md5(string_agg(r::text, '' order by id)) as all from runs r"
        #expect(try Connection(target).rows(digest) == session.rows(digest))
    }
}
