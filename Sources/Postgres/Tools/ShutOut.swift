// SPDX-License-Identifier: Apache-2.0

/// Who cannot do with the application's tables what he could. Grants are a backup's as its rows are; but who is shut out by a restore should
/// not find it out by himself.
struct ShutOut {
    /// The application's.
    let tables: Set<QualifiedTable>
    /// In the restored database.
    let session: Connection

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
    }

    private static let order = ["SELECT", "INSERT", "UPDATE", "DELETE", "ROW LEVEL SECURITY"]

    /// Each role once.
    /// - Parameter live: the database in whose place the restored one is put; `nil` for none.
    func found(comparedWith live: String?) throws(PostgresError) -> [BeyondRestore] {
        let own = try owners()
        let others = try live.map { live throws(PostgresError) in try lost(live) } ?? [:]
        return (own.sorted { $0.key < $1.key } + others.sorted { $0.key < $1.key }.filter { own[$0.key] == nil }).map {
            BeyondRestore(kind: "role", name: $0.key, fate: .shutOut).because($0.value)
        }
    }

    /// Who logs in and may write into the live tables, and not any more into the restored ones.
    private func lost(_ live: String) throws(PostgresError) -> [String: String] {
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
        var lost: [String: String] = [:]
        for (role, could) in before {
            var rights = Rights()
            for (table, names) in could {
                let gone = names.subtracting(now[role]?[table] ?? [])
                if gone.isEmpty { continue }
                rights.names.formUnion(gone)
                rights.tables.insert(table)
            }
            if !rights.tables.isEmpty { lost[role] = rights.text }
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
                where c.relkind in ('r', 'p') and c.relname = any (\(tables.map(\.name)))),
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
            guard tables.contains(table) else { continue }
            writers[try row.string("role"), default: [:]][table, default: []].insert(try row.string("privilege"))
        }
        return writers
    }

    /// Whose the tables are, and what of that which MLflow does the owner may not: a right that was taken from him, a schema that is not his, or policies
    /// that hold for owners, too, and let him see or make no row.
    private func owners() throws(PostgresError) -> [String: String] {
        let rows = try session.rows(
            """
            select r.rolname::text as role, n.nspname::text as schema, c.relname::text as name, p.name as lacks
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              join pg_catalog.pg_roles r on r.oid = c.relowner
              cross join pg_catalog.unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'ROW LEVEL SECURITY']) p(name)
            where c.relkind in ('r', 'p') and c.relname = any (\(tables.map(\.name))) and not r.rolsuper
              and case when p.name <> 'ROW LEVEL SECURITY' then
                  not (pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
                       and pg_catalog.has_table_privilege(r.oid, c.oid, p.name))
                else c.relrowsecurity and c.relforcerowsecurity and not r.rolbypassrls and exists (
                  select from pg_catalog.unnest(array['r', 'a']) command(letter)
                  where not exists (
                    select from pg_catalog.pg_policy y cross join pg_catalog.unnest(y.polroles) for_role(oid)
                    where y.polrelid = c.oid and y.polpermissive and y.polcmd::text in ('*', command.letter)
                      and (for_role.oid = 0 or pg_catalog.pg_has_role(r.oid, for_role.oid, 'USAGE'))))
                end
            """)
        var lacking: [String: (rights: Rights, policies: Rights)] = [:]
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            guard tables.contains(table) else { continue }
            let (role, lacks) = (try row.string("role"), try row.string("lacks"))
            let part: WritableKeyPath<(rights: Rights, policies: Rights), Rights> =
                lacks == "ROW LEVEL SECURITY" ? \.policies : \.rights
            lacking[role, default: (Rights(), Rights())][keyPath: part].names.insert(lacks)
            lacking[role, default: (Rights(), Rights())][keyPath: part].tables.insert(table)
        }
        return lacking.mapValues { found in
            [found.rights, found.policies].filter { !$0.tables.isEmpty }.map(\.text).joined(separator: "; ")
        }
    }
}
