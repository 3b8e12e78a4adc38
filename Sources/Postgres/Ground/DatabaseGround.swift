// SPDX-License-Identifier: Apache-2.0

import Wording

/// What a database of others holds, and what this role may do with it: asked of the catalogue, before anything is dumped
/// or restored. See docs/ground.md, "Databases of others".
package struct DatabaseGround: Sendable {
    /// As whom the server lets us work: what `ALTER ROLE … SET role` says, else the role that logged in.
    package let role: String
    package let isSuperuser: Bool
    /// Of a standby can be read, and nothing be restored into it.
    package let isReadOnly: Bool
    /// What is in a dump and this role may not read.
    package let unreadable: UnreadableObjects
    /// What a restore by this role into this server would leave out.
    package let beyondRestore: [BeyondRestore]

    /// - Parameter session: in the database it is about.
    /// - Throws: `PostgresError`.
    package init(on session: Connection) throws(PostgresError) {
        let rows = try session.rows(
            """
            select r.rolname::text as role, r.rolsuper as super from pg_catalog.pg_roles r where r.rolname = current_user
            """)
        guard let row = rows.first else { throw .unexpectedValue(column: "role", found: "no row") }
        role = try row.string("role")
        isSuperuser = try row.bool("super")
        isReadOnly = try Databases(holding: session).server().isReadOnly
        unreadable = try UnreadableObjects(on: session)
        beyondRestore = try ObjectsBeyondRestore(session, isSuperuser: isSuperuser).all()
    }

    /// What a restore by this role into this server would fail of, as far as that does not pass by itself.
    /// - Parameter databases: on a session in the maintenance database, where another role may be at work.
    /// - Throws: `PostgresError`, `SystemError` where it cannot be asked.
    package func restoreObstacles(
        on session: Connection, _ databases: Databases, with tools: PostgresTools
    ) throws -> [any ExplainedError] {
        var obstacles: [any ExplainedError] = []
        let (name, maker) = (session.settings.database, try databases.role())
        if isReadOnly {
            obstacles.append(PostgresError.serverReadOnly(host: session.settings.host, port: session.settings.port))
        }
        if session.settings.maintenanceDatabase == name {
            obstacles.append(PostgresError.maintenanceDatabaseIsLive(name))
        }
        if try !databases.mayCreate() { obstacles.append(PostgresError.mayNotCreateDatabases(user: maker)) }
        if let owner = try databases.obstacles(toRenaming: name).owner {
            obstacles.append(PostgresError.databaseNotOwned(name: name, owner: owner, user: maker))
        }
        // What may not be read is an obstacle of the backup already.
        let tables = unreadable.isEmpty ? try session.tablesNotLockable() : []
        if !tables.isEmpty { obstacles.append(PostgresError.tablesNotLockable(user: role, tables: tables)) }
        do { try tools.checkRestore(serverVersion: session.serverVersion) } catch let error as PostgresError {
            // One that is not there at all is another check's finding.
            if case .toolTooNew = error { obstacles.append(error) }
        }
        return obstacles
    }

    /// - Parameter isRestored: whether it is one that a restore has made, beside the live one.
    /// - Throws: `databaseNotReadable`.
    package func requireReadable(isRestored: Bool = false) throws(PostgresError) {
        if !unreadable.isEmpty { throw .databaseNotReadable(user: role, objects: unreadable, isRestored: isRestored) }
    }
}

extension PostgresError {
    /// Of the one in which no session may be while it is renamed.
    package static func maintenanceDatabaseIsLive(_ name: String) -> PostgresError {
        .maintenanceDatabaseNotUsable(
            name: name,
            reason: BilingualText(
                zh: "这是 MLflow 自己的数据库，恢复时需要重命名它；请将 POSTGRES_MAINTENANCE_DB 设为另一个数据库",
                en: "it is MLflow's own, which a restore renames; set POSTGRES_MAINTENANCE_DB to another one"))
    }
}
