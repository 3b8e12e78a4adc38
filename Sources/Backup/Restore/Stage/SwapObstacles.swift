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

    /// Who asks, and what he may do meanwhile.
    enum Asker {
        /// Under the stack's lock: what the file system can do is found by doing it.
        case job
        /// Beside whatever is at work: nothing is tried but where the type tells nothing, and no live folder is touched.
        case request
    }

    /// - Parameters:
    ///   - kept: the database that is to become live again, where it is one that was kept.
    ///   - tree: the folder of what is to become live again, where that was kept.
    /// - Throws: `PostgresError.serverReadOnly`, `.toolTooNew`, `.tooManyConnections`, `.databaseInUse`,
    ///   `.preparedTransactions`, `.mayNotCreateDatabases`, `.databaseNotOwned`, `.tablesNotLockable`;
    ///   `BackupError.mountInside`, `.notOurs` and `.notMovable` for folders that cannot be moved.
    func check(_ mode: RestoreMode, for asker: Asker = .job, bringing kept: String? = nil, from tree: FilePath? = nil)
        throws
    {
        if mode.includesDatabase {
            try checkDatabase(for: asker)
            // An undo loads no dump.
            if kept == nil { try workspace.stack.tools.checkRestore(serverVersion: databases.server().version) }
            if let kept { try checkRename(of: kept) }
        }
        if mode.includesArtifacts {
            try checkFolders()
            if let tree, try FileStatus.ifPresent(tree) != nil { try MovableChildren(of: tree).check() }
            switch asker {
            case .job: try Self.checkAbilities(workspace)
            case .request: if let unfit = try Self.unfit(workspace.stack.artifacts) { throw unfit }
            }
        }
    }

    private func checkDatabase(for asker: Asker) throws {
        let database = workspace.stack.database
        if try databases.server().isReadOnly {
            throw PostgresError.serverReadOnly(host: database.host, port: database.port)
        }
        if database.maintenanceDatabase == database.database {
            throw PostgresError.maintenanceDatabaseIsLive(database.database)
        }
        guard try databases.mayCreate() else { throw PostgresError.mayNotCreateDatabases(user: try databases.role()) }
        try checkRename(of: database.database)
        guard try databases.exists(database.database) else { return }
        let session = try Connection(database)
        defer { session.close() }
        let tables = try session.tablesNotLockable()
        if !tables.isEmpty { throw PostgresError.tablesNotLockable(user: try session.role(), tables: tables) }
        // Beside the lock's: a dump is loaded with as many jobs as there is room for, and the comparison and the swap have at most
        // five sessions, of which two are in the live database. Who only asks has not the lock's.
        let lock = if case .request = asker { 1 } else { 0 }
        try ConnectionRoom(on: session, isEnding: true).require(5 + lock, here: 2)
        try session.requirePooled(2)
    }

    private func checkRename(of name: String) throws {
        let obstacles = try databases.obstacles(toRenaming: name)
        if let owner = obstacles.owner {
            throw PostgresError.databaseNotOwned(name: name, owner: owner, user: try databases.role())
        }
        if !obstacles.sessions.isEmpty { throw PostgresError.databaseInUse(name: name, holders: obstacles.sessions) }
        if !obstacles.preparedTransactions.isEmpty {
            throw PostgresError.preparedTransactions(database: name, identifiers: obstacles.preparedTransactions)
        }
    }

    /// An undo makes its mark in the part's own folder.
    /// - Throws: `BackupError.notMovable`, before anything in it is looked at, which may be closed, too.
    static func refuseUnwritable(_ folder: FilePath) throws {
        guard try FileStatus.ifPresent(folder) != nil, let refused = Directory.writeRefusal(folder) else { return }
        guard [EACCES, EPERM].contains(refused.code) else { throw refused }
        throw BackupError.notMovable(
            path: folder.string, count: 1, reason: .keptNotWritable(user: geteuid(), group: getegid()))
    }

    private func checkFolders() throws {
        guard try FileStatus.ifPresent(workspace.stack.artifacts) != nil else { return }
        try Self.refuseMounts(inside: workspace.stack.artifacts)
        try MovableChildren(of: workspace.stack.artifacts).check()
    }

    /// A mount point cannot be renamed, and one deeper down would move out of sight, to be emptied with what is kept.
    /// - Throws: `BackupError.mountInside`.
    static func refuseMounts(inside folder: FilePath) throws {
        let mounts = try MountTable.fixedPoints(below: folder)
        if let first = mounts.first { throw BackupError.mountInside(path: first.string, count: mounts.count) }
    }
}
