// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What is done before every operation under both locks: whatever an earlier one left half done is finished, undone or
/// cleared. Only data in two minds stops an operation; what merely lies around never does.
struct Settling {
    private let workspace: Workspace
    private let hold: Hold
    private let spared: String?

    /// - Parameter spared: the kept part that the operation is about: it does not go before, though its time may be over.
    init(_ workspace: Workspace, _ hold: Hold, sparing spared: String? = nil) {
        self.spared = spared
        self.workspace = workspace
        self.hold = hold
    }

    /// - Throws: `BackupError.needsRecovery`: half a restore is not a state to back up, nor to restore over.
    @discardableResult
    func run() throws -> RestoreRecovery.Outcome {
        var recovery = RestoreRecovery(workspace, hold.databases)
        let outcome = try recovery.run()
        hold.unfinished = recovery.stuck
        if outcome != .nothingToDo { workspace.settled(outcome) }
        removeLeftDatabases()
        // Its own folder would be taken for that of another service's restore.
        for view in workspace.all {
            if hold.unfinished == nil { try StrayParts(view, hold.identity(in: view)).clear(on: hold.databases) }
            view.state.removeLeftovers(log: workspace.log)
        }
        if workspace.folder.writeProtection == nil { try settleFolder() }
        MendedRecords(workspace).write()
        // The first one's first: what follows a part goes after it.
        for view in workspace.all { KeptExpiry(view, hold).run(sparing: spared) }
        RemoteJournals(workspace).sweep()
        return outcome
    }

    /// What merely lies around stops nothing.
    private func removeLeftDatabases() {
        do { try hold.databases.removeLeftovers() } catch {
            workspace.log.warning(
                "a leftover beside the database cannot be removed", ["reason": error.bilingual.english])
        }
    }

    /// What lies among the backups: on write-protected media it stays, and is nobody's trouble there.
    private func settleFolder() throws {
        let folder = workspace.folder
        try FolderTrial(folder).refuseOtherKinds()
        let removed = try folder.removeLeftovers { [log = workspace.log] name, error in
            log.warning("a leftover cannot be removed", ["name": name, "reason": error.reason])
        }
        for name in removed { workspace.log.warning("removed what an interrupted run left", ["name": name]) }
        try UnfinishedPublication(workspace).settle()
    }
}
