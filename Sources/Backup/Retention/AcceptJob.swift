// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Takes a suspicious backup for a good one because a person says so: from then on it counts, and is the measure for
/// those after it.
public struct AcceptJob: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// - Returns: the backup as it is listed now. One that is good already is left as it is.
    /// - Throws: `BackupError.noSuchBackup`, `.markedCorrupt`, `.nothingToAccept`.
    @discardableResult
    public func run(_ name: String) throws -> CatalogueItem {
        try workspace.holdingFolder("acceptance of \(name)") {
            let catalogue = Catalogue(workspace.folder)
            let item = try catalogue.item(named: name)
            switch item.status {
            case .completed: return item
            case .corrupt: throw BackupError.markedCorrupt(name: item.name.string, reason: item.reason ?? "")
            case .unverified: throw BackupError.nothingToAccept(name: item.name.string)
            case .suspicious: break
            }
            guard var sidecar = item.sidecar else { throw BackupError.nothingToAccept(name: item.name.string) }
            sidecar.suspicion = nil
            sidecar.status = .completed
            sidecar.acceptedAt = LocalTime.now().epoch
            try sidecar.write(in: workspace.folder)
            workspace.log.info("a suspicious backup was accepted", ["name": item.name, "was": item.reason ?? ""])
            return try catalogue.item(named: name)
        }
    }
}
