// SPDX-License-Identifier: Apache-2.0

/// Who cannot do with the application's tables what he could. Grants are a backup's as its rows are; but who is shut out by a restore should
/// not find it out by himself.
struct ShutOut {
    /// The application's that are its role's.
    let tables: Set<QualifiedTable>
    /// The application's that are another role's, which its role need only read.
    let others: Set<QualifiedTable>
    /// Whose the tables were in the dump.
    let formerOwner: String?
    /// In the restored database.
    let session: Connection

    init(
        tables: Set<QualifiedTable>, others: Set<QualifiedTable> = [], formerOwner: String? = nil, session: Connection
    ) {
        (self.tables, self.others, self.formerOwner, self.session) = (tables, others, formerOwner, session)
    }

    /// What a role can do, or cannot, and with which tables.
    private struct Rights {
        var names: Set<String> = []
        var tables: Set<QualifiedTable> = []

        /// `INSERT, UPDATE ON public.runs`; the first five tables.
        var text: String {
            let shown = tables.sorted().prefix(5).map(\.description).joined(separator: ", ")
            let more = tables.count > 5 ? " (+\(tables.count - 5))" : ""
            return "\(ShutOut.order.filter(names.contains).joined(separator: ", ")) ON \(shown)\(more)"
        }

        mutating func formUnion(_ other: Rights) {
            names.formUnion(other.names)
            tables.formUnion(other.tables)
        }
    }

    private struct Lacking {
        var rights = Rights()
        var policies = Rights()

        var text: String { [rights, policies].filter { !$0.tables.isEmpty }.map(\.text).joined(separator: "; ") }
    }

    private static let order = ["SELECT", "INSERT", "UPDATE", "DELETE", "ROW LEVEL SECURITY"]

    /// Each role once, and the policies of which nobody knows what they hide.
    /// - Parameter live: the database in whose place the restored one is put; `nil` for none.
    func found(comparedWith live: String?) throws(PostgresError) -> [BeyondRestore] {
        let application = try session.owner(ofMost: tables)
        let own = try owners(and: application)
        let losers = try live.map { live throws(PostgresError) in try lost(live) } ?? [:]
        var all = own
        for (role, rights) in losers { all[role, default: Lacking()].rights.formUnion(rights) }
        // Whose the tables are first.
        let roles = own.keys.sorted() + losers.keys.filter { own[$0] == nil }.sorted()
        let told = roles.map {
            BeyondRestore(kind: "role", name: $0, fate: .shutOut).because(all[$0]?.text)
        }
        guard let application, let formerOwner, application != formerOwner else { return told }
        return try told + askingWhoReads(application)
    }

    /// Who logs in and may write into the live tables, and not any more into the restored ones.
    private func lost(_ live: String) throws(PostgresError) -> [String: Rights] {
        let before: [String: [QualifiedTable: Set<String>]]
        do throws(PostgresError) {
            let old = try Connection(session.settings.naming(database: live))
            defer { old.close() }
            before = try writers(on: old)
        } catch {
            // It may be damaged, or away.
            return [:]
        }
        let now = try writers(on: session)
        var lost: [String: Rights] = [:]
        for (role, could) in before {
            var rights = Rights()
            for (table, names) in could {
                let gone = names.subtracting(now[role]?[table] ?? [])
                if gone.isEmpty { continue }
                rights.names.formUnion(gone)
                rights.tables.insert(table)
            }
            if !rights.tables.isEmpty { lost[role] = rights }
        }
        return lost
    }

    /// By a grant of his own, a group's, or of a group whose role he takes (SET ROLE).
    private func writers(on session: Connection) throws(PostgresError) -> [String: [QualifiedTable: Set<String>]] {
        let takes: SQL = session.serverVersion >= 160_000 ? "'SET'" : "'MEMBER'"
        let rows = try session.rows(
            """
            with asked as (
                select c.oid, n.oid as schema, n.nspname::text as schema_name, c.relname::text as name
                from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where c.relkind in ('r', 'p') and c.relname = any (\(tables.union(others).map(\.name)))),
              rights as (
                select r.oid as holder, a.schema_name, a.name, p.name as privilege
                from pg_catalog.pg_roles r cross join asked a
                  cross join pg_catalog.unnest(array['INSERT', 'UPDATE', 'DELETE']) p(name)
                where not r.rolsuper and pg_catalog.has_schema_privilege(r.oid, a.schema, 'USAGE')
                  and case p.name when 'DELETE' then pg_catalog.has_table_privilege(r.oid, a.oid, 'DELETE')
                      else pg_catalog.has_any_column_privilege(r.oid, a.oid, p.name) end),
              holders as (
                select r.rolname::text as role, h.holder
                from (select distinct holder from rights) h join pg_catalog.pg_roles r
                  on r.rolcanlogin and not r.rolsuper
                    and (r.oid = h.holder or pg_catalog.pg_has_role(r.oid, h.holder, \(takes))))
            select distinct h.role, r.schema_name, r.name, r.privilege
            from holders h join rights r on r.holder = h.holder
            """)
        var writers: [String: [QualifiedTable: Set<String>]] = [:]
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema_name"), name: try row.string("name"))
            guard tables.contains(table) || others.contains(table) else { continue }
            writers[try row.string("role"), default: [:]][table, default: []].insert(try row.string("privilege"))
        }
        return writers
    }

    /// Whose the tables are, and what of that which MLflow does the owner may not: a right that was taken from him, a schema that is not his, or policies
    /// that hold for owners, too, and let him see or make no row, or change or remove none. Of the application's tables that are another's, whether
    /// its role reads them.
    private func owners(and application: String?) throws(PostgresError) -> [String: Lacking] {
        let rows = try session.rows(
            """
            select r.rolname::text as role, n.nspname::text as schema, c.relname::text as name, p.name as lacks,
              r.oid = c.relowner as own
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              join pg_catalog.pg_roles r on r.oid = c.relowner or r.rolname = \(application ?? "")
              cross join pg_catalog.unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'ROW LEVEL SECURITY']) p(name)
            where c.relkind in ('r', 'p') and c.relname = any (\(tables.union(others).map(\.name))) and not r.rolsuper
              and case when p.name <> 'ROW LEVEL SECURITY' then
                  not (pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
                       and pg_catalog.has_table_privilege(r.oid, c.oid, p.name))
                else \(Self.isBound) and exists (
                  select from pg_catalog.unnest(
                    case when r.oid = c.relowner then array['r', 'a', 'w', 'd'] else array['r'] end) command(letter)
                  where not exists (
                    select from pg_catalog.pg_policy y cross join pg_catalog.unnest(y.polroles) for_role(oid)
                    where y.polrelid = c.oid and y.polpermissive and y.polcmd::text in ('*', command.letter)
                      and (for_role.oid = 0 or pg_catalog.pg_has_role(r.oid, for_role.oid, 'USAGE'))))
                end
            """)
        var lacking: [String: Lacking] = [:]
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            let (role, lacks) = (try row.string("role"), try row.string("lacks"))
            let isOwn = try row.bool("own")
            let isRead = role == application && !isOwn && ["SELECT", "ROW LEVEL SECURITY"].contains(lacks)
            guard isOwn ? tables.contains(table) : isRead && others.contains(table) else { continue }
            let part: WritableKeyPath<Lacking, Rights> = lacks == "ROW LEVEL SECURITY" ? \.policies : \.rights
            lacking[role, default: Lacking()][keyPath: part].names.insert(lacks)
            lacking[role, default: Lacking()][keyPath: part].tables.insert(table)
        }
        return lacking
    }

    /// Whether the policies of a table `c` hold for a role `r`.
    private static let isBound: SQL = """
        c.relrowsecurity and not r.rolbypassrls
          and (c.relforcerowsecurity or not pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))
        """

    /// What they do can only be found out by doing it, with the rights of whoever asks: a function that a policy calls is a client's.
    /// - Parameter role: whose the tables are now, and were not.
    private func askingWhoReads(_ role: String) throws(PostgresError) -> [BeyondRestore] {
        // A call, a question of the session, or a look at other tables (nodes of the server's parser); an operator that is not the server's own.
        let asks: SQL = """
            pg_catalog.concat(y.polqual::text, y.polwithcheck::text) ~ '[{](FUNCEXPR|SQLVALUEFUNCTION|SUBLINK) '
              or exists (
                select from pg_catalog.regexp_matches(
                  pg_catalog.concat(y.polqual::text, y.polwithcheck::text), ':opno ([0-9]+)', 'g') used(numbers)
                where used.numbers[1]::bigint >= 16384)
            """
        let rows = try session.rows(
            """
            with holding as (
              select n.nspname::text as schema, c.relname::text as name, y.polname::text as policy, y.polrelid, y.polcmd,
                y.polpermissive, \(asks) as asks,
                coalesce(pg_catalog.pg_get_expr(y.polqual, y.polrelid), 'true') = 'true'
                  and coalesce(pg_catalog.pg_get_expr(y.polwithcheck, y.polrelid), 'true') = 'true' as is_open
              from pg_catalog.pg_policy y join pg_catalog.pg_class c on c.oid = y.polrelid
                join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                join pg_catalog.pg_roles r on r.rolname = \(role) and not r.rolsuper
              where c.relname = any (\(tables.union(others).map(\.name))) and \(Self.isBound)
                and exists (
                  select from pg_catalog.unnest(y.polroles) for_role(oid)
                  where for_role.oid = 0 or pg_catalog.pg_has_role(r.oid, for_role.oid, 'USAGE')))
            select schema, name, policy from holding h
            where asks and not (polpermissive and exists (
              select from holding o
              where o.polrelid = h.polrelid and o.polpermissive and o.is_open and o.polcmd in ('*', h.polcmd)))
            order by 1, 2, 3
            """)
        var found: [BeyondRestore] = []
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            guard tables.contains(table) || others.contains(table) else { continue }
            let name = "\(try row.string("policy").asIdentifier) on \(table)"
            found.append(BeyondRestore(kind: "policy", name: name, fate: .mayHide).about(role: role))
        }
        return found
    }
}
