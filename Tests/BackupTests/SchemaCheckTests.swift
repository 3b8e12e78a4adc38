// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A backup of another version of MLflow", .besideThePool)
struct SchemaCheckTests {
    private func setRevision(_ revision: String, _ live: LiveStackFixture) throws {
        try Connection(live.database).execute("update alembic_version set version_num = \(revision)")
    }

    @Test("C38: a newer one is refused whatever is forced, with the version to install, and nothing is touched")
    func newer() throws {
        let live = try LiveStackFixture("schema_newer")
        let name = try live.backup().name.string
        try setRevision(SchemaRevisions.chain[10], live)
        let (rows, files) = (try live.rows(), try live.files())
        for force in [false, true] {
            let error = #expect(throws: BackupError.self) { try live.restore(name, force: force) }
            guard case .schemaNewer(name, "dc11669786a5", _, "3.17.2")? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        #expect([try live.rows(), try live.files()] == [rows, files])
        try live.expectNothingLeftBehind()
        // Files have no schema.
        try live.restore(name, .artifacts, force: true)
    }

    @Test("C39, D12: an older one is refused without force, and with it the command that upgrades is named")
    func older() throws {
        let live = try LiveStackFixture("schema_older")
        try setRevision(SchemaRevisions.chain[10], live)
        let name = try live.backup().name.string
        let rows = try live.rows()
        try setRevision("dc11669786a5", live)
        let error = #expect(throws: BackupError.self) { try live.restore(name) }
        guard case .schemaOlder? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let outcome = try RestoreJob(
            live.workspace(), options: .init(force: true, upgradeCommand: "docker exec mlflow-server mlflow-db-upgrade")
        ).run(name)
        #expect(try live.rows() == rows)
        #expect(outcome.warnings.contains { $0.english.contains("docker exec mlflow-server mlflow-db-upgrade") })
        #expect(outcome.warnings.contains { $0.chinese.contains("docker exec mlflow-server mlflow-db-upgrade") })
    }

    @Test("C26: a role that may not create databases is told before anything is unpacked")
    func mayNotCreate() throws {
        let live = try LiveStackFixture("schema_role")
        let name = try live.backup().name.string
        let admin = try Connection(live.server.superuser)
        try admin.execute("create role \(identifier: "poor_\(live.database.database)") login password 'poor'")
        try admin.execute("grant \(identifier: live.database.user) to \(identifier: "poor_\(live.database.database)")")
        let poor = ConnectionSettings(
            host: live.database.host, port: live.database.port, user: "poor_\(live.database.database)",
            password: Secret("poor"), database: live.database.database)
        let stack = LiveStack(
            database: poor, tools: live.stack.postgres.tools, artifacts: live.artifacts, mlflowVersion: { nil })
        let seen = Monitor<[Backup.Progress.Phase]>([])
        let workspace = Workspace(stack, live.folder, log: .silent) { step in seen.withLock { $0.append(step.phase) } }
        #expect(throws: PostgresError.mayNotCreateDatabases(user: poor.user)) {
            try RestoreJob(workspace, options: .init(force: true)).run(name)
        }
        #expect(!seen.withLock { $0 }.contains(.extracting))
    }

    @Test("sessions that may not be ended are named before anything is unpacked")
    func obstacles() throws {
        let live = try LiveStackFixture("schema_sessions")
        let name = try live.backup().name.string
        let foreign = try Connection(
            live.server.superuser.naming(database: live.database.database), applicationName: "nightly report")
        let error = #expect(throws: PostgresError.self) { try live.restore(name, force: true) }
        guard case .databaseInUse(live.database.database, let holders)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(holders.count == 1 && holders[0].contains("nightly report"), "\(holders)")
        try live.expectNothingLeftBehind()
        foreign.close()
    }

    @Test("a table that can be read and not be locked is named before anything is unpacked")
    func notLockable() throws {
        let live = try LiveStackFixture("schema_tables")
        // A superuser's session that stayed would be an obstacle of its own.
        func asSuperuser(_ statements: [SQL]) throws {
            let admin = try Connection(live.server.superuser.naming(database: live.database.database))
            defer { admin.close() }
            for statement in statements { try admin.execute(statement) }
        }
        try asSuperuser([
            "create table public.plugin (line text)", "grant select on public.plugin to mlflow_user",
        ])
        let name = try live.backup().name.string
        for force in [false, true] {
            let seen = Monitor<[Backup.Progress.Phase]>([])
            let error = #expect(throws: PostgresError.self) {
                try live.restore(name, force: force) { step in seen.withLock { $0.append(step.phase) } }
            }
            #expect(error?.errorCode == "table-privileges-missing", "\(String(describing: error))")
            for text in [error?.explanation.english, error?.explanation.chinese] {
                #expect(text?.contains("public.plugin") == true && text?.contains("public.runs") == false)
            }
            #expect(!seen.withLock { $0 }.contains(.extracting))
        }
        try live.expectNothingLeftBehind()
        try asSuperuser(["grant update on public.plugin to mlflow_user"])
        try live.restore(name, force: true)
    }

    @Test("a role that does not own the live database is told so before anything is unpacked")
    func notTheOwner() throws {
        let live = try LiveStackFixture("schema_owner")
        let name = try live.backup().name.string
        let admin = try Connection(live.server.superuser)
        try admin.execute("alter database \(identifier: live.database.database) owner to postgres")
        let seen = Monitor<[Backup.Progress.Phase]>([])
        let error = #expect(throws: PostgresError.self) {
            try live.restore(name, force: true) { step in seen.withLock { $0.append(step.phase) } }
        }
        #expect(error?.errorCode == "database-not-owned", "\(String(describing: error))")
        for text in [error?.explanation.english, error?.explanation.chinese] {
            #expect(text?.contains(live.database.database) == true && text?.contains("postgres") == true)
        }
        #expect(!seen.withLock { $0 }.contains(.extracting))
        try live.expectNothingLeftBehind()
    }
}
