// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Removes what a rule lets go, by hand instead of after a backup.
package struct PruneJob: Sendable {
    private let workspace: Workspace
    private let rule: RetentionRule

    package init(_ workspace: Workspace, rule: RetentionRule) {
        self.workspace = workspace
        self.rule = rule
    }

    /// - Throws: `PostgresError` where the server does not answer: it alone can tell whose backups these are.
    package func run() throws -> Retention.Outcome {
        try workspace.holdingFolder("prune", for: .writing) {
            try Retention(workspace, of: identity()).apply(rule, keeping: workspace.pinnedBackups())
        }
    }

    /// What `run` would remove, if all that stays is good.
    package func preview() throws -> [CatalogueItem] {
        try workspace.checkFolder()
        // One that is not made yet has none.
        guard try FileStatus.ifPresent(workspace.folder.path) != nil else { return [] }
        return try Retention(workspace, of: identity()).expired(
            by: rule, keeping: workspace.pinnedBackups())
    }

    private func identity() throws -> StackIdentity {
        try StackIdentity(of: workspace.stack, on: workspace.stack.database.session().databases)
    }
}
