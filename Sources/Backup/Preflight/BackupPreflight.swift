// SPDX-License-Identifier: Apache-2.0

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

    public init(_ workspace: Workspace, options: BackupJob.Options) {
        self.workspace = workspace
        self.options = options
    }

    /// - Parameter items: what is in the backup folder, where the caller has looked already.
    public func run(beside items: [CatalogueItem]? = nil) -> Findings {
        var findings = Findings()
        guard checkAnswers(&findings) else { return findings }
        checkFolders(&findings)
        findings.make(.artifacts) { try stack.checkArtifactsFolder() }
        let databaseSize = checkDatabase(&findings)
        if let items = findings.make(.backupFolder, { try items ?? Catalogue(folder).items() }) {
            findings.make(.room) { try checkRoom(dump: databaseSize ?? 0, beside: items) }
        }
        return findings
    }

    /// - Returns: the size of the database in bytes; `nil` where it does not answer.
    private func checkDatabase(_ findings: inout Findings) -> UInt64? {
        guard let connection = findings.make(.database, { try Connection(stack.database) }) else {
            // Which tool is needed is not known without the server; that it is there at all is.
            findings.make(.tools) { _ = try stack.tools.version(of: .dump) }
            return nil
        }
        defer { connection.close() }
        findings.make(.tools) { try stack.tools.check(serverVersion: connection.serverVersion) }
        return findings.make(.database) {
            let size = try connection.rows("SELECT pg_database_size(current_database())").first?.int64(0) ?? 0
            return UInt64(max(0, size))
        }
    }

    /// The dump lies in the staging folder uncompressed while the archive grows beside it.
    private func checkRoom(dump: UInt64, beside items: [CatalogueItem]) throws {
        let previous = items.first { $0.isWhole && $0.kind == options.kind }
        let needed = dump.addingWithCeiling(try sharesUnchanged(previous) ? 0 : previous?.size ?? 0)
        let space = try DiskSpace.at(folder.path)
        guard space.available > needed else {
            throw BackupError.notEnoughRoom(path: folder.path.string, needed: needed, available: space.available)
        }
    }

    /// Whether what did not change takes no room again. How much changed shows only when it is read.
    private func sharesUnchanged(_ previous: CatalogueItem?) throws -> Bool {
        guard previous?.sidecar?.adopted == false, options.fullEvery > 1 else { return false }
        return options.kind == .uncompressed ? true : FileSystem.sharesBlocks(in: folder.path)
    }
}
