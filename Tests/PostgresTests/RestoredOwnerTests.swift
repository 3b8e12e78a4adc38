// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("Whose a restored database is", .onEachPostgres)
struct RestoredOwnerTests {
    let ground: RestoringFixture

    init() throws { ground = try RestoringFixture() }

    /// A table of MLflow's, and a function that runs with its owner's rights.
    private func makeRuns(in database: ConnectionSettings) throws {
        try ground.run(
            database,
            [
                "create table runs (id serial)",
                "create function runit() returns int security definer language sql as 'select 1'",
            ])
    }

    private func giving(to role: String) -> [SQL] {
        ["alter table runs owner to \(identifier: role)", "alter function runit owner to \(identifier: role)"]
    }

    @Test("what was the dumping role's is its own again, by whomever it is restored, and no superuser's")
    func dumper() throws {
        let source = try ground.server.freshDatabase("whose")
        let (owner, login, app) = ("owner_\(source.database)", "login_\(source.database)", "app_\(source.database)")
        try makeRuns(in: source)
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: login) login createdb password 'x' in role mlflow_user",
                "create role \(identifier: owner)", "create role \(identifier: app) login createdb password 'x'",
                "grant all on schema public to \(identifier: owner)",
                "grant \(identifier: owner) to \(identifier: login)",
            ])
        try ground.dump(source)
        let member = ground.login(login, source)
        let (ours, told) = try ground.restore(source, as: member, "member")
        #expect(told == [])
        #expect(try ground.texts(ground.admin(ours), ground.owners) == ["mlflow_user"])

        try ground.server.asSuperuser(in: source, ["alter database \(identifier: source.database) owner to postgres"])
        let (whole, refused) = try ground.restore(source, as: ground.server.superuser, "whole")
        #expect(refused == [])
        #expect(try ground.texts(ground.admin(whole), ground.owners) == ["mlflow_user"])

        // Who is no member may not give it, and says so.
        let stranger = ground.login(app, source)
        let (strange, said) = try ground.restore(source, as: stranger, "strange")
        #expect(said.contains { $0.description == "owner mlflow_user" }, "\(said)")
        #expect(try ground.texts(ground.admin(strange), ground.owners) == [app])

        // Of another stack's backup the tables are this one's, whoever is here, too.
        try ground.server.asSuperuser(
            in: source,
            giving(to: app))
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(in: source, ["reassign owned by \(identifier: app) to \(identifier: owner)"])
        let (other, _) = try ground.restore(source, as: ground.server.superuser, "other", dumper: app)
        #expect(try ground.texts(ground.admin(other), ground.owners) == [owner])
        // The role that made the dump is away, and no table here: whose the live database is, but no superuser's; and who works there.
        try ground.server.asSuperuser(
            in: source,
            [
                "drop table runs", "drop function runit", "drop database \(identifier: strange.database)",
                "drop role \(identifier: app)",
            ])
        let (none, _) = try ground.restore(source, as: ground.server.superuser, "none", dumper: app)
        #expect(try ground.texts(ground.admin(none), ground.owners) == ["postgres"])
        try ground.server.asSuperuser(
            in: source, ["alter database \(identifier: source.database) owner to mlflow_user"])
        let (his, _) = try ground.restore(source, as: ground.server.superuser, "his", dumper: app)
        #expect(try ground.texts(ground.admin(his), ground.owners) == ["mlflow_user"])
        try ground.server.asSuperuser(
            in: source, ["alter database \(identifier: source.database) set role = \(identifier: owner)"])
        let (set, _) = try ground.restore(source, as: ground.server.superuser, "set", dumper: app)
        #expect(try ground.texts(ground.admin(set), ground.owners) == ["mlflow_user"])
        try ground.run(ground.server.superuser, ["grant \(identifier: owner) to mlflow_user"])
        let (working, _) = try ground.restore(source, as: ground.server.superuser, "working", dumper: app)
        #expect(try ground.texts(ground.admin(working), ground.owners) == [owner])
        // Nor is a database that was not there the superuser's.
        let maker = Databases(ground.server.superuser)
        try maker.create("\(source.database)_new", like: "no_such_database", owner: "mlflow_user")
        let made: SQL = "select datdba::regrole::text from pg_database where datname = current_database()"
        #expect(try ground.texts(source.naming(database: "\(source.database)_new"), made) == ["mlflow_user"])
    }

    @Test(
        "tables that somebody else made since decide nothing, nor does another stack's role that is here get this one's"
    )
    func notByNumber() throws {
        let source = try ground.server.freshDatabase("not_by_number")
        let (analyst, master) = ("analyst_\(source.database)", "master_\(source.database)")
        try makeRuns(in: source)
        try ground.dump(source)
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: analyst)", "grant create on schema public to \(identifier: analyst)",
                "create role \(identifier: master) login createdb password 'x' in role mlflow_user",
                "set role \(identifier: analyst)", "create table a ()", "create table b ()", "create table c ()",
            ])
        let (ours, _) = try ground.restore(source, as: ground.server.superuser, "ours")
        #expect(try ground.texts(ground.admin(ours), ground.owners) == ["mlflow_user"])
        try ground.server.asSuperuser(
            in: source,
            giving(to: master) + [
                "alter database \(identifier: source.database) owner to \(identifier: master)"
            ])
        let other = ground.login(master, source)
        let (theirs, _) = try ground.restore(source, as: other, "theirs")
        #expect(try ground.texts(ground.admin(theirs), ground.owners) == [master])
        // Nor does one table of another's change that.
        try ground.server.asSuperuser(
            in: source,
            ["alembic_version", "experiments", "metrics"].map { "create table \(identifier: $0) ()" }
                + ["runs", "alembic_version", "experiments", "metrics"].map {
                    "alter table \(identifier: $0) owner to mlflow_user"
                } + ["alter function runit owner to mlflow_user"])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            ["runs", "experiments", "metrics"].map { "alter table \(identifier: $0) owner to \(identifier: master)" }
                + [
                    "alter table alembic_version owner to \(identifier: analyst)",
                    "alter function runit owner to \(identifier: master)",
                ])
        let (most, _) = try ground.restore(source, as: other, "most")
        #expect(try ground.texts(ground.admin(most), ground.owners) == [master])
        // The dump may be a superuser's, who owns none of the tables, or nobody's who is known, as 0.1.0's.
        for (dumper, name) in [("postgres", "by_super"), (nil, "by_nobody")] {
            let whole = ground.server.superuser.naming(database: "\(source.database)_\(name)")
            try Databases(ground.server.superuser).create(whole.database, like: source.database)
            try PostgresTools(binDirectory: ground.server.binDirectory).restore(
                from: ground.dump, into: whole, dumper: dumper, standingFor: source.database, jobs: 1)
            #expect(try ground.texts(whole, ground.owners) == [master], "\(name)")
        }
        // Whose the live tables are comes before whoever dumps and restores.
        try ground.server.asSuperuser(in: source, ["grant \(identifier: analyst) to mlflow_user"])
        try ground.server.asSuperuser(
            in: source,
            ["runs", "experiments", "metrics", "alembic_version"].map {
                "alter table \(identifier: $0) owner to \(identifier: analyst)"
            } + ["alter function runit owner to \(identifier: analyst)"])
        let (hardened, _) = try ground.restore(source, as: source, "hardened")
        #expect(try ground.texts(ground.admin(hardened), ground.owners) == [analyst])
    }

    @Test("an empty database of a group, or one whose tables are a superuser's, gives them to whom it belongs")
    func emptyOrSuperusers() throws {
        let source = try ground.server.freshDatabase("empty_live")
        let (gone, team, member) = (
            "gone_\(source.database)", "team_\(source.database)", "member_\(source.database)"
        )
        try makeRuns(in: source)
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "create role \(identifier: team)",
                "create role \(identifier: member) login createdb password 'x' in role \(identifier: team)",
            ] + giving(to: gone))
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "reassign owned by \(identifier: gone) to postgres", "drop role \(identifier: gone)",
                "alter database \(identifier: source.database) owner to \(identifier: team)",
            ])
        let (whole, _) = try ground.restore(source, as: ground.server.superuser, "whole", dumper: gone)
        #expect(try ground.texts(ground.admin(whole), ground.owners) == [team])
        try ground.server.asSuperuser(in: source, ["drop table runs", "drop function runit"])
        let login = ground.login(member, source)
        let (empty, _) = try ground.restore(source, as: login, "empty", dumper: gone)
        #expect(try ground.texts(ground.admin(empty), ground.owners) == [team])
    }

    @Test("another application's tables, or one of the administrator's, say nothing of whose MLflow's are")
    func onlyMLflows() throws {
        let source = try ground.server.freshDatabase("only_mlflows")
        let (former, other) = ("former_\(source.database)", "other_\(source.database)")
        try makeRuns(in: source)
        try ground.server.asSuperuser(
            in: source,
            ["create role \(identifier: former)", "create role \(identifier: other)", "create table dba_note ()"]
                + (1...5).flatMap { number -> [SQL] in
                    let name = "dag\(number)"
                    return [
                        "create table \(identifier: name) ()",
                        "alter table \(identifier: name) owner to \(identifier: other)",
                    ]
                } + giving(to: former))
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            giving(to: "mlflow_user"))
        let (ours, _) = try ground.restore(
            source, as: ground.server.superuser, "ours", dumper: "postgres", application: ["runs"])
        #expect(try ground.texts(ground.admin(ours), ground.owners) == ["mlflow_user"])
        // Nor is it the former's where whoever restores has the live ones, whatever the dump grants.
        try ground.server.asSuperuser(in: source, ["grant \(identifier: former) to mlflow_user"])
        let (kept, _) = try ground.restore(source, as: source, "kept", dumper: "postgres", application: ["runs"])
        #expect(try ground.texts(ground.admin(kept), ground.owners) == ["mlflow_user"])
        // A machine where MLflow's role is away.
        try ground.server.asSuperuser(
            in: source,
            ["drop table runs", "drop function runit", "alter role \(identifier: former) rename to away_only_mlflows"])
        let (new, _) = try ground.restore(
            source, as: ground.server.superuser, "new", dumper: "postgres", application: ["runs"])
        #expect(try ground.texts(ground.admin(new), ground.owners) == ["mlflow_user"])
    }

    @Test("where MLflow worked as a superuser, there or here, it is whose the database is, and no former role's")
    func superusers() throws {
        let source = try ground.server.freshDatabase("superusers_tables")
        let (former, app) = ("former_\(source.database)", "app_\(source.database)")
        try makeRuns(in: source)
        try ground.server.asSuperuser(
            in: source,
            ["create role \(identifier: former)", "create role \(identifier: app)"] + giving(to: former))
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "reassign owned by \(identifier: former) to postgres",
                "create role \(identifier: app + "_dba") superuser login password 'x'",
                "alter database \(identifier: source.database) owner to \(identifier: app)",
            ])
        for (role, name) in [(ground.server.superuser, "same"), (ground.login(app + "_dba", source), "other")] {
            let (target, _) = try ground.restore(source, as: role, name, dumper: "postgres", application: ["runs"])
            #expect(try ground.texts(ground.admin(target), ground.owners) == [app], "\(name)")
        }
        try ground.server.asSuperuser(in: source, ["alter database \(identifier: source.database) owner to postgres"])
        let (still, _) = try ground.restore(
            source, as: ground.server.superuser, "still", dumper: "postgres", application: ["runs"])
        #expect(try ground.texts(ground.admin(still), ground.owners) == ["postgres"])
        try ground.server.asSuperuser(
            in: source, ["alter database \(identifier: source.database) owner to \(identifier: app)"])
        // A dump of the superuser's tables, on a machine where MLflow has a role of its own.
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(in: source, ["drop table runs", "drop function runit"])
        let (new, _) = try ground.restore(
            source, as: ground.server.superuser, "new", dumper: "postgres", application: ["runs"])
        // The tables; a function of a superuser's, who may have meant it for himself, is one's still.
        let tables: SQL = """
            select distinct pg_get_userbyid(relowner)::text from pg_class where relname in ('runs', 'runs_id_seq')
            """
        #expect(try ground.texts(ground.admin(new), tables) == [app])
        #expect(try ground.texts(ground.admin(new), ground.owners).sorted() == [app, "postgres"])
    }

    @Test(
        "what a superuser keeps that was another's lends nobody his rights and is said; who writes into the live tables gets them"
    )
    func keptBySuperuser() throws {
        let source = try ground.server.freshDatabase("kept_by_superuser")
        let former = "former_\(source.database)"
        try makeRuns(in: source)
        try ground.server.asSuperuser(
            in: source,
            ["create role \(identifier: former)", "create view seen as select rolname from pg_authid"]
                + giving(to: former)
                + ["alter view seen owner to \(identifier: former)", "grant select on seen to public"])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "reassign owned by \(identifier: former) to postgres",
                "alter database \(identifier: source.database) owner to postgres",
            ])
        let (kept, told) = try ground.restore(
            source, as: ground.server.superuser, "kept", dumper: "postgres", application: ["runs"])
        #expect(try ground.texts(kept, ground.owners) == ["postgres"])
        #expect(told.contains { $0.description == "owner \(former)" && ($0.count ?? 0) > 1 }, "\(told)")
        let open: SQL = """
            select proname::text from pg_proc where proname = 'runit'
              and (prosecdef or has_function_privilege('public', oid, 'execute'))
            union all select 'seen' where has_table_privilege('public', 'seen', 'select')
            """
        #expect(try ground.texts(kept, open) == [])
        // MLflow's login may write there by a grant: it is its own again.
        try ground.run(
            ground.admin(source), ["grant select, insert on all tables in schema public to \(identifier: former)"])
        let (used, _) = try ground.restore(
            source, as: ground.server.superuser, "used", dumper: "postgres", application: ["runs"])
        #expect(try ground.texts(used, ground.owners) == [former])
    }

    @Test("copies of MLflow's tables that an administrator keeps in schemas of his own decide nothing")
    func copies() throws {
        let source = try ground.server.freshDatabase("copies")
        let keeper = "keeper_\(source.database)"
        try makeRuns(in: source)
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: keeper)", "create table metrics ()",
                "alter table metrics owner to mlflow_user",
            ]
                + ["old1", "old2"].flatMap { schema -> [SQL] in
                    [
                        "create schema \(identifier: schema) authorization \(identifier: keeper)",
                        "create table \(identifier: schema).runs ()", "create table \(identifier: schema).metrics ()",
                        "alter table \(identifier: schema).runs owner to \(identifier: keeper)",
                        "alter table \(identifier: schema).metrics owner to \(identifier: keeper)",
                    ]
                })
        try ground.dump(ground.admin(source))
        let owner: SQL = "select pg_get_userbyid(relowner)::text from pg_class where oid = 'public.runs'::regclass"
        for (dumper, name) in [("mlflow_user", "known"), ("postgres", "by_super")] {
            let (target, _) = try ground.restore(
                source, as: ground.server.superuser, name, dumper: dumper, application: ["runs", "metrics"])
            #expect(try ground.texts(ground.admin(target), owner) == ["mlflow_user"], "\(name)")
        }
    }

    @Test(
        "a group's tables are the group's where the member whose they are may not be given them; a schema of the database's owner's, too"
    )
    func groups() throws {
        let source = try ground.server.freshDatabase("group_tables")
        let (gone, team) = ("gone_\(source.database)", "team_\(source.database)")
        let (app, adm) = ("app_\(source.database)", "adm_\(source.database)")
        try makeRuns(in: source)
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "create role \(identifier: team)",
                "create role \(identifier: app) in role \(identifier: team)",
                "create role \(identifier: adm) login createdb password 'x' in role \(identifier: team)",
                "create schema ml", "alter schema ml owner to pg_database_owner",
            ] + giving(to: gone))
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source,
            [
                "reassign owned by \(identifier: gone) to \(identifier: app)", "drop role \(identifier: gone)",
                "alter database \(identifier: source.database) owner to \(identifier: team)",
            ])
        let (ours, _) = try ground.restore(
            source, as: ground.login(adm, source), "ours", dumper: gone, application: ["runs"])
        #expect(try ground.texts(ground.admin(ours), ground.owners) == [team])
        let (whole, _) = try ground.restore(
            source, as: ground.server.superuser, "whole", dumper: gone, application: ["runs"])
        let schema: SQL = "select nspowner::regrole::text from pg_namespace where nspname = 'ml'"
        #expect(try ground.texts(whole, schema) == ["pg_database_owner"])
    }
}
