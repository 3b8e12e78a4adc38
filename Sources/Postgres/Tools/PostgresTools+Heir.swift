// SPDX-License-Identifier: Apache-2.0

extension PostgresTools {
    fileprivate struct Candidate {
        let name: String
        let isSuperuser: Bool
        let mayBeGiven: Bool
        /// Sessions in the live database work as this role, by its setting `role`, and its owner is a member of it.
        let works: Bool
        /// It owns the live database.
        let owns: Bool
        /// Or is a member of who does.
        let isOfOwner: Bool
    }

    private struct LiveTables {
        /// Whose most of them are; `nil` where fewer than half of the dump's are there.
        var owner: String?
        /// None of them is there, as far as can be told.
        var isEmpty = false
        /// Whose the dump's are may write into the live ones.
        var areUsed = false
        /// Or somebody let him make tables beside them, or he is one of the database owner's.
        var isLetMake = false
        /// Who was let make tables beside them, by name.
        var makers: [String] = []
    }

    /// To whom it goes.
    struct Heir {
        /// `nil` where nobody is known and the restoring role keeps it.
        var name: String?
        /// Where it could be another's, too.
        var told: [BeyondRestore] = []
    }

    /// To whom goes what was the owner's of the application's tables, so that the application finds it: the first of these to whom this role
    /// may give it. Whose the same tables are in the live database (the backup may be another stack's, by a role that is here, too), or its owner,
    /// if that is a group with this one in it; that owner; and where none is there, or nobody but a superuser knows, the role that sessions of the
    /// live database work as, and its owner, and before a superuser who was the owner. Where the live ones are a superuser's, these two, and
    /// that owner where he may write into them.
    ///
    /// Of another stack's backup the role that had them is none of this one's for being here, too: where no table says whose they are the live
    /// database's owner comes first, if it did not let that role make tables. Where that is a superuser, as of a database that an administrator
    /// made for a role, the only one that he let make tables there comes in his place. Who else it could be, is said.
    ///
    /// None of them a superuser who was not the owner: a function that runs with its owner's rights would then run with all of them.
    /// - Parameters:
    ///   - owner: whose the application's tables are in the dump.
    ///   - tables: by which the live database is asked.
    ///   - live: the database in whose place it is put.
    ///   - isOfAnother: whether another stack made the dump.
    /// - Returns: nobody where nobody is known and the restoring role keeps it. Whose the live tables are, though it may not be given to him, where it
    ///   would else stay with the restoring role: that is told of.
    func heir(
        _ owner: String?, of tables: Set<QualifiedTable>, _ live: String?, ofAnother isOfAnother: Bool,
        _ situation: RestoreSituation, on session: Connection
    ) throws(PostgresError) -> Heir {
        var there = LiveTables(isEmpty: true)
        if let owner, let live {
            there = liveTables(among: tables, usedBy: owner, in: session.settings.naming(database: live))
        }
        if there.owner == situation.role, !situation.isSuperuser { return Heir(name: situation.role) }
        let asked = [owner, there.owner].compactMap(\.self) + there.makers
        let found = try candidates(asked, live, butSuperusers: owner, on: session)
        let now = found.first { $0.name == there.owner }
        let his = found.first { $0.name == owner }
        let owns = found.first(where: \.owns)
        let works = found.first(where: \.works)
        let makers = found.filter { there.makers.contains($0.name) && !$0.owns }
        // Who owns the database and may log in is as likely MLflow's as the one that he lets make tables.
        let maker = isOfAnother && owns?.isSuperuser ?? true && makers.count == 1 ? makers[0] : nil
        let ofLive = [works, owns]
        let isOpen = there.owner == nil && (situation.isSuperuser || there.isEmpty || isOfAnother)
        let isLivesFirst = his?.isSuperuser == true || isOfAnother && !there.isLetMake
        let ranked: [Candidate?] =
            if let now {
                [now, now.isOfOwner ? owns : nil, his]
            } else if there.owner != nil {
                ofLive + [there.areUsed ? his : nil]
            } else if isOpen {
                isLivesFirst ? [works, maker, owns, his] : [his, works, maker, owns]
            } else {
                [his]
            }
        guard let chosen = ranked.compactMap(\.self).first(where: \.mayBeGiven) else {
            return Heir(name: now?.name ?? (there.owner == nil ? nil : situation.role))
        }
        guard isOpen else { return Heir(name: chosen.name) }
        let other = chosen.name != his?.name ? his : chosen.isOfOwner ? nil : owns
        let passedOver = [other].compactMap(\.self) + (there.isLetMake ? [] : makers)
        return Heir(name: chosen.name, told: passedOver.told(besides: chosen))
    }

    /// - Parameter butSuperusers: superusers are none, but this one.
    private func candidates(
        _ names: [String], _ live: String?, butSuperusers owner: String?, on session: Connection
    ) throws(PostgresError) -> [Candidate] {
        // Whoever owns a database may name any role in its settings.
        let rows = try session.rows(
            """
            with live as (select oid, datdba from pg_catalog.pg_database where datname = \(live ?? "")),
              working as (
                select pg_catalog.substr(entry, 6) as name
                from pg_catalog.pg_db_role_setting s cross join lateral pg_catalog.unnest(s.setconfig) entry
                where s.setdatabase = (select oid from live) and pg_catalog.starts_with(entry, 'role=')
                  and s.setrole in (0, (select oid from pg_catalog.pg_roles where rolname = session_user))),
              roles as (
                select r.rolname::text as name, r.rolsuper as super, \(session.mayGive(to: "r.oid")) as given,
                  coalesce(r.rolname in (select name from working)
                    and pg_catalog.pg_has_role((select datdba from live), r.oid, 'MEMBER'), false) as works,
                  coalesce(r.oid = (select datdba from live), false) as owns,
                  coalesce(pg_catalog.pg_has_role(r.oid, (select datdba from live), 'MEMBER'), false) as member
                from pg_catalog.pg_roles r where not r.rolsuper or r.rolname = \(owner ?? ""))
            select * from roles where works or owns or name = any (\(names)) order by name
            """)
        var found: [Candidate] = []
        for row in rows {
            found.append(
                Candidate(
                    name: try row.string("name"), isSuperuser: try row.bool("super"),
                    mayBeGiven: try row.bool("given"), works: try row.bool("works"), owns: try row.bool("owns"),
                    isOfOwner: try row.bool("member")))
        }
        return found
    }

    /// What else is in a database says nothing: anybody may have made it since. What is restored may stand for one that is damaged, of which
    /// nothing can be asked.
    private func liveTables(
        among tables: Set<QualifiedTable>, usedBy role: String, in settings: ConnectionSettings
    ) -> LiveTables {
        do throws(PostgresError) {
            let session = try Connection(settings)
            defer { session.close() }
            let rows = try session.rows(
                """
                select n.nspname::text as schema, c.relname::text as name, pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
                  coalesce(
                    (select pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT') from pg_catalog.pg_roles r
                     where r.rolname = \(role)), false) as used
                from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where c.relkind in ('r', 'p')
                """)
            var owners: [String: Int] = [:]
            var used = 0
            for row in rows {
                let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
                guard tables.contains(table) else { continue }
                owners[try row.string("owner"), default: 0] += 1
                if try row.bool("used") { used += 1 }
            }
            let there = owners.values.reduce(0, +)
            let most = there * 2 >= tables.count ? owners.first { $0.value * 2 > there }?.key : nil
            let schemas = Set(tables.map(\.schema))
            return LiveTables(
                owner: most, isEmpty: there == 0, areUsed: used * 2 > there,
                isLetMake: try isLetMake(role, schemas, on: session),
                makers: try session.makers(in: schemas).keys.sorted())
        } catch {
            if case .databaseMissing = error { return LiveTables(isEmpty: true) }
            return LiveTables()
        }
    }

    /// What everybody may says nothing of him.
    private func isLetMake(
        _ role: String, _ schemas: Set<String>, on session: Connection
    ) throws(PostgresError) -> Bool {
        let rows = try session.rows(
            """
            select from pg_catalog.pg_roles r, pg_catalog.pg_database d
            where r.rolname = \(role) and d.datname = pg_catalog.current_database()
              and (pg_catalog.pg_has_role(r.oid, d.datdba, 'MEMBER') or exists (
                select from pg_catalog.pg_namespace n cross join pg_catalog.aclexplode(n.nspacl) a
                where n.nspname = any (\(schemas.sorted())) and a.privilege_type = 'CREATE' and a.grantee <> 0
                  and pg_catalog.pg_has_role(r.oid, a.grantee, 'MEMBER')))
            """)
        return !rows.isEmpty
    }
}

extension [PostgresTools.Candidate] {
    /// Who could be meant as well as the chosen one, each once.
    fileprivate func told(besides chosen: PostgresTools.Candidate) -> [BeyondRestore] {
        Set(filter { $0.name != chosen.name && !$0.isSuperuser }.map(\.name)).sorted().map {
            BeyondRestore(kind: "role", name: $0, fate: .passedOver).about(role: chosen.name)
        }
    }
}
