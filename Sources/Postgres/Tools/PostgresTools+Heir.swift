// SPDX-License-Identifier: Apache-2.0

extension PostgresTools {
    private struct Candidate {
        let name: String
        let mayBeGiven: Bool
        /// Sessions in the live database work as this role, by its setting `role`, and its owner is a member of it.
        let works: Bool
        /// It owns the live database.
        let owns: Bool
    }

    private struct LiveTables {
        /// Whose most of them are; `nil` where fewer than half of the dump's are there.
        var owner: String?
        /// None of them is there, as far as can be told.
        var isEmpty = false
    }

    /// To whom goes what was the owner's of MLflow's tables, so that MLflow finds it: the first of these to whom this role may give it. Whose the
    /// same tables are in the live database (the backup may be another stack's, by a role that is here, too); that owner; and where none
    /// is there, or nobody but a superuser knows, the role that sessions of the live database work as, and its owner. None of them a
    /// superuser who was not the owner: a function of MLflow's that runs with its owner's rights would then run with all of them.
    /// - Parameters:
    ///   - owner: whose MLflow's tables are in the dump.
    ///   - live: the database in whose place it is put.
    /// - Returns: `nil` where the restoring role keeps it. Whose the live tables are, though it may not be given to him, where it would else stay
    ///   with the restoring role: that is told of.
    func heir(
        _ owner: String?, of contents: DumpContents, _ live: String?, _ situation: RestoreSituation,
        on session: Connection
    ) throws(PostgresError) -> String? {
        var tables = LiveTables(isEmpty: true)
        if let owner, let live {
            tables = liveTables(among: contents.tables(of: owner), in: session.settings.naming(database: live))
        }
        let found = try candidates([owner, tables.owner].compactMap(\.self), live, butSuperusers: owner, on: session)
        let now = found.first { $0.name == tables.owner }
        var ranked = [now, found.first { $0.name == owner }]
        if now == nil, situation.isSuperuser || tables.isEmpty {
            ranked += [found.first(where: \.works), found.first(where: \.owns)]
        }
        let chosen = ranked.compactMap(\.self).first(where: \.mayBeGiven)?.name ?? situation.role
        if chosen == situation.role, let now, now.name != chosen { return now.name }
        return chosen == situation.role ? nil : chosen
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
                select r.rolname::text as name, \(session.mayGive(to: "r.oid")) as given,
                  coalesce(r.rolname in (select name from working)
                    and pg_catalog.pg_has_role((select datdba from live), r.oid, 'MEMBER'), false) as works,
                  coalesce(r.oid = (select datdba from live), false) as owns
                from pg_catalog.pg_roles r where not r.rolsuper or r.rolname = \(owner ?? ""))
            select * from roles where works or owns or name = any (\(names)) order by name
            """)
        var found: [Candidate] = []
        for row in rows {
            found.append(
                Candidate(
                    name: try row.string("name"), mayBeGiven: try row.bool("given"), works: try row.bool("works"),
                    owns: try row.bool("owns")))
        }
        return found
    }

    /// What else is in a database says nothing: anybody may have made it since. What is restored may stand for one that is damaged, of which
    /// nothing can be asked.
    private func liveTables(among tables: Set<QualifiedTable>, in settings: ConnectionSettings) -> LiveTables {
        do throws(PostgresError) {
            let session = try Connection(settings)
            defer { session.close() }
            let rows = try session.rows(
                """
                select n.nspname::text as schema, c.relname::text as name, pg_catalog.pg_get_userbyid(c.relowner)::text as owner
                from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where c.relkind in ('r', 'p')
                """)
            var owners: [String: Int] = [:]
            for row in rows {
                let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
                if tables.contains(table) { owners[try row.string("owner"), default: 0] += 1 }
            }
            let there = owners.values.reduce(0, +)
            let most = there * 2 >= tables.count ? owners.first { $0.value * 2 > there }?.key : nil
            return LiveTables(owner: most, isEmpty: there == 0)
        } catch {
            if case .databaseMissing = error { return LiveTables(isEmpty: true) }
            return LiveTables()
        }
    }
}
