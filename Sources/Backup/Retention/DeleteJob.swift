// SPDX-License-Identifier: Apache-2.0

/// Removes one backup because a person named it.
public struct DeleteJob: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// - Throws: `BackupError.noSuchBackup`, also where another deletion came first.
    public func run(_ name: String) throws {
        try workspace.holdingFolder("deletion of \(name)") {
            let catalogue = Catalogue(workspace.folder)
            let item = try catalogue.item(named: name)
            try catalogue.remove(item)
            workspace.log.info("backup deleted on request", ["name": item.name, "bytes": item.size])
        }
    }
}
