// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Wording

/// Two databases of one content, owned by a role that is no superuser.
struct DatabasePair {
    let live: ConnectionSettings
    let restored: ConnectionSettings
    let session: Connection
    private let server: TemporaryPostgres

    init(_ statements: [SQL], asSuperuser: [SQL] = []) throws {
        server = try TemporaryPostgres.shared
        live = try server.freshDatabase("beside_live")
        restored = try server.freshDatabase("beside_restored")
        session = try Connection(live)
        for (database, own) in [(live, session), (restored, try Connection(restored))] {
            for statement in statements { try own.execute(statement) }
            let admin = try Connection(server.superuser.naming(database: database.database))
            defer { admin.close() }
            for statement in asSuperuser { try admin.execute(statement) }
        }
    }

    func admin(_ statements: SQL...) throws {
        let session = try Connection(server.superuser.naming(database: live.database))
        defer { session.close() }
        for statement in statements { try session.execute(statement) }
    }

    func adminOfRestored(_ statements: SQL...) throws {
        let session = try Connection(server.superuser.naming(database: restored.database))
        defer { session.close() }
        for statement in statements { try session.execute(statement) }
    }

    func found(asSuperuser: Bool = false) throws -> [String] {
        let role = asSuperuser ? server.superuser : live
        let comparison = try StoreComparison(
            live: role.naming(database: live.database), restored: role.naming(database: restored.database))
        defer { comparison.close() }
        return try comparison.first().kept.map(\.text.english)
    }

    func fresh(_ role: ConnectionSettings? = nil) throws -> FreshRows {
        try FreshRows((role ?? live).naming(database: live.database))
    }

    /// A role that reads everything, and owns what `live`'s does.
    func reader() throws -> ConnectionSettings {
        let name = "reader_\(UInt32.random(in: .min ... .max))"
        try admin(
            "create role \(identifier: name) login password 'reader' in role mlflow_user, pg_read_all_data")
        return ConnectionSettings(
            host: live.host, port: live.port, user: name, password: Secret("reader"), database: live.database)
    }
}
