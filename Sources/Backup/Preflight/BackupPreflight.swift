// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import Wording

/// Whether a backup could be made now, and what it would leave out. The job runs it, and whoever asks before: `doctor`,
/// `--dry-run`, `/health`, the answer to a request. It leaves nothing, and makes no folder: who begins an operation does
/// (`Workspace.prepareFolder`).
package struct BackupPreflight: Sendable {
    var workspace: Workspace
    let options: BackupJob.Options

    var stack: LiveStack { workspace.stack }
    var folder: BackupFolder { workspace.folder }

    /// Seconds in which what a backup would write is to be counted; after that what is known counts. A job takes its time.
    var patience: Double
    /// Whether somebody waits for the answer.
    var isHasty: Bool { patience < 10 }
    /// Whether the operation follows at once: it settles first what can be settled.
    let isFollowed: Bool

    /// - Parameters:
    ///   - patience: seconds that a walk over the artifacts may take.
    ///   - isFollowed: whether the backup itself comes next, and not only a person's reading of this.
    package init(_ workspace: Workspace, options: BackupJob.Options, patience: Double = 60, isFollowed: Bool = false) {
        self.workspace = workspace
        self.options = options
        self.patience = patience
        self.isFollowed = isFollowed
    }

    /// - Parameters:
    ///   - items: what is in the backup folder, where the caller has looked already.
    ///   - databases: of the session that holds the stack's lock, where there is one.
    package func run(beside items: [CatalogueItem]? = nil, on databases: Databases? = nil) -> Findings {
        var findings = Findings()
        guard checkAnswers(&findings) else { return findings }
        checkFolders(&findings)
        checkArtifacts(&findings)
        checkRemoteRoots(&findings)
        checkSettled(&findings)
        let dump = checkDatabase(databases, &findings)
        noteElsewhere(&findings)
        if let items = findings.make(.backupFolder, { try items ?? self.items() }) {
            findings.note(.room, findings.make(.room) { try checkRoom(dump, beside: items) } ?? [])
            lookAtBackups(items, &findings)
        }
        return findings
    }

    /// A folder that is not made yet has none.
    private func items() throws -> [CatalogueItem] {
        try FileStatus.ifPresent(folder.path) == nil ? [] : Catalogue(folder).items()
    }

    /// - Returns: what its dump will be about; `nil` where it does not answer.
    private func checkDatabase(_ held: Databases?, _ findings: inout Findings) -> BackupRoom.Dump? {
        let tools = isHasty ? stack.tools.waiting(atMost: FolderPulse.hasty) : stack.tools
        findings.make(.tools) { try tools.checkHandingOver(stack.database.password) }
        guard let connection = findings.make(.database, { try Connection(stack.database) }) else {
            // Which tool is needed is not known without the server; that it is there at all is.
            findings.make(.tools) { _ = try tools.version(of: .dump) }
            return nil
        }
        defer { connection.close() }
        findings.make(.tools) { try tools.check(serverVersion: connection.serverVersion) }
        findings.make(.database) {
            let schema = try StoreSchema(on: connection)
            guard schema.name != nil else {
                throw BackupError.databaseEmpty(
                    name: stack.database.database, schemas: schema.all, wanted: stack.database.schema)
            }
        }
        if let databases = findings.make(.database, { try held ?? StackLock.look(stack.database) }) {
            checkGround(on: connection, databases, &findings)
        }
        let measure = findings.make(.database) { try connection.dumpMeasure() }
        findings.note(.artifacts, findings.make(.artifacts) { try refuseUnmounted(on: connection) } ?? [])
        return measure
    }
}
