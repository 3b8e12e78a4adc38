// SPDX-License-Identifier: Apache-2.0

import Wording

/// The databases of one server: made, dropped and listed from a session in the maintenance database.
package struct Databases {
    let settings: ConnectionSettings
    /// The session that holds the stack's lock, where the caller has it; else each call opens one of its own.
    private let holding: Connection?

    /// - Parameter settings: server and role; the database named in it is not touched.
    package init(_ settings: ConnectionSettings) {
        self.settings = settings
        holding = nil
    }

    init(holding session: Connection) {
        settings = session.settings
        holding = session
    }

    func connect() throws(PostgresError) -> Connection {
        if let holding { return holding }
        return try Self.maintenanceSession(settings)
    }

    /// A session in the configured maintenance database. There is no second choice: two services that chose
    /// differently would not see each other's lock.
    static func maintenanceSession(
        _ settings: ConnectionSettings, applicationName: String = "mlflow-backup"
    ) throws(PostgresError) -> Connection {
        do throws(PostgresError) {
            let session = try Connection(
                settings.naming(database: settings.maintenanceDatabase), applicationName: applicationName)
            try session.becomePatient()
            return session
        } catch {
            switch error {
            case .databaseMissing:
                throw .maintenanceDatabaseNotUsable(
                    name: settings.maintenanceDatabase,
                    reason: BilingualText(zh: "没有这个数据库", en: "there is no database of that name"))
            case .insufficientPrivilege(_, let reason):
                throw .maintenanceDatabaseNotUsable(
                    name: settings.maintenanceDatabase, reason: BilingualText(zh: reason, en: reason))
            default: throw error
            }
        }
    }

    /// What tells this cluster from every other: made once by initdb, another one after pg_upgrade
    /// (PostgreSQL manual, 9.27.11 "Control Data Functions").
    /// - Returns: `nil` where the role may not ask.
    package func systemIdentifier() throws(PostgresError) -> String? {
        do throws(PostgresError) {
            return try connect().rows("select system_identifier::text from pg_catalog.pg_control_system()").first?
                .string(0)
        } catch {
            if case .insufficientPrivilege = error { return nil }
            throw error
        }
    }

    /// Which database has this name now. An oid stays with a database when it is renamed.
    package func oid(of name: String) throws(PostgresError) -> UInt32? {
        let rows = try connect().rows(
            "select oid::bigint from pg_catalog.pg_database where datname = \(name)")
        return try rows.first.map { row throws(PostgresError) in UInt32(truncatingIfNeeded: try row.int64(0)) }
    }

    /// The name that a database has now, by what does not change.
    package func name(of oid: UInt32) throws(PostgresError) -> String? {
        try connect().rows("select datname::text from pg_catalog.pg_database where oid = \(oid)::oid").first?.string(0)
    }

    /// What is known of a database by its oid.
    package struct Identity: Sendable, Equatable {
        package let name: String
        /// Whether this role may do with it what its owner may.
        package let isOurs: Bool
        /// Whether a DROP of it was cut short: nobody can connect to it, and it can only be dropped (`datconnlimit` -2,
        /// from PostgreSQL 15.4 and its like on).
        package let isInvalid: Bool
    }

    /// - Returns: `nil` where no database has it.
    package func identity(of oid: UInt32) throws(PostgresError) -> Identity? {
        let rows = try connect().rows(
            """
            select datname::text as name, pg_catalog.pg_has_role(datdba, 'USAGE') as ours, datconnlimit = -2 as invalid
            from pg_catalog.pg_database where oid = \(oid)::oid
            """)
        guard let row = rows.first else { return nil }
        return Identity(
            name: try row.string("name"), isOurs: try row.bool("ours"), isInvalid: try row.bool("invalid"))
    }

    package func exists(_ name: String) throws(PostgresError) -> Bool {
        try exists(name, on: connect())
    }

    func exists(_ name: String, on session: Connection) throws(PostgresError) -> Bool {
        try !session.rows("select from pg_catalog.pg_database where datname = \(name)").isEmpty
    }

    /// Sorted by name.
    package func names(withPrefix prefix: String) throws(PostgresError) -> [String] {
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
    package func size(of name: String) throws(PostgresError) -> Int64 {
        let rows = try connect().rows(
            "select pg_catalog.pg_database_size(oid) as bytes from pg_catalog.pg_database where datname = \(name)")
        guard let row = rows.first else { throw .databaseMissing(name: name) }
        return try row.int64("bytes")
    }

    /// Ends the sessions in a database and drops it. One that is not there is fine.
    /// - Throws: `databaseInUse` where a session in it is one that this role may not end. `processStuck` where
    ///   one of them, or another process that the server waits for, does not react. The database may then be one that
    ///   nobody can use, and goes with the next call.
    package func drop(_ name: String) throws(PostgresError) {
        let session = try connect()
        // What somebody made a template nobody may drop (42809); who may drop it may make it none.
        let template = try session.rows(
            "select from pg_catalog.pg_database where datname = \(name) and datistemplate")
        if !template.isEmpty { try session.execute("alter database \(identifier: name) is_template false") }
        do throws(PostgresError) { try dropForcing(name, on: session) } catch {
            guard case .query("55006", _) = error else { throw error }
            let inside = try sessions(in: [name], on: session)
            throw inside.isEmpty ? error : .processStuck(seconds: 5, processes: inside)
        }
    }

    /// FORCE asks for the right to end whatever is in there, an autovacuum worker too, which belongs to nobody
    /// (TerminateOtherDBBackends). Without FORCE the server sends such a worker away by itself (CountOtherDBBackends); sessions
    /// of users are ended here then, as far as we may.
    private func dropForcing(_ name: String, on session: Connection) throws(PostgresError) {
        do throws(PostgresError) {
            return try session.executeLong("drop database if exists \(identifier: name) with (force)")
        } catch {
            guard case .insufficientPrivilege = error else { throw error }
        }
        do throws(PostgresError) {
            try session.execute(
                """
                select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
                where datname = \(name) and usename is not null and pid <> pg_catalog.pg_backend_pid()
                """)
        } catch {
            guard case .insufficientPrivilege = error else { throw error }
            throw .databaseInUse(name: name, holders: try sessions(in: [name], on: session))
        }
        try session.executeLong("drop database if exists \(identifier: name)")
    }

    /// Who is in these databases, each as one line, but for `spared` and the session that asks.
    func sessions(
        in databases: [String], sparing spared: Set<Int> = [], on session: Connection
    ) throws(PostgresError) -> [String] {
        let rows = try session.rows(
            """
            select \(SessionText.columns) from pg_catalog.pg_stat_activity a
            where a.datname = any(\(databases)::text[]) and a.pid <> pg_catalog.pg_backend_pid()
              and not (a.pid = any(\(spared.map(String.init))::int[]))
            order by a.pid
            """)
        return try SessionText.lines(rows)
    }
}
