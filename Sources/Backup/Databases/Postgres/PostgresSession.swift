// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import Wording

/// What a restore does on a server of PostgreSQL.
struct PostgresSession: StoreSession {
    let store: PostgresStore
    /// On the session that holds the stack's lock, where somebody has it.
    let server: Databases
    private var settings: ConnectionSettings { store.settings }

    init(store: PostgresStore, server: Databases) {
        self.store = store
        self.server = server
    }

    var databases: any DatabaseSet { server }

    func checkReading(_ manifest: Manifest) throws {
        guard manifest.database.kind == .postgres else {
            throw DatabaseStoreError.kindDiffers(backup: manifest.name, isSQLite: true)
        }
        try store.tools.checkReading(
            dumpVersion: manifest.database.dumpToolVersion, serverVersion: server.server().version)
    }

    /// - Throws: `PostgresError.serverReadOnly`, `.toolTooNew`, `.tooManyConnections`, `.databaseInUse`, `.preparedTransactions`,
    ///   `.mayNotCreateDatabases`, `.databaseNotOwned`, `.tablesNotLockable`.
    func checkSwap(bringing kept: String?, isAsked: Bool) throws {
        try checkLive(isAsked: isAsked)
        // An undo loads no dump.
        if kept == nil { try store.tools.checkRestore(serverVersion: server.server().version) }
        if let kept { try checkRename(of: kept) }
    }

    private func checkLive(isAsked: Bool) throws {
        if try server.server().isReadOnly {
            throw PostgresError.serverReadOnly(host: settings.host, port: settings.port)
        }
        if settings.maintenanceDatabase == settings.database {
            throw PostgresError.maintenanceDatabaseIsLive(settings.database)
        }
        guard try server.mayCreate() else { throw PostgresError.mayNotCreateDatabases(user: try server.role()) }
        try checkRename(of: settings.database)
        guard try server.exists(settings.database) else { return }
        let session = try Connection(settings)
        defer { session.close() }
        let tables = try session.tablesNotLockable()
        if !tables.isEmpty { throw PostgresError.tablesNotLockable(user: try session.role(), tables: tables) }
        // Beside the lock's: a dump is loaded with as many jobs as there is room for, and the comparison and the swap have at most
        // five sessions, of which two are in the live database. Who only asks has not the lock's.
        try ConnectionRoom(on: session, isEnding: true).require(5 + (isAsked ? 1 : 0), here: 2)
        try session.requirePooled(2)
    }

    private func checkRename(of name: String) throws {
        let obstacles = try server.obstacles(toRenaming: name)
        if let owner = obstacles.owner {
            throw PostgresError.databaseNotOwned(name: name, owner: owner, user: try server.role())
        }
        if !obstacles.sessions.isEmpty { throw PostgresError.databaseInUse(name: name, holders: obstacles.sessions) }
        if !obstacles.preparedTransactions.isEmpty {
            throw PostgresError.preparedTransactions(database: name, identifiers: obstacles.preparedTransactions)
        }
    }

    func comparison(_ swap: DatabaseNames, _ cancellation: Cancellation) throws -> any StoreLook {
        PostgresComparison(
            server, swap,
            try StoreComparison(
                live: settings, restored: settings.naming(database: swap.replacement), cancellation: cancellation))
    }

    func sinceBrought(
        _ moment: String?, _ swap: DatabaseNames, _ cancellation: Cancellation
    ) throws -> any StoreLook {
        PostgresFreshLook(server, swap, try FreshRows(settings, cancellation: cancellation), since: moment)
    }
}
