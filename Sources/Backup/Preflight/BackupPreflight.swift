// SPDX-License-Identifier: Apache-2.0

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
    ///   - session: of who holds the stack's lock, where somebody does.
    package func run(beside items: [CatalogueItem]? = nil, holding session: (any StoreSession)? = nil) -> Findings {
        var findings = Findings()
        guard checkAnswers(&findings) else { return findings }
        checkFolders(&findings)
        checkArtifacts(&findings)
        checkRemoteRoots(&findings)
        checkSettled(&findings)
        let dump = stack.database.check(holding: session, isHasty: isHasty, &findings)
        findings.note(.artifacts, findings.make(.artifacts) { try refuseUnmounted() } ?? [])
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
}
