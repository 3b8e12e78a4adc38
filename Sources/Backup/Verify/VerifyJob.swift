// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Reads one backup from its first byte to its last, and records what was found.
public struct VerifyJob: Sendable {
    private let workspace: Workspace
    private let rate: ReadRate?

    /// A backup that was read and found good.
    public struct Outcome: Sendable {
        /// As it is listed now.
        public let item: CatalogueItem
        /// What was wrong in its sidecar, and has been put right.
        public let notes: [BilingualText]
    }

    /// - Parameter rate: slows the reading down; `nil` for no limit.
    public init(_ workspace: Workspace, rate: ReadRate? = nil) {
        self.workspace = workspace
        self.rate = rate
    }

    /// - Throws: `BackupError.noSuchBackup`; `ArchiveError` and `BackupError.manifestUnreadable` for damage, which has
    ///   then been recorded.
    public func run(_ name: String) throws -> Outcome {
        try workspace.holdingFolder("verification of \(name)") {
            let catalogue = Catalogue(workspace.folder)
            let found = try Verification(
                workspace.folder, log: workspace.log, cancellation: workspace.cancellation, rate: rate,
                progress: workspace.progress
            ).run(try catalogue.item(named: name))
            return Outcome(item: try catalogue.item(named: name), notes: found.notes)
        }
    }
}
