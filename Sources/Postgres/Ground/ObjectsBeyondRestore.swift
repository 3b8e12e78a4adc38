// SPDX-License-Identifier: Apache-2.0

/// What of this database a restore by this role would leave out, by the catalogue: what takes a superuser to make, extensions
/// whose files this server has not, and all that depends on these (`pg_depend`; what the body of a function names is not in it).
struct ObjectsBeyondRestore {
    private let session: Connection
    private let isSuperuser: Bool

    init(_ session: Connection, isSuperuser: Bool) {
        self.session = session
        self.isSuperuser = isSuperuser
    }

    func all() throws(PostgresError) -> [BeyondRestore] {
        // Whatever the role.
        var found = try objects(dependingOn: unavailableExtensions) { _ in .unavailable }
        if !isSuperuser {
            let known = Set(found.map(\.description))
            found += try objects(dependingOn: makeableBySuperusersOnly) { $0 == "table" ? .fails : .leftOut }
                .filter { !known.contains($0.description) }
            found += try counted(owners, .ownerChanges)
            found += try counted(tablespaces, .moves)
        }
        let name = session.settings.database
        found += try unlogged()
        return try found + Self.subscriptions(of: name, on: session) + Self.slots(of: name, on: session)
    }

    /// Tables whose rows are not here.
    private func unlogged() throws(PostgresError) -> [BeyondRestore] {
        var found: [BeyondRestore] = []
        for row in try session.rows(
            """
            select n.nspname::text as schema, c.relname::text as name
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and \(Connection.isUsers) and \(Connection.isAway) order by 1, 2
            """)
        {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            found.append(BeyondRestore(kind: "table", name: table.description, fate: .notInBackup))
        }
        return found
    }

    static func subscriptions(of database: String, on session: Connection) throws(PostgresError) -> [BeyondRestore] {
        var found: [BeyondRestore] = []
        for row in try session.rows(
            """
            select s.subname::text as name from pg_catalog.pg_subscription s
            join pg_catalog.pg_database d on d.oid = s.subdbid where d.datname = \(database) order by 1
            """)
        {
            found.append(BeyondRestore(kind: "subscription", name: try row.string("name"), fate: .never))
        }
        return found
    }

    /// Logical replication slots of a database.
    static func slots(of database: String, on session: Connection) throws(PostgresError) -> [BeyondRestore] {
        var found: [BeyondRestore] = []
        for row in try session.rows(
            "select slot_name::text as name from pg_catalog.pg_replication_slots where database = \(database) order by 1"
        ) {
            found.append(BeyondRestore(kind: "replication slot", name: try row.string("name"), fate: .staysBehind))
        }
        return found
    }

    /// - Parameter roots: selects (class, object).
    private func objects(
        dependingOn roots: SQL, _ fate: (_ kind: String) -> BeyondRestore.Fate
    ) throws(PostgresError) -> [BeyondRestore] {
        let rows = try session.rows(
            """
            with recursive lost(class, object) as (\(roots)),
            beyond(class, object) as (
              select * from lost
              union
              select next.* from beyond cross join lateral (
                select d.classid, d.objid from pg_catalog.pg_depend d
                where d.refclassid = beyond.class and d.refobjid = beyond.object
                union all
                select 'pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class from pg_catalog.pg_rewrite r
                where beyond.class = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and r.oid = beyond.object
                union all
                select 'pg_catalog.pg_class'::pg_catalog.regclass, a.adrelid from pg_catalog.pg_attrdef a
                where beyond.class = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and a.oid = beyond.object
                union all
                select 'pg_catalog.pg_class'::pg_catalog.regclass, c.conrelid from pg_catalog.pg_constraint c
                where beyond.class = 'pg_catalog.pg_constraint'::pg_catalog.regclass and c.oid = beyond.object
                  and c.contype = 'c' and c.conrelid <> 0
              ) next
            )
            select i.type as kind, i.identity as name from beyond
            cross join lateral pg_catalog.pg_identify_object(class, object, 0) i
            where class <> all(array['pg_rewrite', 'pg_attrdef', 'pg_constraint', 'pg_amop', 'pg_amproc',
                                     'pg_publication_rel', 'pg_default_acl']::pg_catalog.regclass[])
              and not exists (
                select from pg_catalog.pg_depend x
                where x.classid = class and x.objid = object and x.deptype in ('e', 'i'))
              and i.schema is distinct from 'pg_toast'
            order by i.type collate "C", i.identity collate "C"
            """)
        var found: [BeyondRestore] = []
        for row in rows {
            let kind = try row.string("kind")
            found.append(BeyondRestore(kind: kind, name: try row.string("name"), fate: fate(kind)))
        }
        let extensions = found.filter { $0.kind == "extension" }.map(\.name)
        return try found + contents(ofTablesOf: extensions)
    }

    /// The tables of extensions of which a dump has what was put into them. Whether anything was is not asked: who holds one
    /// would be waited for.
    private func contents(ofTablesOf extensions: [String]) throws(PostgresError) -> [BeyondRestore] {
        if extensions.isEmpty { return [] }
        var found: [BeyondRestore] = []
        for row in try session.rows(
            """
            select n.nspname::text as schema, c.relname::text as name
            from pg_catalog.pg_extension e
            join pg_catalog.pg_class c on c.oid = any(e.extconfig) and c.relkind in ('r', 'p')
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where pg_catalog.quote_ident(e.extname) = any(\(extensions)::text[]) order by 1, 2
            """)
        {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            found.append(.rows(of: table.description))
        }
        return found
    }

    /// They work on as long as nothing of them is loaded anew, and are in no package of this server any more.
    private var unavailableExtensions: SQL {
        """
        select 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, e.oid from pg_catalog.pg_extension e
        where not exists (select from pg_catalog.pg_available_extensions a where a.name = e.extname)
        """
    }

    /// What takes a superuser to make, as (class, object): not what an extension made, which comes with it.
    private var makeableBySuperusersOnly: SQL {
        let schemaPublications: SQL =
            session.serverVersion < 150_000
            ? "" : " or exists (select from pg_catalog.pg_publication_namespace where pnpubid = p.oid)"
        return """
            select 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, e.oid from pg_catalog.pg_extension e
            join pg_catalog.pg_available_extensions a on a.name = e.extname
            join pg_catalog.pg_available_extension_versions v on v.name = a.name and v.version = a.default_version
            where v.superuser and not v.trusted
            union all
            select own.class, own.object from (
              select 'pg_catalog.pg_event_trigger'::pg_catalog.regclass::oid, oid from pg_catalog.pg_event_trigger
              union all
              select 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid
              from pg_catalog.pg_foreign_data_wrapper
              union all
              select 'pg_catalog.pg_language'::pg_catalog.regclass, oid from pg_catalog.pg_language where lanispl
              union all
              select 'pg_catalog.pg_proc'::pg_catalog.regclass, f.oid from pg_catalog.pg_proc f
              join pg_catalog.pg_language l on l.oid = f.prolang
              where f.oid >= 16384 and (f.prokind <> 'a' and not l.lanpltrusted or f.proleakproof or \(setsForSuperusers))
              union all
              select 'pg_catalog.pg_proc'::pg_catalog.regclass, aggfnoid::pg_catalog.oid from pg_catalog.pg_aggregate
              where aggfnoid::pg_catalog.oid >= 16384
                and 'pg_catalog.internal'::pg_catalog.regtype in (aggtranstype, aggmtranstype)
              union all
              select 'pg_catalog.pg_cast'::pg_catalog.regclass, k.oid from pg_catalog.pg_cast k
              where k.oid >= 16384 and (k.castmethod = 'b' or not exists (
                select from pg_catalog.pg_type t where t.oid in (k.castsource, k.casttarget) and t.oid >= 16384
                  and not exists (
                    select from pg_catalog.pg_depend x
                    where x.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and x.objid = t.oid and x.deptype = 'e')))
              union all
              select 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid from pg_catalog.pg_opclass where oid >= 16384
              union all
              select 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid from pg_catalog.pg_opfamily where oid >= 16384
              union all
              select 'pg_catalog.pg_am'::pg_catalog.regclass, oid from pg_catalog.pg_am where oid >= 16384
              union all
              select 'pg_catalog.pg_publication'::pg_catalog.regclass, p.oid from pg_catalog.pg_publication p
              where p.puballtables\(schemaPublications)
            ) own(class, object)
            where not exists (
              select from pg_catalog.pg_depend x
              where x.classid = own.class and x.objid = own.object and x.deptype = 'e')
            """
    }

    /// Of a function `f`: whether it sets what a superuser alone may set.
    private var setsForSuperusers: SQL {
        let isOpen: SQL =
            session.serverVersion < 150_000
            ? "" : " and not pg_catalog.has_parameter_privilege(s.name, 'SET')"
        return """
            exists (
              select from pg_catalog.unnest(f.proconfig) c(entry) join pg_catalog.pg_settings s
                on pg_catalog.lower(s.name) = pg_catalog.lower(pg_catalog.split_part(c.entry, '=', 1))
              where s.context = 'superuser'\(isOpen))
            """
    }

    private func counted(
        _ query: SQL, _ fate: BeyondRestore.Fate
    ) throws(PostgresError) -> [BeyondRestore] {
        var found: [BeyondRestore] = []
        for row in try session.rows(query) {
            found.append(
                BeyondRestore(
                    kind: fate == .moves ? "tablespace" : "owner", name: try row.string("name"), fate: fate,
                    count: try row.int("count")))
        }
        return found
    }

    /// Owners to whom this role may give nothing, with what they have.
    private var owners: SQL {
        """
        select pg_catalog.pg_get_userbyid(o.owner)::text as name, count(*) from (
          select relowner, oid, 'pg_catalog.pg_class'::pg_catalog.regclass::oid, relnamespace
          from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'S', 'f') and relpersistence <> 't'
          union all
          select proowner, oid, 'pg_catalog.pg_proc'::pg_catalog.regclass, pronamespace from pg_catalog.pg_proc
          union all
          select typowner, oid, 'pg_catalog.pg_type'::pg_catalog.regclass, typnamespace from pg_catalog.pg_type
          union all
          select nspowner, oid, 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid from pg_catalog.pg_namespace
          where nspname <> 'public'
          union all
          select lomowner, oid, 'pg_catalog.pg_largeobject'::pg_catalog.regclass, null
          from pg_catalog.pg_largeobject_metadata
        ) o(owner, oid, class, namespace)
        left join pg_catalog.pg_namespace n on n.oid = o.namespace
        where (n.oid is null or not starts_with(n.nspname, 'pg_') and n.nspname <> 'information_schema')
          and not \(session.mayGive(to: "o.owner"))
          and not exists (
            select from pg_catalog.pg_depend x
            where x.classid = o.class and x.objid = o.oid and x.deptype in ('e', 'i'))
        group by 1 order by 1
        """
    }

    /// Tablespaces in which this role may make nothing.
    private var tablespaces: SQL {
        """
        select t.spcname::text as name, count(*) from pg_catalog.pg_class c
        join pg_catalog.pg_tablespace t on t.oid = c.reltablespace
        where c.relisshared = false and not pg_catalog.has_tablespace_privilege(t.oid, 'CREATE') group by 1 order by 1
        """
    }
}
