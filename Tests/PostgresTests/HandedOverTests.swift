// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("What another MLflow's role had, where its tables are this one's", .onEachPostgres)
struct HandedOverTests {
    let ground: RestoringFixture
    let source: ConnectionSettings
    let staging: String

    init() throws {
        ground = try RestoringFixture()
        source = try ground.server.freshDatabase("staging")
        staging = "m_stg_\(source.database)"
    }

    /// Tables of production's role, `mlflow_user`; an administrator's, into which a trigger writes; and a reader.
    private func makeProduction() throws {
        try ground.run(source, ["create table runs (id int primary key)"])
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: staging) login createdb password 'x'",
                "create role \(identifier: "reader_" + source.database)",
                "create schema audit", "create table audit.log (id int)", "grant usage on schema audit to mlflow_user",
                "grant insert on audit.log to mlflow_user",
                "create function audit.noted() returns trigger language plpgsql as $$begin insert into audit.log values (new.id); return new; end$$",
                "alter table runs enable row level security", "alter table runs force row level security",
                "create policy its on runs to mlflow_user using (true)",
                "create policy hides on runs as restrictive to mlflow_user using (id < 100)",
                "alter default privileges for role mlflow_user in schema public grant select on tables to \(identifier: "reader_" + source.database)",
            ])
        try ground.run(
            source, ["create trigger noting after insert on runs for each row execute function audit.noted()"])
        try ground.dump(ground.admin(source))
    }

    private func makeStaging() throws {
        try ground.server.asSuperuser(
            in: source,
            [
                "alter table runs owner to \(identifier: staging)",
                "alter database \(identifier: source.database) owner to \(identifier: staging)",
            ])
    }

    @Test(
        "what was granted to it, its policies and its default privileges are the new one's, no more than these, and it is said"
    )
    func handedOver() throws {
        try makeProduction()
        try makeStaging()
        let (target, told) = try ground.restore(
            source, as: ground.server.superuser, "refreshed", dumper: "mlflow_user", application: ["runs"])
        let own = ground.login(staging, target)
        try ground.run(
            ground.admin(target), ["grant all on database \(identifier: target.database) to \(identifier: staging)"])
        try ground.run(own, ["set row_security = on", "insert into runs values (1)", "create table later ()"])
        let found = try ground.texts(
            ground.admin(target),
            """
            select (has_table_privilege(\("reader_" + source.database), 'later', 'select'),
              has_table_privilege('mlflow_user', 'audit.log', 'insert'), has_table_privilege(\(staging), 'audit.log', 'insert'),
              has_table_privilege(\(staging), 'audit.log', 'select'))::text
            """)
        #expect(found == ["(t,f,t,f)"], "\(told)")
        let policies: SQL = """
            select polname || array(select rolname from pg_roles where oid = any(polroles) order by rolname <> 'mlflow_user')::text
            from pg_policy order by 1
            """
        #expect(
            try ground.texts(ground.admin(target), policies) == ["hides{mlflow_user,\(staging)}", "its{\(staging)}"])
        let shown = BeyondRestore.afterwards(told)
        #expect(shown.count == 1, "\(shown)")
        #expect(shown[0].english.contains("2 grants to mlflow_user"), "\(shown)")
        #expect(shown[0].english.contains(staging) && shown[0].chinese.contains(staging), "\(shown)")
    }

    @Test("so it is where that role is away")
    func away() throws {
        try makeProduction()
        try ground.run(
            ground.server.superuser, ["alter role \(identifier: staging) rename to \(identifier: staging + "_x")"])
        let gone = "gone_\(source.database)"
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "alter table runs owner to \(identifier: gone)",
                "grant usage on schema audit to \(identifier: gone)",
                "grant insert on audit.log to \(identifier: gone)",
                "alter policy its on runs to \(identifier: gone)",
                "alter policy hides on runs to \(identifier: gone)",
            ])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "alter role \(identifier: staging + "_x") rename to \(identifier: staging)",
                "drop policy its on runs", "drop policy hides on runs",
                "reassign owned by \(identifier: gone) to \(identifier: staging)",
                "drop owned by \(identifier: gone)", "drop role \(identifier: gone)",
                "alter database \(identifier: source.database) owner to \(identifier: staging)",
            ])
        let (target, told) = try ground.restore(
            source, as: ground.server.superuser, "away", dumper: gone, application: ["runs"])
        let found = try ground.texts(
            ground.admin(target), "select has_table_privilege(\(staging), 'audit.log', 'insert')::text")
        #expect(found == ["true"], "\(told)")
        #expect(told.filter { $0.fate != .handedOver } == [], "\(told)")
    }

    @Test(
        "where it is not certain whose the tables were nothing is handed over, and it is said; nor to or from a superuser"
    )
    func uncertain() throws {
        try makeProduction()
        try ground.server.asSuperuser(
            in: source, ["create table metrics ()", "revoke truncate on runs from mlflow_user"])
        try ground.dump(ground.admin(source))
        try makeStaging()
        let (target, told) = try ground.restore(
            source, as: ground.server.superuser, "mixed", dumper: "mlflow_user", application: ["runs", "metrics"])
        let found = try ground.texts(
            ground.admin(target), "select has_table_privilege('mlflow_user', 'audit.log', 'insert')::text")
        #expect(found == ["true"], "\(told)")
        #expect(told.contains { $0.fate == .notHandedOver && $0.name == "mlflow_user" }, "\(told)")
        // What an owner may with his own is whose the table is now, whatever else is certain.
        let rights: SQL = """
            select (has_table_privilege('mlflow_user', 'runs', 'select'), has_table_privilege(\(staging), 'runs', 'insert'),
              has_table_privilege(\(staging), 'runs', 'truncate'))::text
            """
        #expect(try ground.texts(ground.admin(target), rights) == ["(f,t,f)"])
        // MLflow's role there does not read a table that stays another's.
        let shutOut = told.filter { $0.fate == .shutOut && $0.name == staging }.map { $0.reason ?? "" }
        #expect(shutOut.count == 1 && shutOut[0].contains("SELECT") && shutOut[0].contains("public.metrics"), "\(told)")
    }

    @Test("where the live tables are a superuser's the role that had them keeps nothing of them")
    func superusers() throws {
        try makeProduction()
        try ground.server.asSuperuser(in: source, ["revoke truncate on runs from mlflow_user"])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "alter table runs owner to postgres", "alter database \(identifier: source.database) owner to postgres",
            ])
        let (target, told) = try ground.restore(
            source, as: ground.server.superuser, "supers", dumper: "mlflow_user", application: ["runs"])
        let rights: SQL = """
            select (has_table_privilege('mlflow_user', 'runs', 'select'), has_table_privilege('mlflow_user', 'runs', 'insert'),
              has_table_privilege('mlflow_user', 'audit.log', 'insert'))::text
            """
        #expect(try ground.texts(target, rights) == ["(f,f,f)"], "\(told)")
        #expect(told.contains { $0.kind == "grants" && $0.name == "mlflow_user" && $0.role == "postgres" }, "\(told)")
        // A superuser's own tables to come are not open to whom that role's were.
        let defaults: SQL = "select defaclrole::regrole::text from pg_default_acl"
        #expect(try ground.texts(target, defaults) == ["mlflow_user"])
    }

    @Test("a user mapping, which may hold a password for another server, stays whose it was, and it is said")
    func userMapping() throws {
        try makeProduction()
        try ground.server.asSuperuser(
            in: source,
            [
                "create foreign data wrapper far", "create server away foreign data wrapper far",
                "grant usage on foreign server away to mlflow_user",
                "create user mapping for mlflow_user server away options (user 'x', password 'y')",
            ])
        try ground.dump(ground.admin(source))
        try makeStaging()
        let (target, told) = try ground.restore(
            source, as: ground.server.superuser, "mapping", dumper: "mlflow_user", application: ["runs"])
        #expect(try ground.texts(target, "select usename::text from pg_user_mappings") == ["mlflow_user"])
        let shown = BeyondRestore.afterwards(told).filter { $0.english.contains("mlflow_user SERVER away") }
        #expect(shown.count == 1 && shown[0].english.contains(staging), "\(told)")
        #expect(shown.first?.chinese.contains(staging) == true)
    }

    @Test(
        "who could make tables in the live database's schema can in the restored one, as MLflow's next upgrade has to")
    func making() throws {
        try makeProduction()
        try makeStaging()
        try ground.server.asSuperuser(
            in: source,
            [
                "alter database \(identifier: source.database) owner to postgres",
                "grant create on schema public to \(identifier: staging)",
            ])
        let (target, told) = try ground.restore(
            source, as: ground.server.superuser, "making", dumper: "mlflow_user", application: ["runs"])
        #expect(
            try ground.texts(target, "select has_schema_privilege(\(staging), 'public', 'create')::text") == ["true"],
            "\(told)")
        // Of the same role's the grants are the backup's: it is said.
        try ground.server.asSuperuser(
            in: source,
            [
                "alter table runs owner to mlflow_user", "revoke create on schema public from \(identifier: staging)",
                "grant create on schema public to mlflow_user",
            ])
        let (_, said) = try ground.restore(
            source, as: ground.server.superuser, "said", dumper: "mlflow_user", application: ["runs"])
        #expect(
            said.contains { $0.fate == .shutOut && $0.name == "mlflow_user" && $0.reason == "CREATE ON SCHEMA public" },
            "\(said)")
    }

    @Test("where MLflow's own role cannot use its tables afterwards it is named")
    func ownRole() throws {
        try makeProduction()
        try ground.server.asSuperuser(
            in: source,
            [
                "alter policy its on runs to \(identifier: "reader_" + source.database)", "create table metrics ()",
                "alter table metrics owner to mlflow_user", "revoke delete on metrics from mlflow_user",
            ])
        try ground.dump(ground.admin(source))
        let (_, told) = try ground.restore(
            source, as: ground.server.superuser, "closed", dumper: "mlflow_user", application: ["runs", "metrics"])
        let named = told.filter { $0.fate == .shutOut }.map { "\($0.name): \($0.reason ?? "")" }
        #expect(named.count == 1, "\(told)")
        #expect(named[0].hasPrefix("mlflow_user: "), "\(named)")
        #expect(named[0].contains("DELETE ON public.metrics"), "\(named)")
        #expect(named[0].contains("ROW LEVEL SECURITY ON public.runs"), "\(named)")
    }
}
