// SPDX-License-Identifier: Apache-2.0

extension Databases {
    /// Makes an empty database with the encoding and the collation of `model`, so that texts sort and compare as they
    /// did, and its owner's and in its tablespace, where this role may (else `copyProperties` tells). Sessions in it work as the role
    /// that they have in `model` (`ALTER ROLE … IN DATABASE … SET role`): what is loaded is that role's. A superuser's work as himself until
    /// `copyProperties`: that role may not make all that he may. Where there is no `model`, with UTF8 and the server's defaults,
    /// and `owner`'s, where this role may give it to him and he is no superuser.
    /// - Throws: `databaseExists`, `mayNotCreateDatabases`, `diskFull`.
    package func create(_ name: String, like model: String, owner: String? = nil) throws(PostgresError) {
        let session = try connect()
        let clauses =
            try localeClauses(of: model, on: session) + tablespaceClause(of: model, on: session)
            + ownerClause(of: model, or: owner, on: session)
        do throws(PostgresError) {
            // template0: what an administrator put into template1 would collide with the dump's objects.
            try session.executeLong(
                "create database \(identifier: name) template template0 \(clauses) allow_connections false")
        } catch {
            switch error {
            case .query("42P04", _): throw .databaseExists(name: name)
            case .insufficientPrivilege: throw .mayNotCreateDatabases(user: try session.role())
            default: throw error
            }
        }
        try open(name, on: session)
        let isSuperuser: SQL = "select from pg_catalog.pg_roles where rolname = session_user and rolsuper"
        if try session.rows(isSuperuser).isEmpty { try copyRoles(from: model, to: name, on: session) }
    }

    /// To those alone who may have all rights in it: while it is loaded a function that runs with its owner's rights may be everybody's.
    /// `copyProperties` lets in whom `model` lets in.
    private func open(_ name: String, on session: Connection) throws(PostgresError) {
        try session.execute("revoke connect, temporary on database \(identifier: name) from public")
        let isOurs: SQL =
            "select from pg_catalog.pg_database where datname = \(name) and pg_catalog.has_database_privilege(session_user, oid, 'CONNECT')"
        // A role that does not inherit (NOINHERIT) the rights of the one as whom it makes databases.
        if try session.rows(isOurs).isEmpty {
            try session.execute("grant connect, temporary on database \(identifier: name) to session_user")
        }
        try session.execute("alter database \(identifier: name) allow_connections true")
    }

    /// Empty where it is this role's anyway, or that of one to whom it may give nothing.
    private func ownerClause(
        of model: String, or other: String?, on session: Connection
    ) throws(PostgresError) -> SQL {
        let rows = try session.rows(
            """
            with model as (select datdba from pg_catalog.pg_database where datname = \(model))
            select r.rolname::text as name from pg_catalog.pg_roles r
            where r.rolname <> current_user and \(session.mayGive(to: "r.oid")) and pg_catalog.pg_has_role(r.oid, 'USAGE')
              and (r.oid = (select datdba from model)
                or r.rolname = \(other ?? "") and not r.rolsuper and not exists (select from model))
            """)
        guard let row = rows.first else { return "" }
        return " owner \(identifier: try row.string("name"))"
    }

    private func localeClauses(of model: String, on session: Connection) throws(PostgresError) -> SQL {
        // The provider came with 15; its locale was daticulocale until 16.
        let provider: SQL =
            switch session.serverVersion {
            case ..<150_000: "'c' as provider, null as locale"
            case ..<170_000: "datlocprovider as provider, daticulocale as locale"
            default: "datlocprovider as provider, datlocale as locale"
            }
        let rules: SQL = session.serverVersion < 160_000 ? "null as rules" : "daticurules as rules"
        let rows = try session.rows(
            """
            select pg_catalog.pg_encoding_to_char(encoding) as encoding, datcollate, datctype, \(provider), \(rules)
            from pg_catalog.pg_database where datname = \(model)
            """)
        guard let row = rows.first else { return "encoding 'UTF8'" }
        let common: SQL = """
            encoding \(literal: try row.string("encoding")) lc_collate \(literal: try row.string("datcollate")) \
            lc_ctype \(literal: try row.string("datctype"))
            """
        switch (try row.string("provider"), try row.optional("locale", as: String.self)) {
        case ("i", let locale?):
            let icu = common + " locale_provider icu icu_locale \(literal: locale)"
            guard let rules = try row.optional("rules", as: String.self) else { return icu }
            return icu + " icu_rules \(literal: rules)"
        case ("b", let locale?): return common + " locale_provider builtin builtin_locale \(literal: locale)"
        default: return session.serverVersion < 150_000 ? common : common + " locale_provider libc"
        }
    }

    /// Empty where the tablespace is that of template0, which needs no right, or one in which this role may make nothing.
    private func tablespaceClause(of model: String, on session: Connection) throws(PostgresError) -> SQL {
        let rows = try session.rows(
            """
            select t.spcname::text as name from pg_catalog.pg_database d
            join pg_catalog.pg_tablespace t on t.oid = d.dattablespace
            where d.datname = \(model) and pg_catalog.has_tablespace_privilege(t.oid, 'CREATE')
              and t.oid <> (select dattablespace from pg_catalog.pg_database where datname = 'template0')
            """)
        guard let row = rows.first else { return "" }
        return " tablespace \(identifier: try row.string("name"))"
    }
}
