// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("What would keep a database from being renamed", .onEachPostgres)
struct ObstacleTests {
    let server: TemporaryPostgres
    let admin: Connection

    init() throws {
        server = try TemporaryPostgres.shared
        admin = try Connection(server.superuser)
    }

    /// A role that may make databases, and what else `words` say.
    private func role(_ words: SQL, in database: ConnectionSettings) throws -> ConnectionSettings {
        let name = "role_\(database.database)"
        try admin.execute("create role \(identifier: name) login createdb password 'x' " + words)
        return ConnectionSettings(
            host: database.host, port: database.port, user: name, password: Secret("x"), database: database.database)
    }

    @Test("is told to a member of the owner that has not the owner's rights: the swap would fail of the same")
    func noInherit() throws {
        let live = try server.freshDatabase("obstacle_member")
        let member = try role("noinherit in role mlflow_user", in: live)
        let session = try Connection(live, applicationName: "an upload")
        defer { session.close() }
        let obstacles = try Databases(member).obstacles(toRenaming: live.database)
        #expect(obstacles.owner == "mlflow_user")
        #expect(obstacles.sessions.count == 1 && obstacles.sessions[0].contains("an upload"), "\(obstacles)")

        // From 16 on it is the grant that says whether it is inherited.
        try admin.execute("revoke mlflow_user from \(identifier: member.user)")
        try admin.execute("alter role \(identifier: member.user) inherit")
        try admin.execute("grant mlflow_user to \(identifier: member.user)")
        #expect(try Databases(member).obstacles(toRenaming: live.database) == RenameObstacles())
    }

    @Test("is told to a role that may end every session and is not the owner")
    func notTheOwner() throws {
        let live = try server.freshDatabase("obstacle_owner")
        let stranger = try role("in role pg_signal_backend", in: live)
        let session = try Connection(live)
        defer { session.close() }
        let obstacles = try Databases(stranger).obstacles(toRenaming: live.database)
        #expect(obstacles.owner == "mlflow_user")
        #expect(obstacles.sessions.isEmpty)
        #expect(try Databases(server.superuser).obstacles(toRenaming: live.database) == RenameObstacles())
        #expect(try Databases(stranger).obstacles(toRenaming: "no such database") == RenameObstacles())
    }

    /// Against the server itself: what is not named can be locked, what is named cannot.
    @Test("is told of each table that can be read and not be locked, or that is in a closed schema")
    func tables() throws {
        let live = try server.freshDatabase("obstacle_tables")
        let ours = try Connection(live)
        try ours.execute("create table ours (i int)")
        let theirs = try Connection(server.superuser.naming(database: live.database))
        try theirs.execute("create schema closed")
        try theirs.execute("grant usage on schema public to mlflow_user")
        for (table, rights) in [
            ("public.readable", "select"), ("public.writable", "select, update"),
            ("public.deletable", "select, delete"),
            ("public.appendable", "select, insert"), ("public.blind", "update"), ("closed.hidden", "all"),
        ] as [(SQL, SQL)] {
            try theirs.execute("create table " + table + " (i int)")
            try theirs.execute("grant " + rights + " on " + table + " to mlflow_user")
        }
        let named = try ours.tablesNotLockable()
        #expect(named.map(\.description) == ["closed.hidden", "public.appendable", "public.blind", "public.readable"])
        for table in ["ours", "writable", "deletable", "appendable", "readable"] {
            let isRefused: Bool
            try ours.execute("begin")
            do {
                try ours.execute("lock table only public.\(identifier: table) in share mode")
                isRefused = false
            } catch { isRefused = true }
            try ours.execute("rollback")
            #expect(isRefused == named.contains { $0.name == table }, "\(table)")
        }
    }
}
