// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("Whose a restored database is, and who sees what of it")
struct RestoredRightsTests {
    let server: TemporaryPostgres
    let folder: TemporaryFolder

    init() throws {
        server = try TemporaryPostgres.shared
        folder = try TemporaryFolder("rights")
    }

    private var dump: FilePath { folder.path.appending("dump") }

    private func dump(_ source: ConnectionSettings, on server: TemporaryPostgres? = nil) throws {
        try PostgresTools(binDirectory: (server ?? self.server).binDirectory).dump(source, into: dump)
    }

    private func restore(
        _ source: ConnectionSettings, as role: ConnectionSettings, _ name: String, dumper: String? = nil
    ) throws -> (target: ConnectionSettings, told: [BeyondRestore]) {
        let target = role.naming(database: "\(source.database)_\(name)")
        try Databases(role.naming(database: source.database)).create(target.database, like: source.database)
        let told = try PostgresTools(binDirectory: server.binDirectory).restore(
            from: dump, into: target, dumper: dumper ?? source.user, standingFor: source.database, jobs: 1)
        return (target, told)
    }

    private func admin(_ database: ConnectionSettings) -> ConnectionSettings {
        server.superuser.naming(database: database.database)
    }

    private func run(_ settings: ConnectionSettings, _ statements: [SQL]) throws {
        let session = try Connection(settings)
        defer { session.close() }
        for statement in statements { try session.execute(statement) }
    }

    private func texts(_ settings: ConnectionSettings, _ query: SQL) throws -> [String] {
        let session = try Connection(settings)
        defer { session.close() }
        return try session.rows(query).map { try $0.string(0) }
    }

    /// A table of MLflow's, and a function that runs with its owner's rights.
    private func makeRuns(in database: ConnectionSettings) throws {
        try run(
            database,
            [
                "create table runs (id serial)",
                "create function runit() returns int security definer language sql as 'select 1'",
            ])
    }

    private let owners: SQL = """
        select distinct pg_get_userbyid(o.owner)::text from (
          select relowner from pg_class where relname in ('runs', 'runs_id_seq')
          union all select proowner from pg_proc where proname = 'runit') o(owner)
        """

    @Test("what was the dumping role's is its own again, by whomever it is restored, and no superuser's")
    func dumper() throws {
        let source = try server.freshDatabase("whose")
        let (owner, login, app) = ("owner_\(source.database)", "login_\(source.database)", "app_\(source.database)")
        try makeRuns(in: source)
        try server.asSuperuser(
            in: source,
            [
                "create role \(identifier: login) login createdb password 'x' in role mlflow_user",
                "create role \(identifier: owner)", "create role \(identifier: app) login createdb password 'x'",
                "grant all on schema public to \(identifier: owner)",
                "grant \(identifier: owner) to \(identifier: login)",
            ])
        try dump(source)
        let member = ConnectionSettings(
            host: source.host, port: source.port, user: login, password: Secret("x"), database: source.database)
        let (ours, told) = try restore(source, as: member, "member")
        #expect(told == [])
        #expect(try texts(admin(ours), owners) == ["mlflow_user"])

        try server.asSuperuser(in: source, ["alter database \(identifier: source.database) owner to postgres"])
        let (whole, refused) = try restore(source, as: server.superuser, "whole")
        #expect(refused == [])
        #expect(try texts(admin(whole), owners) == ["mlflow_user"])

        // Who is no member may not give it, and says so.
        let stranger = ConnectionSettings(
            host: source.host, port: source.port, user: app, password: Secret("x"), database: source.database)
        let (strange, said) = try restore(source, as: stranger, "strange")
        #expect(said.contains { $0.description == "owner mlflow_user" }, "\(said)")
        #expect(try texts(admin(strange), owners) == [app])

        // Of another stack's backup the tables are this one's, whoever is here, too.
        try server.asSuperuser(
            in: source,
            ["alter table runs owner to \(identifier: app)", "alter function runit owner to \(identifier: app)"])
        try Directory.removeTree(dump)
        try dump(admin(source))
        try server.asSuperuser(in: source, ["reassign owned by \(identifier: app) to \(identifier: owner)"])
        let (other, _) = try restore(source, as: server.superuser, "other", dumper: app)
        #expect(try texts(admin(other), owners) == [owner])
        // The role that made the dump is away, and no table here: whose the live database is, but no superuser's; and who works there.
        try server.asSuperuser(
            in: source,
            [
                "drop table runs", "drop function runit", "drop database \(identifier: strange.database)",
                "drop role \(identifier: app)",
            ])
        let (none, _) = try restore(source, as: server.superuser, "none", dumper: app)
        #expect(try texts(admin(none), owners) == ["postgres"])
        try server.asSuperuser(in: source, ["alter database \(identifier: source.database) owner to mlflow_user"])
        let (his, _) = try restore(source, as: server.superuser, "his", dumper: app)
        #expect(try texts(admin(his), owners) == ["mlflow_user"])
        try server.asSuperuser(
            in: source, ["alter database \(identifier: source.database) set role = \(identifier: owner)"])
        let (set, _) = try restore(source, as: server.superuser, "set", dumper: app)
        #expect(try texts(admin(set), owners) == ["mlflow_user"])
        try run(server.superuser, ["grant \(identifier: owner) to mlflow_user"])
        let (working, _) = try restore(source, as: server.superuser, "working", dumper: app)
        #expect(try texts(admin(working), owners) == [owner])
        // Nor is a database that was not there the superuser's.
        let maker = Databases(server.superuser)
        try maker.create("\(source.database)_new", like: "no_such_database", owner: "mlflow_user")
        let made: SQL = "select datdba::regrole::text from pg_database where datname = current_database()"
        #expect(try texts(source.naming(database: "\(source.database)_new"), made) == ["mlflow_user"])
    }

    @Test(
        "tables that somebody else made since decide nothing, nor does another stack's role that is here get this one's"
    )
    func notByNumber() throws {
        let source = try server.freshDatabase("not_by_number")
        let (analyst, master) = ("analyst_\(source.database)", "master_\(source.database)")
        try makeRuns(in: source)
        try dump(source)
        try server.asSuperuser(
            in: source,
            [
                "create role \(identifier: analyst)", "grant create on schema public to \(identifier: analyst)",
                "create role \(identifier: master) login createdb password 'x' in role mlflow_user",
                "set role \(identifier: analyst)", "create table a ()", "create table b ()", "create table c ()",
            ])
        let (ours, _) = try restore(source, as: server.superuser, "ours")
        #expect(try texts(admin(ours), owners) == ["mlflow_user"])
        try server.asSuperuser(
            in: source,
            [
                "alter table runs owner to \(identifier: master)",
                "alter function runit owner to \(identifier: master)",
                "alter database \(identifier: source.database) owner to \(identifier: master)",
            ])
        let other = ConnectionSettings(
            host: source.host, port: source.port, user: master, password: Secret("x"), database: source.database)
        let (theirs, _) = try restore(source, as: other, "theirs")
        #expect(try texts(admin(theirs), owners) == [master])
        // Nor does one table of another's change that.
        try server.asSuperuser(
            in: source,
            ["alembic_version", "experiments", "metrics"].map { "create table \(identifier: $0) ()" }
                + ["runs", "alembic_version", "experiments", "metrics"].map {
                    "alter table \(identifier: $0) owner to mlflow_user"
                } + ["alter function runit owner to mlflow_user"])
        try Directory.removeTree(dump)
        try dump(admin(source))
        try server.asSuperuser(
            in: source,
            ["runs", "experiments", "metrics"].map { "alter table \(identifier: $0) owner to \(identifier: master)" }
                + [
                    "alter table alembic_version owner to \(identifier: analyst)",
                    "alter function runit owner to \(identifier: master)",
                ])
        let (most, _) = try restore(source, as: other, "most")
        #expect(try texts(admin(most), owners) == [master])
        // The dump may be a superuser's, who owns none of the tables, or nobody's who is known, as 0.1.0's.
        for (dumper, name) in [("postgres", "by_super"), (nil, "by_nobody")] {
            let whole = server.superuser.naming(database: "\(source.database)_\(name)")
            try Databases(server.superuser).create(whole.database, like: source.database)
            try PostgresTools(binDirectory: server.binDirectory).restore(
                from: dump, into: whole, dumper: dumper, standingFor: source.database, jobs: 1)
            #expect(try texts(whole, owners) == [master], "\(name)")
        }
        // Whose the live tables are comes before whoever dumps and restores.
        try server.asSuperuser(in: source, ["grant \(identifier: analyst) to mlflow_user"])
        try server.asSuperuser(
            in: source,
            ["runs", "experiments", "metrics", "alembic_version"].map {
                "alter table \(identifier: $0) owner to \(identifier: analyst)"
            } + ["alter function runit owner to \(identifier: analyst)"])
        let (hardened, _) = try restore(source, as: source, "hardened")
        #expect(try texts(admin(hardened), owners) == [analyst])
    }

    @Test("an empty database of a group, or one whose tables are a superuser's, gives them to whom it belongs")
    func emptyOrSuperusers() throws {
        let source = try server.freshDatabase("empty_live")
        let (gone, team, member) = (
            "gone_\(source.database)", "team_\(source.database)", "member_\(source.database)"
        )
        try makeRuns(in: source)
        try server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "create role \(identifier: team)",
                "create role \(identifier: member) login createdb password 'x' in role \(identifier: team)",
                "alter table runs owner to \(identifier: gone)", "alter function runit owner to \(identifier: gone)",
            ])
        try dump(admin(source))
        try server.asSuperuser(
            in: source,
            [
                "reassign owned by \(identifier: gone) to postgres", "drop role \(identifier: gone)",
                "alter database \(identifier: source.database) owner to \(identifier: team)",
            ])
        let (whole, _) = try restore(source, as: server.superuser, "whole", dumper: gone)
        #expect(try texts(admin(whole), owners) == [team])
        try server.asSuperuser(in: source, ["drop table runs", "drop function runit"])
        let login = ConnectionSettings(
            host: source.host, port: source.port, user: member, password: Secret("x"), database: source.database)
        let (empty, _) = try restore(source, as: login, "empty", dumper: gone)
        #expect(try texts(admin(empty), owners) == [team])
    }

    @Test(
        "what works with its owner's rights is nobody's to use where that one is away, and no neighbour suffers for it")
    func ownersAway() throws {
        let source = try server.freshDatabase("owners_away")
        let (gone, viewer) = ("gone_\(source.database)", "viewer_\(source.database)")
        try server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "create role \(identifier: viewer)",
                "grant create on schema public to \(identifier: gone)", "set role mlflow_user",
                "create table runs (id serial)", "grant select on runs to \(identifier: gone), \(identifier: viewer)",
                "reset role", "set role \(identifier: gone)",
                "create function runit() returns int security definer language sql as 'select 1'",
                "create function plain() returns int language sql as 'select 1'",
                "create view seen as select * from runs", "grant select on seen to \(identifier: viewer)",
                "create function noted() returns trigger security definer language plpgsql as 'begin return new; end'",
                "reset role",
                "create function database_owners() returns int security definer language sql as 'select 1'",
                "alter function database_owners owner to pg_database_owner",
            ])
        try run(source, ["create trigger noting before insert on runs for each row execute function noted()"])
        try dump(admin(source))
        try server.asSuperuser(
            in: source, ["drop owned by \(identifier: gone) cascade", "drop role \(identifier: gone)"])
        for (role, name) in [(server.superuser, "super"), (source, "ordinary")] {
            let (target, told) = try restore(source, as: role, name, dumper: "postgres")
            let rights: SQL = """
                select (has_function_privilege(v, 'runit()', 'execute'), has_function_privilege(v, 'plain()', 'execute'),
                  has_table_privilege(v, 'seen', 'select'), has_table_privilege(v, 'runs', 'select'))::text
                from (values (\(viewer)::name)) x(v)
                """
            let found = try texts(admin(target), rights)
            #expect(found == ["(f,t,f,t)"], "\(name): \(found) \(told)")
            #expect(told.contains { $0.description == "owner \(gone)" || $0.name == gone }, "\(told)")
            // Of a trigger's function nobody is asked whether he may use it, and none of them is the superuser's.
            let functions: SQL = """
                select string_agg(proname || ' ' || proowner::regrole || ' ' || prosecdef, ', ' order by proname) from pg_proc
                where pronamespace = 'public'::regnamespace
                """
            let expected =
                "database_owners pg_database_owner true, noted mlflow_user false, plain mlflow_user false, runit mlflow_user true"
            #expect(try texts(admin(target), functions) == [expected])
            #expect(
                try texts(admin(target), "select relowner::regrole::text from pg_class where relname = 'runs'") == [
                    "mlflow_user"
                ])
        }
    }

    @Test("nobody else comes into a database while it is loaded; afterwards those whom the live one lets in")
    func closedWhileLoading() throws {
        let source = try server.freshDatabase("closed_loading")
        let databases = Databases(source)
        for isOpen in [true, false] {
            let copy = "\(source.database)_\(isOpen)"
            if !isOpen { try run(source, ["revoke connect on database \(identifier: source.database) from public"]) }
            try databases.create(copy, like: source.database)
            let may: SQL = "select has_database_privilege('pg_monitor', \(copy), 'CONNECT')::text"
            #expect(try texts(source.naming(database: copy), may) == ["false"])
            #expect(try databases.copyProperties(from: source.database, to: copy) == [])
            #expect(try texts(source.naming(database: copy), may) == ["\(isOpen)"])
        }
        // Nor where the login has not the rights of the role as whom it makes databases, but by SET ROLE.
        let (maker, login) = ("maker_\(source.database)", "login_\(source.database)")
        try server.asSuperuser(
            in: source,
            [
                "create role \(identifier: maker) createdb",
                "create role \(identifier: login) login noinherit password 'x' in role \(identifier: maker)",
                "alter role \(identifier: login) set role = \(identifier: maker)",
            ])
        let made = ConnectionSettings(
            host: source.host, port: source.port, user: login, password: Secret("x"),
            database: "\(source.database)_made")
        try Databases(made).create(made.database, like: "no_such_database")
        let outside: SQL = "select has_database_privilege('pg_monitor', current_database(), 'CONNECT')::text"
        #expect(try texts(made, outside) == ["false"])
        // On a new machine there is none: whoever may log in comes in, as into any new database.
        let new = "\(source.database)_new"
        try databases.create(new, like: "no_such_database")
        #expect(try databases.copyProperties(from: "no_such_database", to: new) == [])
        let all: SQL = """
            select (has_database_privilege('pg_monitor', \(new), 'CONNECT'), has_database_privilege('pg_monitor', \(new), 'TEMP'))::text
            """
        #expect(try texts(source.naming(database: new), all) == ["(t,t)"])
    }

    @Test("a materialized view holds what its owner may see, and no row more")
    func filling() throws {
        let source = try server.freshDatabase("filling_as")
        let team = "team_\(source.database)"
        try server.asSuperuser(
            in: source,
            [
                "create role \(identifier: team)", "grant \(identifier: team) to mlflow_user",
                "grant create, usage on schema public to \(identifier: team)",
            ])
        try run(
            source,
            [
                "create table runs as select unnest(array['alice', 'bob']) as who",
                "grant select on runs to \(identifier: team)",
                "alter table runs enable row level security",
                "create policy one on runs to \(identifier: team) using (who = 'alice')",
                "create materialized view seen as select who from runs",
                "create materialized view on_it as select * from seen",
                "alter materialized view on_it owner to \(identifier: team)",
                "alter materialized view seen owner to \(identifier: team)", "set row_security = on",
                "refresh materialized view seen",
                "refresh materialized view on_it",
            ])
        #expect(try texts(source, "select who from on_it") == ["alice"])
        try dump(source)
        for (role, name) in [(source, "ours"), (server.superuser, "super")] {
            let (target, told) = try restore(source, as: role, name)
            #expect(told == [])
            #expect(try texts(admin(target), "select who from on_it") == ["alice"], "\(name)")
        }
        try run(admin(source), ["revoke \(identifier: team) from mlflow_user"])
    }

    @Test("where owners and grants cannot be given back, nobody may run what was closed to all")
    func closedFunction() throws {
        let source = try server.freshDatabase("closed_function")
        try run(
            source,
            [
                "create table runs (id serial)", "revoke select on runs from mlflow_user",
                "create function runit() returns int security definer language sql as 'select 1'",
                "revoke all on function runit from public",
            ])
        try dump(admin(source))
        let (target, told) = try restore(source, as: source, "restored", dumper: "postgres")
        #expect(told.map(\.description) == ["grants TABLE runs"], "\(told)")
        let closed: SQL = "select has_function_privilege('pg_monitor', 'runit()', 'execute')::text"
        #expect(try texts(target, closed) == ["false"])
        #expect(try texts(target, "select count(*)::text from runs") == ["0"])
    }

    @Test("a superuser brings back what takes one, as whomever sessions of the database work")
    func workingRole() throws {
        let source = try server.freshDatabase("works_as")
        try run(source, ["create table runs (id serial)"])
        try server.asSuperuser(
            in: source,
            [
                "create extension dblink", "alter database \(identifier: source.database) set role = mlflow_user",
            ])
        try dump(source)
        let (target, told) = try restore(source, as: server.superuser, "restored")
        #expect(told == [])
        #expect(try texts(source.naming(database: target.database), owners) == ["mlflow_user"])
        #expect(
            try texts(admin(target), "select extname::text from pg_extension where extname = 'dblink'") == ["dblink"])
    }

    /// Each owner's statement holds a lock until its transaction ends.
    @Test("more objects than the server has room for locks are their owners' again, and tables before them")
    func manyObjects() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let database = server.settings.naming(database: "mlflow")
        try server.asSuperuser(in: database, ["alter system set max_locks_per_transaction = 10"])
        try server.restart()
        let session = try Connection(database)
        try session.execute("create table runs (id serial)")
        try session.execute("select lo_create(i) from generate_series(100000, 100249) i")
        try session.execute(
            """
            do $$ begin for i in 1..60 loop
              execute format('create table t_%s (x text)', i);
              execute format('create function of_%s(t_%s) returns int language sql as ''select 1''', i, i);
            end loop; end $$
            """)
        try dump(database, on: server)
        // Of some 1,200 locks there is room for a hundred and a half.
        let holder = try Connection(database)
        var held = 0
        while try holder.hasRoom(for: held) { held += 1 }
        try holder.execute("select pg_advisory_unlock(i) from generate_series(1, 150) i")
        let tools = PostgresTools(binDirectory: server.binDirectory)
        let target = server.superuser.naming(database: "restored")
        try Databases(target).create(target.database, like: database.database)
        let told = try tools.restore(
            from: dump, into: target, dumper: database.user, standingFor: database.database, jobs: 1)
        #expect(told == [])
        // What MLflow's own role may not make is found by making it, each function with its table: more than there is room for.
        let ours = database.naming(database: "ours")
        try Databases(ours).create(ours.database, like: database.database)
        #expect(try tools.restore(from: dump, into: ours, dumper: database.user, jobs: 1) == [])
        holder.close()
        #expect(try texts(ours, "select count(*)::text from pg_proc where proname like 'of\\_%'") == ["60"])
        #expect(
            try texts(
                target, "select lomowner::regrole || ' ' || count(*) from pg_largeobject_metadata group by lomowner")
                == ["mlflow_user 250"])
        #expect(try texts(target, owners) == ["mlflow_user"])
    }

    @Test("a policy means what it meant, byte by byte, in a database without an encoding")
    func bytes() throws {
        let name = "bytes_\(UInt32.random(in: .min ... .max))"
        let source = server.settings.naming(database: name)
        try Connection(server.settings.naming(database: "postgres")).execute(
            script: "create database \(name) encoding 'sql_ascii' locale 'C' template template0".utf8)
        let analyst = "analyst_\(name)"
        try server.asSuperuser(in: source, ["create role \(identifier: analyst)"])
        try run(
            source,
            [
                "create table towns (city text)", #"insert into towns values (E'Z\374rich'), ('Bern')"#,
                "alter table towns enable row level security", "grant select on towns to \(identifier: analyst)",
                "create publication sent for table towns", #"create policy p on towns using (city <> E'Z\374rich')"#,
                #"do $$ begin execute 'comment on policy p on towns is ''' || E'Z\374rich' || ''''; end $$"#,
            ])
        try dump(source)
        let (target, told) = try restore(source, as: source, "restored")
        #expect(told == [])
        let all: SQL = """
            select encode(convert_to(t, 'SQL_ASCII'), 'escape') from (
              select pg_get_expr(polqual, polrelid) || obj_description(oid, 'pg_policy') from pg_policy) p(t)
            """
        #expect(try texts(target, all) == texts(source, all))
        let seen = try Connection(admin(target))
        try seen.execute("set row_security = on")
        try seen.execute("set role \(identifier: analyst)")
        #expect(try seen.rows("select city from towns").map { try $0.string(0) } == ["Bern"])
    }

    @Test("a restrictive policy that cannot be made as it was shows nobody a row that it hid")
    func restrictive() throws {
        let source = try server.freshDatabase("restrictive")
        let (alice, gone) = ("al, ice USING (\"\(source.database)", "gone_\(source.database)")
        try server.asSuperuser(
            in: source,
            [
                "create role \(identifier: alice)", "create role \(identifier: gone)",
                "create function sealed(text) returns bool leakproof language sql as $$ select $1 = 'alice' $$",
            ])
        for table in ["some_away", "all_away", "no_function"] {
            try run(
                source,
                [
                    "create table \(identifier: table) as select unnest(array['alice', 'bob', 'carol']) as who",
                    "alter table \(identifier: table) enable row level security",
                    "grant select on \(identifier: table) to \(identifier: alice)",
                    "create policy \"shows TO all\" on \(identifier: table) using (true)",
                ])
        }
        try run(
            source,
            [
                """
                create policy "is TO x" on some_away as restrictive for select to \(identifier: alice), \(identifier: gone)
                using (who = 'alice')
                """,
                "create policy gone on all_away as restrictive to \(identifier: gone) using (who = 'alice')",
                "create policy sealed on no_function as restrictive using (sealed(who))",
            ])
        try dump(source)
        try run(
            source, ["drop policy \"is TO x\" on some_away", "drop policy gone on all_away"])
        try server.asSuperuser(in: source, ["drop role \(identifier: gone)"])
        let (target, told) = try restore(source, as: source, "restored")
        let policies = told.filter { $0.kind == "policy" }.map { "\($0.name): \($0.reason ?? "")" }.sorted()
        #expect(policies.count == 3, "\(told)")
        #expect(
            policies[0].hasPrefix("public.all_away gone: 42704") && policies[0].hasSuffix("; TO PUBLIC"), "\(policies)")
        #expect(policies[1] == "public.no_function sealed: USING (false)", "\(policies)")
        #expect(policies[2].hasSuffix("; TO PUBLIC"), "\(policies)")
        let session = try Connection(admin(target))
        try session.execute("set row_security = on")
        try session.execute("set role \(identifier: alice)")
        for (table, count) in [("some_away", 1), ("all_away", 1), ("no_function", 0)] {
            #expect(try session.rows("select from \(identifier: table)").count == count, "\(table)")
        }
    }
}

extension Connection {
    /// Whether there is room for one more lock.
    fileprivate func hasRoom(for number: Int) throws(PostgresError) -> Bool {
        do throws(PostgresError) { try execute("select pg_advisory_lock(\(number: number))") } catch {
            guard case .query("53200", _) = error else { throw error }
            return false
        }
        return true
    }
}
