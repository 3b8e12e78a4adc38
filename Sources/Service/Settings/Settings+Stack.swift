// SPDX-License-Identifier: Apache-2.0

import Backup
import FoundationEssentials
import Glibc
import MLflowStore
import Postgres
import SQLite
import SystemIO

/// What the engines need, made from the settings.
extension Settings {
    package func operations(log: Log) -> Operations {
        var operations = Operations(
            liveStack, BackupFolder(backupDirectory), compressionLevel: compressionLevel, fullEvery: fullEvery,
            scrubs: scrub == .auto, log: log)
        operations.restoring = RestoreSettings(
            undoKeepSeconds: undoKeepSeconds, undoKeepBytes: undoKeepBytes, stopsMLflow: restoreStopsMLflow,
            upgradeCommand: mlflowUpgradeCommand,
            upgrade: databaseUpgradeProgram.map { .init(program: $0) })
        return operations
    }

    package var liveStack: LiveStack {
        LiveStack(
            database: trackingStore, artifacts: artifactsDirectory, further: artifactRoots, remote: remoteRoots,
            mlflowVersion: { [mlflowURL] in Self.mlflowVersion(mlflowURL) }, server: trackingServer,
            stopsServer: restoreStopsMLflow, asksForLogin: { [mlflowURL] in Self.asksForLogin(mlflowURL) },
            servedNames: { [mlflowURL] in try ServedArtifacts.names(of: mlflowURL) }, ignored: artifactRootsIgnored,
            keys: serverKeys)
    }

    private var trackingStore: any TrackingStore {
        if let backendStore { return SQLiteStore(backendStore) }
        return PostgresStore(
            ConnectionSettings(
                host: postgresHost, port: Int(postgresPort), user: postgresUser,
                password: postgresPassword ?? Secret(""), database: postgresDatabase,
                maintenanceDatabase: postgresMaintenanceDatabase, schema: postgresSchema),
            tools: PostgresTools(binDirectory: postgresProgramDirectory, installCommand: postgresClientsCommand))
    }

    private var trackingServer: TrackingServer? {
        guard let mlflowContainer, docker.isReachable else { return nil }
        return TrackingServer(
            name: mlflowContainer, stop: { [docker] in try docker.stop(mlflowContainer) },
            start: { [docker, mlflowURL] in
                try docker.start(mlflowContainer)
                Self.waitForMLflow(mlflowURL)
            })
    }

    /// Slow is not wrong: the container's own health check goes on looking.
    private static func waitForMLflow(_ url: String) {
        for _ in 0..<90 {
            if let answer = try? WebClient(bodyLimit: 4096).get(url + "/health", timeoutSeconds: 2),
                answer.status == 200
            {
                return
            }
            sleep(1)
        }
    }

    package var retention: RetentionRule { maxBackups.map { .count($0) } ?? .days(keepDays) }

    /// `--app-name basic-auth` answers so (mlflow/server/auth); `/health` and static files are all that it leaves open.
    private static func asksForLogin(_ url: String) -> Bool {
        (try? WebClient(bodyLimit: 65536).get(url + "/version", timeoutSeconds: 2))?.status == 401
    }

    /// `GET /version` answers with the bare version. The backup is as good without it.
    private static func mlflowVersion(_ url: String) -> String? {
        guard let response = try? WebClient(bodyLimit: 4096).get(url + "/version", timeoutSeconds: 5),
            response.status == 200
        else { return nil }
        let text = String(decoding: response.body.filter { $0 > 0x20 }, as: UTF8.self)
        return text.isEmpty || text.utf8.count > 40 ? nil : text
    }
}
