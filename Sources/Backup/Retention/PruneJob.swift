// SPDX-License-Identifier: Apache-2.0

/// Removes what a rule lets go, by hand instead of after a backup.
public struct PruneJob: Sendable {
    private let workspace: Workspace
    private let rule: RetentionRule

    public init(_ workspace: Workspace, rule: RetentionRule) {
        self.workspace = workspace
        self.rule = rule
    }

    /// - Returns: the names that were removed.
    public func run() throws -> [BackupName] {
        try workspace.holdingFolder("prune") {
            try Retention(workspace.folder, log: workspace.log).apply(rule)
        }
    }

    /// What `run` would remove.
    public func preview() throws -> [CatalogueItem] {
        try workspace.prepareFolder()
        return try Retention(workspace.folder, log: workspace.log).expired(by: rule)
    }
}
