// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Removes what a restore replaced, because a person named it.
package struct ForgetJob: Sendable {
    private let workspace: Workspace

    package init(_ workspace: Workspace) { self.workspace = workspace }

    /// What can be said at once.
    /// - Throws: `BackupError.noSuchKeptPart`.
    package func preflight(_ id: String) throws {
        let view = try workspace.keeping(id)
        do { _ = try KeptParts(view).identified().part(named: id) } catch BackupError.keptRecordDamaged {}
    }

    /// - Throws: `BackupError.noSuchKeptPart`, also where an undo brought it back meanwhile, `.mountInside`.
    @discardableResult
    package func run(_ id: String) throws -> KeptPart {
        let view = try workspace.keeping(id)
        let seen = try known(id, to: KeptParts(view).identified())
        let begun = seen?.isBeingRemoved == true ? seen : nil
        try workspace.prepareFolder()
        let hold = try workspace.hold("removal of \(id)")
        defer { withExtendedLifetime(hold) {} }
        let parts = KeptParts(view, of: try hold.identity(in: view))
        // Under the lock: until then somebody else may have done anything with it.
        let known = try known(id, to: parts)
        let settled = try Settling(workspace, hold).run()
        let part: KeptPart
        do { part = try parts.forgettable(id, on: hold.databases) } catch BackupError.noSuchKeptPart {
            // Settling removed it, whose time was over, or finished a removal that had begun before.
            guard let gone = begun ?? known, try wasRemoved(gone, settled, hold) else {
                throw BackupError.noSuchKeptPart(id: id)
            }
            return gone
        }
        let names = Set(workspace.stack.further.map(\.name))
        let unknown = (part.roots ?? []).filter { !names.contains($0) }
        if !unknown.isEmpty { throw BackupError.rootsUnknown(names: unknown) }
        // From now on no undo brings any of it back; and what goes with it goes first, or nobody would know what that was for.
        if part.roots != nil { try parts.noteRemoval(of: part, true) }
        for (other, following) in try workspace.following(part) where view.stack.root == nil {
            try KeptParts(other, of: hold.identity(in: other)).remove(following, on: hold.databases)
        }
        try parts.remove(part, on: hold.databases)
        RemoteJournals(workspace).sweep()
        workspace.log.info("kept part removed on request", ["kept": id, "backup": part.backup])
        return part
    }

    private func known(_ id: String, to parts: KeptParts) throws -> KeptPart? {
        do { return try parts.part(named: id) } catch is BackupError { return nil }
    }

    /// What is gone and was not removed is live: an interrupted undo was finished, or its restore never came to its swap.
    private func wasRemoved(_ part: KeptPart, _ settled: RestoreRecovery.Outcome, _ hold: Hold) throws -> Bool {
        if part.isBeingRemoved == true { return true }
        if case .finished = settled { return false }
        guard let oid = part.databaseOID else { return true }
        return try hold.databases.oid(of: hold.identity.database) != oid
    }
}
