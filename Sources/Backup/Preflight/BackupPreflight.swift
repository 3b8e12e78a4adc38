// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import Wording

/// Whether a backup could be made now, and what it would leave out. The job runs it, and whoever asks before: `doctor`,
/// `--dry-run`, `/health`, the answer to a request.
public struct BackupPreflight: Sendable {
    let workspace: Workspace
    let options: BackupJob.Options

    var stack: LiveStack { workspace.stack }
    var folder: BackupFolder { workspace.folder }

    /// Seconds in which what a backup would write is to be counted; after that what is known counts. A job takes its time.
    var patience: Double
    /// Whether somebody waits for the answer.
    var isHasty: Bool { patience < 10 }

    /// - Parameter patience: seconds that a walk over the artifacts may take.
    public init(_ workspace: Workspace, options: BackupJob.Options, patience: Double = 60) {
        self.workspace = workspace
        self.options = options
        self.patience = patience
    }

    /// - Parameters:
    ///   - items: what is in the backup folder, where the caller has looked already.
    ///   - databases: of the session that holds the stack's lock, where there is one.
    public func run(beside items: [CatalogueItem]? = nil, on databases: Databases? = nil) -> Findings {
        var findings = Findings()
        guard checkAnswers(&findings) else { return findings }
        checkFolders(&findings)
        findings.make(.artifacts) { try stack.checkArtifactsFolder() }
        findings.make(.artifacts) { try checkReadable() }
        let dump = checkDatabase(databases, &findings)
        noteElsewhere(&findings)
        if let items = findings.make(.backupFolder, { try items ?? Catalogue(folder).items() }) {
            findings.note(.room, findings.make(.room) { try checkRoom(dump, beside: items) } ?? [])
        }
        return findings
    }

    /// - Returns: what its dump will be about; `nil` where it does not answer.
    private func checkDatabase(_ held: Databases?, _ findings: inout Findings) -> BackupRoom.Dump? {
        findings.make(.tools) { try stack.tools.checkHandingOver(stack.database.password) }
        guard let connection = findings.make(.database, { try Connection(stack.database) }) else {
            // Which tool is needed is not known without the server; that it is there at all is.
            findings.make(.tools) { _ = try stack.tools.version(of: .dump) }
            return nil
        }
        defer { connection.close() }
        findings.make(.tools) { try stack.tools.check(serverVersion: connection.serverVersion) }
        findings.make(.database) {
            guard try StoreSurvey.isThere(on: connection) else {
                throw BackupError.databaseEmpty(name: stack.database.database)
            }
        }
        if let databases = findings.make(.database, { try held ?? StackLock.look(stack.database) }) {
            checkGround(on: connection, databases, &findings)
        }
        return findings.make(.database) { try connection.dumpMeasure() }
    }
}
