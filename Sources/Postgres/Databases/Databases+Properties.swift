// SPDX-License-Identifier: Apache-2.0

import Wording

extension Databases {
    /// Gives `copy` what belongs to the database `model` but is in no dump of it: settings made by
    /// ALTER DATABASE/ROLE … SET, grants on the database, its connection limit, its comment, whether it is a template, and its owner.
    ///
    /// Call it after the data is loaded and before the swap: a setting such as `default_transaction_read_only` would
    /// stand in the loader's way. Where there is no `model`, it is open to all, as a new one is by default.
    /// - Returns: what this role may not set, for a person to set by hand.
    package func copyProperties(from model: String, to copy: String) throws(PostgresError) -> [BilingualText] {
        let session = try connect()
        var copier = PropertyCopier(session: session, model: model, copy: copy)
        guard try exists(model, on: session) else {
            try copier.open()
            return copier.warnings
        }
        try copier.compareTablespaces()
        try copier.copySettings()
        try copier.copyGrants()
        try copier.copyLimitCommentAndOwner()
        return copier.warnings
    }

    /// As whom sessions work, which must be so before anything is made in the copy. What is refused `copyProperties` tells.
    func copyRoles(from model: String, to copy: String, on session: Connection) throws(PostgresError) {
        var copier = PropertyCopier(session: session, model: model, copy: copy)
        try copier.copySettings(only: "role")
    }
}

private struct PropertyCopier {
    let session: Connection
    let model: String
    let copy: String
    var warnings: [BilingualText] = []

    /// The copy was made in the model's where this role may (`Databases.create`).
    mutating func compareTablespaces() throws(PostgresError) {
        let rows = try session.rows(
            """
            select t.spcname::text as name from pg_catalog.pg_database m
            join pg_catalog.pg_database c on c.datname = \(copy) and c.dattablespace <> m.dattablespace
            join pg_catalog.pg_tablespace t on t.oid = m.dattablespace where m.datname = \(model)
            """)
        guard let name = try rows.first?.string("name") else { return }
        let role = try session.role()
        let grant = "GRANT CREATE ON TABLESPACE \(name.asQuotedIdentifier) TO \(role.asQuotedIdentifier);"
        warnings.append(
            BilingualText(
                zh: "数据库属性 TABLESPACE \(name) 未能复制：用户 \(role) 无权在其中创建数据库。请以超级用户执行 "
                    + "\(grant) "
                    + "并用 ALTER DATABASE … SET TABLESPACE 移动数据库。",
                en: "The database property TABLESPACE \(name) was not copied: the role \(role) may not make databases "
                    + "there. As a superuser run \(grant) and move the "
                    + "database by ALTER DATABASE … SET TABLESPACE."))
    }

    /// `pg_db_role_setting` holds `name=value`; role 0 is every role.
    /// - Parameter only: the one setting; `nil` for all.
    mutating func copySettings(only: String? = nil) throws(PostgresError) {
        let rows = try session.rows(
            """
            select r.rolname as role, split_part(entry, '=', 1) as name,
                   substr(entry, strpos(entry, '=') + 1) as value
            from pg_catalog.pg_db_role_setting s
            join pg_catalog.pg_database d on d.oid = s.setdatabase
            left join pg_catalog.pg_roles r on r.oid = s.setrole
            cross join lateral unnest(s.setconfig) as entry
            where d.datname = \(model) and (s.setrole = 0 or r.rolname is not null)
            """)
        for row in rows {
            let name = try row.string("name")
            if let only, name != only { continue }
            let value = try row.string("value")
            let target: SQL =
                if let role = try row.optional("role", as: String.self) {
                    "alter role \(identifier: role) in database \(identifier: copy)"
                } else {
                    "alter database \(identifier: copy)"
                }
            let parameter = Self.parameter(name)
            do throws(PostgresError) {
                // By way of the session: lists such as search_path keep their form, which a constant would lose.
                try inTransaction([
                    "select pg_catalog.set_config(\(name), \(value), true)",
                    target + " set \(parameter) from current",
                ])
            } catch {
                // Some parameters are fixed once a session has begun.
                try attempt(target + " set \(parameter) to \(literal: value)", about: "\(name) = \(value)")
            }
        }
    }

    /// To all: the default, which a new one of ours has not (`Databases.create`).
    mutating func open() throws(PostgresError) {
        try attempt(
            "grant connect, temporary on database \(identifier: copy) to public",
            about: "GRANT CONNECT, TEMPORARY TO PUBLIC")
    }

    mutating func copyGrants() throws(PostgresError) {
        let rows = try session.rows(
            """
            select r.rolname as grantee, a.privilege_type as privilege, a.is_grantable as grantable
            from pg_catalog.pg_database d cross join lateral aclexplode(d.datacl) a
            left join pg_catalog.pg_roles r on r.oid = a.grantee
            where d.datname = \(model) and a.grantee <> d.datdba and (a.grantee = 0 or r.rolname is not null)
            """)
        let changed = try session.rows(
            "select from pg_catalog.pg_database where datname = \(model) and datacl is not null")
        if changed.isEmpty { return try open() }
        // What PUBLIC has by default is given back below, if the model still has it.
        try attempt("revoke all on database \(identifier: copy) from public", about: "REVOKE ALL FROM PUBLIC")
        for row in rows {
            let grantee = try row.optional("grantee", as: String.self)
            let privilege = try row.string("privilege")
            guard let keyword = Self.privileges[privilege] else { continue }
            let to: SQL = if let grantee { "\(identifier: grantee)" } else { "public" }
            let option: SQL = try row.bool("grantable") ? " with grant option" : ""
            try attempt(
                "grant \(keyword) on database \(identifier: copy) to \(to)" + option,
                about: "GRANT \(privilege) TO \(grantee ?? "PUBLIC")")
        }
    }

    mutating func copyLimitCommentAndOwner() throws(PostgresError) {
        let rows = try session.rows(
            """
            select d.datconnlimit as places, r.rolname as owner, r.rolname = current_user as ours,
                   d.datistemplate as template,
                   pg_catalog.shobj_description(d.oid, 'pg_database') as comment
            from pg_catalog.pg_database d join pg_catalog.pg_roles r on r.oid = d.datdba where d.datname = \(model)
            """)
        guard let row = rows.first else { return }
        let places = try row.int("places")
        if places >= 0 {
            try attempt(
                "alter database \(identifier: copy) connection limit \(number: places)",
                about: "CONNECTION LIMIT \(places)")
        }
        if let comment = try row.optional("comment", as: String.self) {
            try attempt("comment on database \(identifier: copy) is \(literal: comment)", about: "COMMENT")
        }
        if try row.bool("template") {
            try attempt("alter database \(identifier: copy) is_template true", about: "IS_TEMPLATE")
        }
        // The owner last: afterwards we may have no say any more.
        if try !row.bool("ours") {
            let owner = try row.string("owner")
            try attempt("alter database \(identifier: copy) owner to \(identifier: owner)", about: "OWNER \(owner)")
        }
    }

    /// A refusal becomes a warning; a lost session stays an error.
    private mutating func attempt(_ sql: SQL, about what: String) throws(PostgresError) {
        do throws(PostgresError) { try session.execute(sql) } catch {
            if case .connectionLost = error { throw error }
            if !session.isOpen { throw error }
            warnings.append(
                BilingualText(
                    zh: "数据库属性 \(what) 未能复制，请以超级用户手动设置：\(error.explanation[.chinese])",
                    en: "The database property \(what) was not copied; set it by hand as a superuser: "
                        + error.explanation[.english]))
        }
    }

    private func inTransaction(_ statements: [SQL]) throws(PostgresError) {
        try session.execute("begin")
        do throws(PostgresError) {
            for statement in statements { try session.execute(statement) }
            try session.execute("commit")
        } catch {
            try session.execute("rollback")
            throw error
        }
    }

    /// A parameter's name; one of an extension has two parts, `pg_trgm.similarity_threshold`.
    private static func parameter(_ name: String) -> SQL {
        let parts = name.split(separator: ".").map { part -> SQL in "\(identifier: String(part))" }
        return parts.dropFirst().reduce(parts.first ?? "") { $0 + "." + $1 }
    }

    private static let privileges: [String: SQL] = [
        "CREATE": "create", "CONNECT": "connect", "TEMPORARY": "temporary",
    ]
}
