// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO

/// The running MLflow that backups are taken from and restores go into.
public struct LiveStack: Sendable {
    public let database: ConnectionSettings
    public let tools: PostgresTools
    /// Where MLflow keeps its artifacts (`--artifacts-destination`).
    public let artifacts: FilePath
    /// Asks the server for its version; `nil` where it does not answer.
    public let mlflowVersion: @Sendable () -> String?
    /// Whether the server lets nobody in without a name; `false` where it does not answer.
    public let asksForLogin: @Sendable () -> Bool
    /// How MLflow is stopped and started; `nil` where it cannot be.
    public let server: TrackingServer?
    /// Whether a restore stops it for its swap. One that an earlier process stopped is started again in any case.
    public let stopsServer: Bool

    public init(
        database: ConnectionSettings, tools: PostgresTools, artifacts: FilePath,
        mlflowVersion: @escaping @Sendable () -> String?, server: TrackingServer? = nil,
        stopsServer: Bool = false, asksForLogin: @escaping @Sendable () -> Bool = { false }
    ) {
        self.asksForLogin = asksForLogin
        self.stopsServer = stopsServer
        self.database = database
        self.tools = tools
        self.artifacts = artifacts
        self.mlflowVersion = mlflowVersion
        self.server = server
    }

    /// Names directly in the artifacts folder that are not artifacts: our staging, our mark, and what ext4 puts at a
    /// mount's root.
    public static let notArtifacts: Set<[UInt8]> = [
        Array(ArtifactSwap.folderName.utf8), Array(ArtifactsMark.fileName.utf8), Array("lost+found".utf8),
    ]

    /// - Throws: `BackupError.artifactsMissing`.
    func checkArtifactsFolder() throws {
        var isFolder = false
        if let folder = try? OpenFile(artifacts, .directory) { isFolder = (try? folder.status().kind) == .directory }
        guard isFolder else { throw BackupError.artifactsMissing(path: artifacts.string) }
    }
}
