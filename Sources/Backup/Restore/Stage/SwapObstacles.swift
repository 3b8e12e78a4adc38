// SPDX-License-Identifier: Apache-2.0

import Glibc
import MLflowStore
import Postgres
import SystemIO
import Wording

/// What would make the swap impossible at its end, found out before anything slow is done.
struct SwapObstacles {
    private let workspace: Workspace
    private let databases: Databases

    init(_ workspace: Workspace, _ databases: Databases) {
        self.workspace = workspace
        self.databases = databases
    }

    /// - Parameter kept: the database that is to become live again, where it is one that was kept.
    /// - Throws: `PostgresError.databaseInUse`, `.preparedTransactions`, `.mayNotCreateDatabases`, `.databaseNotOwned`,
    ///   `.tablesNotLockable`; `BackupError.notOurs` for folders that cannot be moved.
    func check(_ mode: RestoreMode, bringing kept: String? = nil) throws {
        if mode.includesDatabase {
            try checkDatabase()
            if let kept { try checkRename(of: kept) }
        }
        if mode.includesArtifacts {
            try checkFolders()
            try Self.checkAbilities(workspace)
        }
    }

    private func checkDatabase() throws {
        let database = workspace.stack.database
        guard try databases.mayCreate() else { throw PostgresError.mayNotCreateDatabases(user: database.user) }
        try checkRename(of: database.database)
        guard try databases.exists(database.database) else { return }
        let session = try Connection(database)
        defer { session.close() }
        let tables = try session.tablesNotLockable()
        if !tables.isEmpty { throw PostgresError.tablesNotLockable(user: database.user, tables: tables) }
    }

    private func checkRename(of name: String) throws {
        let obstacles = try databases.obstacles(toRenaming: name)
        if let owner = obstacles.owner {
            throw PostgresError.databaseNotOwned(name: name, owner: owner, user: workspace.stack.database.user)
        }
        if !obstacles.sessions.isEmpty { throw PostgresError.databaseInUse(name: name, holders: obstacles.sessions) }
        if !obstacles.preparedTransactions.isEmpty {
            throw PostgresError.preparedTransactions(database: name, identifiers: obstacles.preparedTransactions)
        }
    }

    /// A folder that moves to another parent has its `..` rewritten: that needs the right to write into the folder itself
    /// (rename(2), EACCES), which root has anyway.
    private func checkFolders() throws {
        guard try FileStatus.ifPresent(workspace.stack.artifacts) != nil else { return }
        // A mount point cannot be renamed, and one deeper down would move out of sight, to be emptied with what is kept.
        let mounts = try MountTable.points(below: workspace.stack.artifacts)
        if let first = mounts.first { throw BackupError.mountInside(path: first.string, count: mounts.count) }
        guard !ProcessPrivilege.isRoot, try FileStatus.ifPresent(workspace.stack.artifacts) != nil else { return }
        var stuck: [FilePath] = []
        for name in try Directory.names(in: workspace.stack.artifacts) where !LiveStack.notArtifacts.contains(name) {
            let path = workspace.stack.artifacts.appending(name)
            guard let status = try FileStatus.ifPresent(path), status.kind == .directory else { continue }
            if !Directory.isWritable(path) { stuck.append(path) }
        }
        if let first = stuck.first {
            throw BackupError.notOurs(path: first.string, count: stuck.count, user: geteuid(), group: getegid())
        }
    }
}
