// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Removes what a restore replaced, because a person named it.
public struct ForgetJob: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// What can be said at once.
    /// - Throws: `BackupError.noSuchKeptPart`.
    public func preflight(_ id: String) throws {
        do { _ = try KeptParts(workspace).identified().part(named: id) } catch BackupError.keptRecordDamaged {}
    }

    /// - Throws: `BackupError.noSuchKeptPart`, `.mountInside`.
    @discardableResult
    public func run(_ id: String) throws -> KeptPart {
        let known: KeptPart?
        do { known = try KeptParts(workspace).identified().part(named: id) } catch is BackupError { known = nil }
        return try workspace.holdingStack("removal of \(id)") { hold in
            let parts = KeptParts(workspace, of: hold.identity)
            let part: KeptPart
            do { part = try parts.forgettable(id, on: hold.databases) } catch BackupError.noSuchKeptPart {
                // Settling finished a removal that had begun before.
                guard let known else { throw BackupError.noSuchKeptPart(id: id) }
                return known
            }
            try parts.remove(part, on: hold.databases)
            workspace.log.info("kept part removed on request", ["kept": id, "backup": part.backup])
            return part
        }
    }
}
