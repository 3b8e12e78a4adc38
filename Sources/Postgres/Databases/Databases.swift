// SPDX-License-Identifier: Apache-2.0

/// The databases of one server: made, dropped and listed from a session in none of them.
public struct Databases: Sendable {
    let settings: ConnectionSettings

    /// - Parameter settings: server and role; the database named in it is not touched.
    public init(_ settings: ConnectionSettings) { self.settings = settings }

    /// A session in `postgres`, or in `template1` where that database is missing or closed to us.
    func connect() throws(PostgresError) -> Connection {
        do throws(PostgresError) {
            return try Connection(settings.naming(database: "postgres"))
        } catch {
            switch error {
            case .databaseMissing, .insufficientPrivilege:
                return try Connection(settings.naming(database: "template1"))
            default: throw error
            }
        }
    }

    public func exists(_ name: String) throws(PostgresError) -> Bool {
        try exists(name, on: connect())
    }

    func exists(_ name: String, on session: Connection) throws(PostgresError) -> Bool {
        try !session.rows("select from pg_catalog.pg_database where datname = \(name)").isEmpty
    }

    /// Sorted by name.
    public func names(withPrefix prefix: String) throws(PostgresError) -> [String] {
        let rows = try connect().rows(
            """
            select datname from pg_catalog.pg_database
            where starts_with(datname::text, \(prefix)) order by datname collate "C"
            """)
        var names: [String] = []
        for row in rows { names.append(try row.string(0)) }
        return names
    }

    /// What the database takes on the server's disk, in bytes.
    public func size(of name: String) throws(PostgresError) -> Int64 {
        let rows = try connect().rows(
            "select pg_catalog.pg_database_size(oid) as bytes from pg_catalog.pg_database where datname = \(name)")
        guard let row = rows.first else { throw .databaseMissing(name: name) }
        return try row.int64("bytes")
    }

    /// Ends the sessions in a database and drops it. One that is not there is fine.
    public func drop(_ name: String) throws(PostgresError) {
        try connect().execute("drop database if exists \(identifier: name) with (force)")
    }

    /// Makes an empty database with the encoding and the collation of `model`, so that texts sort and compare as they
    /// did. Where there is no `model`, with UTF8 and the server's defaults.
    /// - Throws: `databaseExists`, `mayNotCreateDatabases`, `diskFull`.
    public func create(_ name: String, like model: String) throws(PostgresError) {
        let session = try connect()
        let locale = try localeClauses(of: model, on: session)
        do throws(PostgresError) {
            // template0: what an administrator put into template1 would collide with the dump's objects.
            try session.execute("create database \(identifier: name) template template0 \(locale)")
        } catch {
            switch error {
            case .query("42P04", _): throw .databaseExists(name: name)
            case .insufficientPrivilege(let user, _): throw .mayNotCreateDatabases(user: user)
            default: throw error
            }
        }
    }

    private func localeClauses(of model: String, on session: Connection) throws(PostgresError) -> SQL {
        // The provider came with 15; its locale was daticulocale until 16.
        let provider: SQL =
            switch session.serverVersion {
            case ..<150_000: "'c' as provider, null as locale"
            case ..<170_000: "datlocprovider as provider, daticulocale as locale"
            default: "datlocprovider as provider, datlocale as locale"
            }
        let rows = try session.rows(
            """
            select pg_catalog.pg_encoding_to_char(encoding) as encoding, datcollate, datctype, \(provider)
            from pg_catalog.pg_database where datname = \(model)
            """)
        guard let row = rows.first else { return "encoding 'UTF8'" }
        let common: SQL = """
            encoding \(literal: try row.string("encoding")) lc_collate \(literal: try row.string("datcollate")) \
            lc_ctype \(literal: try row.string("datctype"))
            """
        switch (try row.string("provider"), try row.optional("locale", as: String.self)) {
        case ("i", let locale?): return common + " locale_provider icu icu_locale \(literal: locale)"
        case ("b", let locale?): return common + " locale_provider builtin builtin_locale \(literal: locale)"
        default: return session.serverVersion < 150_000 ? common : common + " locale_provider libc"
        }
    }
}
