// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// Reads one backup from its first byte to its last, and records what was found.
public struct VerifyJob: Sendable {
    private let workspace: Workspace
    private let rate: ReadRate?

    /// - Parameter rate: slows the reading down; `nil` for no limit.
    public init(_ workspace: Workspace, rate: ReadRate? = nil) {
        self.workspace = workspace
        self.rate = rate
    }

    /// - Returns: the backup as it is listed now.
    /// - Throws: `BackupError.noSuchBackup`; `ArchiveError` for damage, which has then been recorded.
    public func run(_ name: String) throws -> CatalogueItem {
        try workspace.holdingFolder("verification of \(name)") {
            let catalogue = Catalogue(workspace.folder)
            let item = try catalogue.item(named: name)
            try Verification(
                workspace.folder, log: workspace.log, cancellation: workspace.cancellation, rate: rate,
                progress: workspace.progress
            ).run(item)
            return try catalogue.item(named: name)
        }
    }
}
