// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport

@testable import Postgres

/// A dump of a database of the shared server, and what becomes of it when it is restored.
struct RestoringFixture {
    let server: TemporaryPostgres
    let folder: TemporaryFolder

    init() throws {
        server = try TemporaryPostgres.shared
        folder = try TemporaryFolder("rights")
    }

    var dump: FilePath { folder.path.appending("dump") }

    /// In the place of the one before.
    func dump(_ source: ConnectionSettings, on server: TemporaryPostgres? = nil) throws {
        if try FileStatus.ifPresent(dump) != nil { try Directory.removeTree(dump) }
        try PostgresTools(binDirectory: (server ?? self.server).binDirectory).dump(source, into: dump)
    }

    func restore(
        _ source: ConnectionSettings, as role: ConnectionSettings, _ name: String, dumper: String? = nil,
        application: Set<String> = [], ofAnother: Bool = false
    ) throws -> (target: ConnectionSettings, told: [BeyondRestore]) {
        let target = role.naming(database: "\(source.database)_\(name)")
        try Databases(role.naming(database: source.database)).create(target.database, like: source.database)
        let told = try PostgresTools(binDirectory: server.binDirectory).restore(
            from: dump, into: target, dumper: dumper ?? source.user, application: application,
            standingFor: source.database, ofAnother: ofAnother, jobs: 1)
        return (target, told)
    }

    func admin(_ database: ConnectionSettings) -> ConnectionSettings {
        server.superuser.naming(database: database.database)
    }

    func run(_ settings: ConnectionSettings, _ statements: [SQL]) throws {
        let session = try Connection(settings)
        defer { session.close() }
        for statement in statements { try session.execute(statement) }
    }

    func texts(_ settings: ConnectionSettings, _ query: SQL) throws -> [String] {
        let session = try Connection(settings)
        defer { session.close() }
        return try session.rows(query).map { try $0.string(0) }
    }

    /// A role of this database's name, who may log in.
    func login(_ role: String, _ source: ConnectionSettings) -> ConnectionSettings {
        ConnectionSettings(
            host: source.host, port: source.port, user: role, password: Secret("x"), database: source.database)
    }

    /// Of MLflow's tables, and of a function that works with its owner's rights.
    let owners: SQL = """
        select distinct pg_get_userbyid(o.owner)::text from (
          select relowner from pg_class where relname in ('runs', 'runs_id_seq')
          union all select proowner from pg_proc where proname = 'runit') o(owner)
        """
}
