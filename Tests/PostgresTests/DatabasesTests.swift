// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("The databases of a server", .onEachPostgres)
struct DatabasesTests {
    let server: TemporaryPostgres
    let databases: Databases

    init() throws {
        server = try TemporaryPostgres.shared
        databases = Databases(server.settings)
    }

    @Test("are made with the encoding and collation of the live one", .ofContrib)
    func alike() throws {
        let admin = try Connection(server.superuser)
        try admin.execute(
            """
            create database model_icu owner mlflow_user template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'
            locale_provider icu icu_locale 'zh-CN'
            """)
        try admin.execute(
            "create database model_latin template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'")
        for model in ["model_icu", "model_latin", "mlflow"] {
            let copy = "copy of \(model)"
            try databases.create(copy, like: model)
            let rows = try admin.rows(
                """
                select distinct encoding, datcollate, datctype, datlocprovider, daticulocale from pg_database
                where datname = any(\([model, copy])::text[])
                """)
            #expect(rows.count == 1)
            try databases.drop(copy)
        }
    }

    @Test("are made in UTF8 when there is no live one, and listed by prefix")
    func noModel() throws {
        try databases.create("listed_b%", like: "no such database")
        try databases.create("listed_A", like: "no such database")
        #expect(try databases.names(withPrefix: "listed_") == ["listed_A", "listed_b%"])
        #expect(try databases.names(withPrefix: "listed%").isEmpty)
        #expect(throws: PostgresError.databaseExists(name: "listed_A")) {
            try databases.create("listed_A", like: "mlflow")
        }
        #expect(try databases.size(of: "listed_A") > 1_000_000)
    }

    @Test("say which right is missing to a role that may not create any")
    func noRight() throws {
        let admin = try Connection(server.superuser)
        try admin.execute("create role plain login password 'x'")
        let plain = ConnectionSettings(
            host: "127.0.0.1", port: server.port, user: "plain", password: Secret("x"), database: "mlflow")
        #expect(throws: PostgresError.mayNotCreateDatabases(user: "plain")) {
            try Databases(plain).create("never", like: "mlflow")
        }
    }

    @Test("keep their settings and grants, and what may not be copied is told")
    func properties() throws {
        let live = try server.freshDatabase("properties").database
        let admin = try Connection(server.superuser)
        try admin.execute("create role \"Reporter\" login")
        try admin.execute("alter database \(identifier: live) set search_path to \"$user\", \"Über\", public")
        try admin.execute("alter database \(identifier: live) set statement_timeout to '35s'")
        try admin.execute("alter database \(identifier: live) set default_transaction_read_only to on")
        try admin.execute("alter database \(identifier: live) set log_statement to 'all'")
        try admin.execute("alter role mlflow_user in database \(identifier: live) set work_mem to '7MB'")
        try admin.execute("alter database \(identifier: live) connection limit 33")
        try admin.execute("comment on database \(identifier: live) is 'it''s live'")
        try admin.execute("alter database \(identifier: live) is_template true")
        try admin.execute("revoke all on database \(identifier: live) from public")
        try admin.execute("grant connect on database \(identifier: live) to \"Reporter\"")
        let copy = live + "_copy"
        try databases.create(copy, like: live)
        let warnings = try databases.copyProperties(from: live, to: copy)

        #expect(warnings.count == 1)
        #expect(warnings.first?[.english].contains("log_statement = all") == true)
        func properties(_ name: String) throws -> [Row] {
            try admin.rows(
                """
                select d.datconnlimit, d.datistemplate, d.datacl, shobj_description(d.oid, 'pg_database'),
                  (select array_agg(s.setrole::text || entry order by s.setrole, entry)
                   from pg_db_role_setting s cross join unnest(s.setconfig) entry
                   where s.setdatabase = d.oid and entry not like 'log_statement%') as settings
                from pg_database d where datname = \(name)
                """)
        }
        #expect(try properties(live) == properties(copy))
        #expect(try databases.copyProperties(from: "no such database", to: copy).isEmpty)
        // A template, which nobody may drop as it is.
        try databases.drop(copy)
        #expect(try !databases.exists(copy))
    }

    @Test("are made in the tablespace of the live one, and where this role may not, that is told")
    func tablespace() throws {
        let admin = try Connection(server.superuser)
        // Below the server's own folder, for a test.
        try admin.execute("set allow_in_place_tablespaces = on")
        try admin.execute("create tablespace \(identifier: "on Disk 2") location ''")
        let live = try server.freshDatabase("tablespace").database
        try admin.execute("alter database \(identifier: live) set tablespace \(identifier: "on Disk 2")")
        func place(_ name: String) throws -> String? {
            try admin.rows(
                """
                select t.spcname::text from pg_database d join pg_tablespace t on t.oid = d.dattablespace
                where d.datname = \(name)
                """
            ).first?.string(0)
        }
        let refused = live + "_refused"
        try databases.create(refused, like: live)
        #expect(try place(refused) == "pg_default")
        let warnings = try databases.copyProperties(from: live, to: refused)
        #expect(warnings.count == 1)
        for text in [warnings.first?.english, warnings.first?.chinese] {
            #expect(text?.contains("TABLESPACE on Disk 2") == true, "\(text ?? "")")
        }
        try admin.execute("grant create on tablespace \(identifier: "on Disk 2") to mlflow_user")
        let copy = live + "_copy"
        try databases.create(copy, like: live)
        #expect(try place(copy) == "on Disk 2")
        #expect(try databases.copyProperties(from: live, to: copy).isEmpty)
        for name in [live, copy, refused] { try databases.drop(name) }
        try admin.execute("drop tablespace \(identifier: "on Disk 2")")
    }

    @Test("are made with the ICU rules of the live one", .ofContrib, .enabled(if: hasICURules))
    func icuRules() throws {
        let admin = try Connection(server.superuser)
        try admin.execute(
            """
            create database model_rules owner mlflow_user template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'
            locale_provider icu icu_locale 'und' icu_rules '&a < g''s'
            """)
        try databases.create("rules", like: "model_rules")
        let rows = try admin.rows(
            "select distinct daticurules from pg_database where datname in ('rules', 'model_rules')")
        #expect(rows.count == 1)
        try databases.drop("rules")
    }

    /// From PostgreSQL 16 on, where it was built with ICU.
    private static var hasICURules: Bool {
        guard let server = try? TemporaryPostgres.shared, let admin = try? Connection(server.superuser),
            admin.serverVersion >= 160_000
        else { return false }
        // A server without it has but a few of that kind, which it cannot use.
        let collations = try? admin.rows("select from pg_collation where collprovider = 'i'").count
        return collations.map { $0 > 100 } ?? false
    }

    /// On a server of its own: its settings make autovacuum stay for minutes.
    @Test("are dropped by a role that owns them though autovacuum is at work in them, and a session as well")
    func autovacuum() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let doomed = try server.freshDatabase("doomed").database
        let admin = try Connection(server.superuser.naming(database: "postgres"))
        for setting: SQL in [
            "autovacuum to on", "autovacuum_naptime to 1", "autovacuum_vacuum_cost_delay to 100",
            "autovacuum_vacuum_cost_limit to 1",
        ] {
            try admin.execute("alter system set " + setting)
        }
        try admin.execute("select pg_reload_conf()")
        let inside = try Connection(server.settings.naming(database: doomed))
        try inside.execute("create table busy as select i, repeat('x', 500) from generate_series(1, 20000) i")
        try inside.execute("delete from busy")
        let isThere = {
            try admin.rows(
                "select from pg_stat_activity where backend_type = 'autovacuum worker' and datname = \(doomed)"
            ).isEmpty
                == false
        }
        try Patience.wait("autovacuum to come", atMost: 60) { try isThere() }
        try Databases(server.settings).drop(doomed)
        #expect(try !Databases(server.settings).exists(doomed))
    }
}
