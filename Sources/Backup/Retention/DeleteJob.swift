// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Removes one backup because a person named it.
package struct DeleteJob: Sendable {
    private let workspace: Workspace

    package init(_ workspace: Workspace) { self.workspace = workspace }

    /// - Returns: what a person should know of it, as a sentence each.
    /// - Throws: `BackupError.noSuchBackup`, also where another deletion came first.
    package func run(_ name: String) throws -> [BilingualText] {
        try workspace.holdingFolder("deletion of \(name)", for: .writing) {
            let catalogue = Catalogue(workspace.folder)
            let item = try catalogue.item(named: name)
            let leaning = partsNeeding(item)
            try catalogue.remove(item, log: workspace.log)
            workspace.log.info(
                "backup deleted on request",
                [
                    "name": item.name, "bytes": item.size,
                    "neededBy": leaning.isEmpty ? "none" : leaning.joined(separator: " "),
                ])
            return leaning.map(Self.leaning)
        }
    }

    private func partsNeeding(_ item: CatalogueItem) -> [String] {
        do {
            let parts = try workspace.all.flatMap { try KeptParts($0).inFolder() }
            return Set(parts.filter { $0.backups.contains(item.name.string) }.map(\.id)).sorted()
        } catch {
            // A damaged record is told of by every operation, and hinders no deletion.
            workspace.log.warning(
                "which kept parts need a backup cannot be told",
                ["name": item.name, "reason": error.bilingual[.english]])
            return []
        }
    }

    private static func leaning(_ id: String) -> BilingualText {
        BilingualText(
            zh: "\(id)（某次恢复所替换、现予保留的数据）曾依赖它：现在撤销该恢复必须强制执行，且该数据不再自动清除",
            en:
                "what a restore replaced and is kept as \(id) leaned on it: an undo of that restore needs to be forced now, and what "
                + "is kept does not go by itself any more")
    }
}
