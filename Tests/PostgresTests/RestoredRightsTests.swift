// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("Who sees and does what in a restored database", .onEachPostgres)
struct RestoredRightsTests {
    let ground: RestoringFixture

    init() throws { ground = try RestoringFixture() }

    @Test(
        "what works with its owner's rights is nobody's to use where that one is away, and no neighbour suffers for it")
    func ownersAway() throws {
        let source = try ground.server.freshDatabase("owners_away")
        let (gone, viewer) = ("gone_\(source.database)", "viewer_\(source.database)")
        try ground.server.asSuperuser(
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
        try ground.run(source, ["create trigger noting before insert on runs for each row execute function noted()"])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source, ["drop owned by \(identifier: gone) cascade", "drop role \(identifier: gone)"])
        for (role, name) in [(ground.server.superuser, "super"), (source, "ordinary")] {
            let (target, told) = try ground.restore(source, as: role, name, dumper: "postgres")
            let rights: SQL = """
                select (has_function_privilege(v, 'runit()', 'execute'), has_function_privilege(v, 'plain()', 'execute'),
                  has_table_privilege(v, 'seen', 'select'), has_table_privilege(v, 'runs', 'select'))::text
                from (values (\(viewer)::name)) x(v)
                """
            let found = try ground.texts(ground.admin(target), rights)
            #expect(found == ["(f,t,f,t)"], "\(name): \(found) \(told)")
            #expect(told.contains { $0.description == "owner \(gone)" || $0.name == gone }, "\(told)")
            // Of a trigger's function nobody is asked whether he may use it. They are who restores's, and work for who uses them: a superuser's
            // event trigger may call one, which another could then change.
            let heir = name == "super" ? "postgres" : "mlflow_user"
            let functions: SQL = """
                select string_agg(proname || ' ' || proowner::regrole || ' ' || prosecdef, ', ' order by proname) from pg_proc
                where pronamespace = 'public'::regnamespace
                """
            let expected =
                "database_owners pg_database_owner true, noted \(heir) false, plain \(heir) false, runit \(heir) false"
            #expect(try ground.texts(ground.admin(target), functions) == [expected])
            #expect(
                try ground.texts(
                    ground.admin(target), "select relowner::regrole::text from pg_class where relname = 'runs'") == [
                        "mlflow_user"
                    ])
        }
    }

    @Test(
        "triggers of those who are away are off: MLflow writes on, and nobody gets another's rights by them or by an aggregate"
    )
    func strangersTriggers() throws {
        let source = try ground.server.freshDatabase("strangers_triggers")
        let (gone, eve) = ("gone_\(source.database)", "eve_\(source.database)")
        try ground.run(source, ["create table runs (id int primary key)", "create table target ()"])
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "create role \(identifier: eve) login password 'x'",
                "grant all on schema public to \(identifier: gone)",
                "grant trigger on runs to \(identifier: gone)", "grant insert on runs to \(identifier: eve)",
                "set role \(identifier: gone)", "create table audit (id int)",
                "create function noted() returns trigger security definer language plpgsql as $$begin insert into audit values (new.id); return new; end$$",
                "create trigger noting before insert on runs for each row execute function noted()",
                "create function does(text, text) returns text security definer language plpgsql as $$begin execute $2; return ''; end$$",
                "revoke all on function does(text, text) from public",
                "create aggregate all_of(text) (sfunc = does, stype = text, initcond = '')",
                "create table parent (id int primary key)",
                "create table child (id int references parent on delete cascade, command text)",
                "create function on_delete() returns trigger language plpgsql as $$begin execute old.command; return old; end$$",
                "create trigger deleting before delete on child for each row execute function on_delete()",
                "grant insert, delete, select on parent, child to \(identifier: eve)",
            ])
        let him = ground.login(eve, source)
        try ground.run(him, ["insert into runs values (1)"])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source, ["drop owned by \(identifier: gone) cascade", "drop role \(identifier: gone)"])
        for (role, name) in [(ground.server.superuser, "super"), (source, "ordinary")] {
            let (target, told) = try ground.restore(source, as: role, name, dumper: "postgres", application: ["runs"])
            for trigger in ["noting on public.runs", "deleting on public.child"] {
                #expect(told.contains { $0.description == "trigger \(trigger)" && $0.reason == "DISABLED" }, "\(told)")
            }
            try ground.run(
                ground.admin(target),
                ["grant connect on database \(identifier: target.database) to \(identifier: eve)"])
            let (his, ours) = (him.naming(database: target.database), source.naming(database: target.database))
            try ground.run(ours, ["insert into runs values (2)"])
            try ground.run(his, ["insert into runs values (3)"])
            #expect(throws: PostgresError.self) {
                try ground.run(his, ["select all_of('drop table target')"])
            }
            try ground.run(
                ground.admin(target),
                [
                    "grant insert, delete, select on parent, child to \(identifier: eve)",
                    "insert into parent values (1)", "insert into child values (1, 'drop table target')",
                ])
            try ground.run(his, ["delete from parent"])
            let left: SQL = "select to_regclass('target')::text || (select count(*) from child)"
            #expect(try ground.texts(ground.admin(target), left) == ["target0"], "\(name)")
        }
    }

    @Test("a function of who is away that writes triggers, and is none itself, ends no restore")
    func makerOfTriggers() throws {
        let source = try ground.server.freshDatabase("maker")
        let gone = "gone_\(source.database)"
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)",
                """
                create function make(t text) returns void security definer language plpgsql as
                $$ begin execute 'create function ' || t || '() RETURNS trigger language plpgsql as ''begin return new; end'''; end $$
                """,
                "alter function make owner to \(identifier: gone)",
            ])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source, ["drop function make", "drop role \(identifier: gone)"])
        let (target, told) = try ground.restore(source, as: source, "restored")
        #expect(told.contains { $0.description == "owner \(gone)" }, "\(told)")
        #expect(try ground.texts(target, "select prosecdef::text from pg_proc where proname = 'make'") == ["false"])
    }

    @Test("what a client planted in a materialized view ends no restore, and is not run as whoever restores")
    func plantedView() throws {
        let source = try ground.server.freshDatabase("planted")
        let eve = "eve_\(source.database)"
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: eve)", "create schema e authorization \(identifier: eve)",
                "set role \(identifier: eve)",
                """
                create function e.f() returns int language plpgsql as $$ begin
                  if current_database() <> \(literal: source.database) then
                    execute 'grant all on public.runs to \(identifier: eve)';
                  end if;
                  return 1; end $$
                """, "create materialized view e.m as select e.f()",
            ])
        try ground.run(source, ["create table runs (id int)"])
        try ground.dump(ground.admin(source))
        for (role, name) in [(source, "ordinary"), (ground.server.superuser, "super")] {
            let (target, told) = try ground.restore(source, as: role, name)
            let rights: SQL = "select has_table_privilege(\(eve), 'public.runs', 'insert')::text"
            #expect(try ground.texts(ground.admin(target), rights) == ["false"], "\(name)")
            #expect(told.contains { $0.kind.contains("materialized view") && $0.name == "e.m" }, "\(told)")
        }
    }

    @Test("no index and no statistics that a superuser keeps for who is away calls a function of somebody else's")
    func expressions() throws {
        let source = try ground.server.freshDatabase("expressions")
        let (gone, eve) = ("gone_\(source.database)", "eve_\(source.database)")
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "create role \(identifier: eve)",
                "create schema e authorization \(identifier: eve)", "create table kept (id int, other int)",
                "create table hers (id int)", "set role \(identifier: eve)",
                "create function e.f(int) returns int immutable language sql as 'select $1'",
                "create operator e.@@@ (function = e.f, rightarg = int)", "reset role",
                "create index by_function on kept (e.f(id))", "create index by_operator on kept ((operator(e.@@@) id))",
                "create index partly on kept (id) where e.f(id) > 1", "create index plain on kept (id, abs(other))",
                "alter table kept add constraint never exclude ((e.f(id)) with =)",
                "create statistics counted on (e.f(id)), other from kept", "create index on hers (e.f(id))",
                "create materialized view held as select id from kept", "create index on_held on held (e.f(id))",
                "alter table kept owner to \(identifier: gone)", "alter table hers owner to \(identifier: eve)",
                "alter materialized view held owner to \(identifier: gone)",
            ])
        try ground.run(source, ["create table runs (id int)"])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(
            in: source, ["drop owned by \(identifier: gone) cascade", "drop role \(identifier: gone)"])
        let (target, told) = try ground.restore(source, as: ground.server.superuser, "restored", dumper: "postgres")
        let left: SQL = """
            select relname::text from pg_class where relkind = 'i' and relnamespace = 'public'::regnamespace
            union all select stxname::text from pg_statistic_ext order by 1
            """
        #expect(try ground.texts(target, left) == ["hers_f_idx", "plain"])
        for name in ["by_function", "by_operator", "never", "on_held", "partly"] {
            #expect(told.contains { $0.description == "index public.\(name)" && $0.reason == nil }, "\(name): \(told)")
        }
        #expect(told.contains { $0.description == "statistics public.counted" }, "\(told)")
    }

    @Test("nobody makes a trigger on a table of who is away, whatever he might there: it would do what another may")
    func triggerRights() throws {
        let source = try ground.server.freshDatabase("trigger_rights")
        let (gone, eve) = ("gone_\(source.database)", "eve_\(source.database)")
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: gone)", "create role \(identifier: eve)", "create table child (id int)",
                "alter table child owner to \(identifier: gone)", "grant all on child to \(identifier: eve), public",
            ])
        try ground.run(source, ["create table runs (id int)"])
        try ground.dump(ground.admin(source))
        try ground.server.asSuperuser(in: source, ["drop table child", "drop role \(identifier: gone)"])
        for (role, name) in [(source, "ordinary"), (ground.server.superuser, "super")] {
            let (target, told) = try ground.restore(source, as: role, name)
            let rights: SQL = """
                select (has_table_privilege(\(eve), 'child', 'trigger'), has_table_privilege(\(eve), 'child', 'insert'))::text
                """
            #expect(try ground.texts(ground.admin(target), rights) == ["(f,t)"], "\(name)")
            #expect(told.contains { $0.name == "TRIGGER ON public.child TO PUBLIC" }, "\(told)")
        }
    }

    @Test("nobody else comes into a database while it is loaded; afterwards those whom the live one lets in")
    func closedWhileLoading() throws {
        let source = try ground.server.freshDatabase("closed_loading")
        let databases = Databases(source)
        for isOpen in [true, false] {
            let copy = "\(source.database)_\(isOpen)"
            if !isOpen {
                try ground.run(source, ["revoke connect on database \(identifier: source.database) from public"])
            }
            try databases.create(copy, like: source.database)
            let may: SQL = "select has_database_privilege('pg_monitor', \(copy), 'CONNECT')::text"
            #expect(try ground.texts(source.naming(database: copy), may) == ["false"])
            #expect(try databases.copyProperties(from: source.database, to: copy) == [])
            #expect(try ground.texts(source.naming(database: copy), may) == ["\(isOpen)"])
        }
        // Nor where the login has not the rights of the role as whom it makes databases, but by SET ROLE.
        let (maker, login) = ("maker_\(source.database)", "login_\(source.database)")
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: maker) createdb",
                "create role \(identifier: login) login noinherit password 'x' in role \(identifier: maker)",
                "alter role \(identifier: login) set role = \(identifier: maker)",
            ])
        let made = ground.login(login, source).naming(database: "\(source.database)_made")
        try Databases(made).create(made.database, like: "no_such_database")
        let outside: SQL = "select has_database_privilege('pg_monitor', current_database(), 'CONNECT')::text"
        #expect(try ground.texts(made, outside) == ["false"])
        // On a new machine there is none: whoever may log in comes in, as into any new database.
        let new = "\(source.database)_new"
        try databases.create(new, like: "no_such_database")
        #expect(try databases.copyProperties(from: "no_such_database", to: new) == [])
        let all: SQL = """
            select (has_database_privilege('pg_monitor', \(new), 'CONNECT'), has_database_privilege('pg_monitor', \(new), 'TEMP'))::text
            """
        #expect(try ground.texts(source.naming(database: new), all) == ["(t,t)"])
    }

    @Test("a materialized view holds what its owner may see, and no row more")
    func filling() throws {
        let source = try ground.server.freshDatabase("filling_as")
        let team = "team_\(source.database)"
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: team)", "grant \(identifier: team) to mlflow_user",
                "grant create, usage on schema public to \(identifier: team)",
            ])
        try ground.run(
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
        #expect(try ground.texts(source, "select who from on_it") == ["alice"])
        try ground.dump(source)
        for (role, name) in [(source, "ours"), (ground.server.superuser, "super")] {
            let (target, told) = try ground.restore(source, as: role, name)
            #expect(told == [])
            #expect(try ground.texts(ground.admin(target), "select who from on_it") == ["alice"], "\(name)")
        }
        try ground.run(ground.admin(source), ["revoke \(identifier: team) from mlflow_user"])
    }

    @Test("where owners and grants cannot be given back, nobody may run what was closed to all")
    func closedFunction() throws {
        let source = try ground.server.freshDatabase("closed_function")
        try ground.run(
            source,
            [
                "create table runs (id serial)", "revoke select on runs from mlflow_user",
                "create function runit() returns int security definer language sql as 'select 1'",
                "revoke all on function runit from public",
            ])
        try ground.dump(ground.admin(source))
        let (target, told) = try ground.restore(source, as: source, "restored", dumper: "postgres")
        #expect(told.map(\.description) == ["grants TABLE runs"], "\(told)")
        let closed: SQL = "select has_function_privilege('pg_monitor', 'runit()', 'execute')::text"
        #expect(try ground.texts(target, closed) == ["false"])
        #expect(try ground.texts(target, "select count(*)::text from runs") == ["0"])
    }

    @Test("a superuser brings back what takes one, as whomever sessions of the database work", .ofContrib)
    func workingRole() throws {
        let source = try ground.server.freshDatabase("works_as")
        try ground.run(source, ["create table runs (id serial)"])
        try ground.server.asSuperuser(
            in: source,
            [
                "create extension dblink", "alter database \(identifier: source.database) set role = mlflow_user",
            ])
        try ground.dump(source)
        let (target, told) = try ground.restore(source, as: ground.server.superuser, "restored")
        #expect(told == [])
        #expect(try ground.texts(source.naming(database: target.database), ground.owners) == ["mlflow_user"])
        #expect(
            try ground.texts(ground.admin(target), "select extname::text from pg_extension where extname = 'dblink'")
                == ["dblink"])
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
        try ground.dump(database, on: server)
        // Of some 1,200 locks there is room for a hundred and a half.
        let holder = try Connection(database)
        var held = 0
        while try holder.hasRoom(for: held) { held += 1 }
        try holder.execute("select pg_advisory_unlock(i) from generate_series(1, 150) i")
        let tools = PostgresTools(binDirectory: server.binDirectory)
        let target = server.superuser.naming(database: "restored")
        try Databases(target).create(target.database, like: database.database)
        let told = try tools.restore(
            from: ground.dump, into: target, dumper: database.user, standingFor: database.database, jobs: 1)
        #expect(told == [])
        // What MLflow's own role may not make is found by making it, each function with its table: more than there is room for.
        let ours = database.naming(database: "ours")
        try Databases(ours).create(ours.database, like: database.database)
        #expect(try tools.restore(from: ground.dump, into: ours, dumper: database.user, jobs: 1) == [])
        holder.close()
        #expect(try ground.texts(ours, "select count(*)::text from pg_proc where proname like 'of\\_%'") == ["60"])
        #expect(
            try ground.texts(
                target, "select lomowner::regrole || ' ' || count(*) from pg_largeobject_metadata group by lomowner")
                == ["mlflow_user 250"])
        #expect(try ground.texts(target, ground.owners) == ["mlflow_user"])
    }

    @Test("a policy means what it meant, byte by byte, in a database without an encoding")
    func bytes() throws {
        let name = "bytes_\(UInt32.random(in: .min ... .max))"
        let source = ground.server.settings.naming(database: name)
        try Connection(ground.server.settings.naming(database: "postgres")).execute(
            script: "create database \(name) encoding 'sql_ascii' locale 'C' template template0".utf8)
        let analyst = "analyst_\(name)"
        try ground.server.asSuperuser(in: source, ["create role \(identifier: analyst)"])
        try ground.run(
            source,
            [
                "create table towns (city text)", #"insert into towns values (E'Z\374rich'), ('Bern')"#,
                "alter table towns enable row level security", "grant select on towns to \(identifier: analyst)",
                "create publication sent for table towns", #"create policy p on towns using (city <> E'Z\374rich')"#,
                #"do $$ begin execute 'comment on policy p on towns is ''' || E'Z\374rich' || ''''; end $$"#,
            ])
        try ground.dump(source)
        let (target, told) = try ground.restore(source, as: source, "restored")
        #expect(told == [])
        let all: SQL = """
            select encode(convert_to(t, 'SQL_ASCII'), 'escape') from (
              select pg_get_expr(polqual, polrelid) || obj_description(oid, 'pg_policy') from pg_policy) p(t)
            """
        #expect(try ground.texts(target, all) == ground.texts(source, all))
        let seen = try Connection(ground.admin(target))
        try seen.execute("set row_security = on")
        try seen.execute("set role \(identifier: analyst)")
        #expect(try seen.rows("select city from towns").map { try $0.string(0) } == ["Bern"])
    }

    @Test("a restrictive policy that cannot be made as it was shows nobody a row that it hid")
    func restrictive() throws {
        let source = try ground.server.freshDatabase("restrictive")
        let (alice, gone) = ("al, ice USING (\"\(source.database)", "gone_\(source.database)")
        try ground.server.asSuperuser(
            in: source,
            [
                "create role \(identifier: alice)", "create role \(identifier: gone)",
                "create function sealed(text) returns bool leakproof language sql as $$ select $1 = 'alice' $$",
            ])
        for table in ["some_away", "all_away", "no_function"] {
            try ground.run(
                source,
                [
                    "create table \(identifier: table) as select unnest(array['alice', 'bob', 'carol']) as who",
                    "alter table \(identifier: table) enable row level security",
                    "grant select on \(identifier: table) to \(identifier: alice)",
                    "create policy \"shows TO all\" on \(identifier: table) using (true)",
                ])
        }
        try ground.run(
            source,
            [
                """
                create policy "is TO x" on some_away as restrictive for select to \(identifier: alice), \(identifier: gone)
                using (who = 'alice')
                """,
                "create policy gone on all_away as restrictive to \(identifier: gone) using (who = 'alice')",
                "create policy sealed on no_function as restrictive using (sealed(who))",
            ])
        try ground.dump(source)
        try ground.run(
            source, ["drop policy \"is TO x\" on some_away", "drop policy gone on all_away"])
        try ground.server.asSuperuser(in: source, ["drop role \(identifier: gone)"])
        let (target, told) = try ground.restore(source, as: source, "restored")
        let policies = told.filter { $0.kind == "policy" }.map { "\($0.name): \($0.reason ?? "")" }.sorted()
        #expect(policies.count == 3, "\(told)")
        #expect(
            policies[0].hasPrefix("public.all_away gone: 42704") && policies[0].hasSuffix("; TO PUBLIC"), "\(policies)")
        #expect(policies[1] == "public.no_function sealed: USING (false)", "\(policies)")
        #expect(policies[2].hasSuffix("; TO PUBLIC"), "\(policies)")
        let session = try Connection(ground.admin(target))
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
