// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Finishes or undoes an interrupted restore, and clears what interrupted runs left.
package struct RecoverJob: Sendable {
    let workspace: Workspace
    /// In the note of who holds the lock.
    static let purpose = "recovery"

    package init(_ workspace: Workspace) { self.workspace = workspace }

    /// Whether an earlier process left something for `run` to do. A look at a few names: cheap enough for every few seconds.
    package var isNeeded: Bool { RestoreRecovery.isNeeded(workspace) }

    /// - Throws: `BackupError.needsRecovery` with the reason; the journal and all data are kept then. `.restoreLeftover`
    ///   where the live data is right and something that was prepared cannot be removed yet. `SystemError` where nobody can look
    ///   whether there is anything to do.
    package func run() throws -> RestoreRecovery.Outcome {
        if !RemoteJournal.isPending(workspace),
            try !workspace.all.contains(where: { try RestoreJournal.mayBePresent($0.stack, workspace.folder) }),
            try workspace.all.allSatisfy({ try StrayParts.work($0).isEmpty })
        {
            // Only MLflow may still stand still, and a probe may lie about: neither needs the database.
            try workspace.holdingFolder(Self.purpose, for: .reading) {
                // What keeps it down is logged, and tried again.
                _ = ServerPause(workspace.stack, workspace.folder, log: workspace.log).endAfterCrash()
                for view in workspace.all { view.state.removeProbes(log: workspace.log) }
            }
            return .nothingToDo
        }
        try workspace.prepareFolder()
        let hold = try workspace.hold(Self.purpose)
        defer { withExtendedLifetime(hold) {} }
        let outcome = try Settling(workspace, hold).run()
        try hold.refuseWhileUnfinished()
        return outcome
    }
}
