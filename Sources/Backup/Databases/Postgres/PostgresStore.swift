// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import Wording

/// MLflow's database on a server of PostgreSQL.
package struct PostgresStore: TrackingStore {
    package let settings: ConnectionSettings
    package let tools: PostgresTools

    package init(_ settings: ConnectionSettings, tools: PostgresTools) {
        self.settings = settings
        self.tools = tools
    }

    package var name: String { settings.database }
    package var address: String { "\(settings.host):\(settings.port)" }
    package var settingNames: String { "POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB" }
    package var files: [FilePath] { [] }

    package func followingLinks() -> any TrackingStore { self }

    package func session() -> any StoreSession { PostgresSession(store: self, server: Databases(settings)) }

    package func lock(
        for purpose: String, atMost seconds: Double, cancellation: Cancellation, onWait: @escaping (String) -> Void
    ) throws -> any StoreLock {
        do {
            return PostgresLock(
                self,
                try StackLock.take(
                    settings, for: purpose, atMost: seconds, cancellation: cancellation, onWait: onWait))
        } catch PostgresError.stackBusy(_, let holder) {
            throw BackupError.busy(holder: holder)
        }
    }

    package func isLocked() throws -> Bool { try StackLock.isHeld(settings) }

    package func revision() throws -> String? {
        do { return try StoreSurvey.revision(of: settings) } catch PostgresError.databaseMissing { return nil }
    }

    package func survey(atMost seconds: Double, _ cancellation: Cancellation) throws -> StoreSurvey? {
        guard try Databases(settings).exists(name) else { return nil }
        let limit = Cancellation(within: cancellation, atMost: seconds)
        do {
            let patience = min(settings.patience, seconds)
            let snapshot = try ExportedSnapshot(of: settings.waiting(atMost: patience), cancellation: limit)
            defer { snapshot.release() }
            return try snapshot.givingWay(cancellation: limit) { ending in
                // What this role cannot read is named by the comparison of contents.
                try StoreSurvey(snapshot, ofReadable: true, cancellation: ending)
            }
        } catch is CancelledError {
            try cancellation.check()
            return nil
        } catch PostgresError.tablesInUse { return nil }
    }

    package func places(atMost seconds: Double) throws -> PlaceReading {
        try PlaceReading(of: settings, atMost: seconds)
    }

    package func sealedRow(_ kind: SealedRow.Kind, atMost seconds: Double) throws -> SealedRow? {
        try SealedRow.newest(kind, of: settings, atMost: seconds)
    }

    package func filesSpokenOf(in artifacts: FilePath) throws -> (files: Int64, runs: Int64) {
        let session = try Connection(settings)
        defer { session.close() }
        return try StoreSurvey.filesSpokenOf(in: artifacts, on: session)
    }

    /// Whether no transaction has written anything on the server since: that something was written does not say that it was here.
    package func isUnwritten(since moment: String) -> Bool {
        guard let session = try? Connection(settings) else { return false }
        defer { session.close() }
        let next = try? session.rows("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").first?.string(0)
        return next == moment
    }

    package func rows(in name: String, _ cancellation: Cancellation) throws -> any StoreRows {
        PostgresRows(
            live: settings,
            fresh: try FreshRows(settings.naming(database: name), cancellation: cancellation))
    }

    package func facts() -> StoreFacts? {
        guard let session = try? Connection(settings) else { return nil }
        defer { session.close() }
        let version = session.serverVersion
        let revision = (try? revision()) ?? nil
        var facts = ["PostgreSQL \(version / 10_000).\(version % 10_000)"]
        if let tool = try? tools.version(of: .dump, serverVersion: version) { facts.append("pg_dump \(tool)") }
        if let schema = (try? StoreSchema(on: session).name) ?? nil { facts.append("schema \(schema)") }
        if let revision { facts.append("alembic \(revision)") }
        return StoreFacts(
            facts: facts, name: "\(name)@\(address)", isMLflows: revision != nil,
            mend: BilingualText(
                zh: "其中没有 MLflow 的表：请检查 POSTGRES_DB 和 POSTGRES_SCHEMA",
                en: "it has no tables of MLflow's: check POSTGRES_DB and POSTGRES_SCHEMA"))
    }
}

private struct PostgresRows: StoreRows {
    let live: ConnectionSettings
    let fresh: FreshRows

    func moment() throws -> String { try fresh.moment() }
    func written(since moment: String) throws -> StoreFindings? { try fresh.written(since: moment) }
    func inNoDump() throws -> StoreFindings { try fresh.inNoDump(beside: live) }
    func close() { fresh.close() }
}

private final class PostgresLock: StoreLock {
    private let lock: StackLock
    let session: any StoreSession

    init(_ store: PostgresStore, _ lock: StackLock) {
        self.lock = lock
        session = PostgresSession(store: store, server: lock.databases)
    }

    var isHeld: Bool { lock.isHeld }
    func release() { lock.release() }
}
