// SPDX-License-Identifier: Apache-2.0

extension Connection {
    /// In which schemas a session of this role in this database looks for tables where it says nothing itself, first to last: what was set
    /// for the role in the database, else for the role, else for the database (PostgreSQL manual, 20.1.3), else what the server does by
    /// itself. Our own sessions say `SessionParameters`. What its configuration file says instead only a superuser may read.
    /// - Throws: `PostgresError`.
    package func usualSearchPath() throws(PostgresError) -> [String] {
        let found = try rows(
            """
            select pg_catalog.substr(c.line, 13) as path, current_user::text as user from pg_catalog.pg_db_role_setting s
            join pg_catalog.pg_roles r on r.rolname = session_user
            join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
            cross join lateral pg_catalog.unnest(s.setconfig) as c(line)
            where s.setdatabase in (d.oid, 0) and s.setrole in (r.oid, 0) and pg_catalog.starts_with(c.line, 'search_path=')
            order by s.setrole = 0, s.setdatabase = 0 limit 1
            """)
        var own = found.first
        if own == nil { own = try rows("select '\"$user\", public' as path, current_user::text as user").first }
        guard let own else { return [] }
        let user = try own.string("user")
        return SearchPath.names(in: try own.string("path")).map { $0 == "$user" ? user : $0 }
    }
}

/// The server's list of names, as `pg_db_role_setting` holds it.
enum SearchPath {
    /// `"$user", "Über", public`: a quoted name is itself, with its quotes doubled; another is in small letters (`SplitIdentifierString`).
    static func names(in list: String) -> [String] {
        var names: [String] = []
        var rest = list.unicodeScalars[...]
        while true {
            rest = rest.drop { $0 == "," || $0.properties.isWhitespace }
            guard let first = rest.first else { return names }
            if first == "\"" {
                var name = String.UnicodeScalarView()
                rest = rest.dropFirst()
                while let scalar = rest.popFirst() {
                    if scalar == "\"" {
                        guard rest.first == "\"" else { break }
                        rest = rest.dropFirst()
                    }
                    name.append(scalar)
                }
                names.append(String(name))
            } else {
                let plain = rest.prefix { $0 != "," && !$0.properties.isWhitespace }
                rest = rest.dropFirst(plain.count)
                names.append(String(String.UnicodeScalarView(plain)).lowercased())
            }
        }
    }
}
