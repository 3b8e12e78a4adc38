// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Takes a backup for right because a person says so: from then on it is the measure for those after it, and a suspicious one
/// counts.
package struct AcceptJob: Sendable {
    private let workspace: Workspace

    package init(_ workspace: Workspace) { self.workspace = workspace }

    /// - Returns: the backup as it is listed now.
    /// - Throws: `BackupError.noSuchBackup`, `.markedCorrupt`, `.nothingToAccept`.
    @discardableResult
    package func run(_ name: String) throws -> CatalogueItem {
        try workspace.holdingFolder("acceptance of \(name)", for: .writing) {
            let catalogue = Catalogue(workspace.folder)
            let item = try catalogue.item(named: name)
            switch item.status {
            case .corrupt:
                throw BackupError.markedCorrupt(
                    name: item.name.string, reason: item.reason ?? .empty)
            case .unverified: throw BackupError.nothingToAccept(name: item.name.string)
            // Of a good one, too, a person can say that it is the measure: as after one that was accepted by mistake.
            case .completed, .suspicious: break
            }
            guard var sidecar = item.sidecar else { throw BackupError.nothingToAccept(name: item.name.string) }
            sidecar.suspicion = nil
            sidecar.status = .completed
            sidecar.acceptedAt = LocalTime.now().epoch
            sidecar.acceptance = nil
            try sidecar.write(in: workspace.folder)
            workspace.log.info(
                "a backup was accepted", ["name": item.name, "was": item.reason?.english ?? item.status.rawValue])
            let accepted = try catalogue.item(named: name)
            carry(accepted, beside: try catalogue.items())
            return accepted
        }
    }

    /// Every sidecar of the stack says it, too: it must not be forgotten with the backup. One that cannot be written says it
    /// not, and the next backup does.
    private func carry(_ accepted: CatalogueItem, beside items: [CatalogueItem]) {
        guard let acceptance = accepted.acceptance else { return }
        for item in items where item.name != accepted.name {
            guard var sidecar = item.sidecar, isOfOneStack(sidecar.stack, accepted.sidecar?.stack) else { continue }
            sidecar.acceptance = acceptance
            do { try sidecar.write(in: workspace.folder) } catch {
                workspace.log.warning(
                    "an acceptance is not noted beside a backup",
                    ["name": item.name, "reason": error.bilingual[.english]])
            }
        }
    }

    private func isOfOneStack(_ one: StackIdentity?, _ other: StackIdentity?) -> Bool {
        guard let one, let other else { return one == other }
        return one.isSameStack(as: other)
    }
}
