// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// In which other backups the damage of one is to be looked for: in all that may share bytes with it.
struct DamageReach {
    private let item: CatalogueItem
    private let chains: Chains
    /// What several folders may have in common, of a folder; `nil` where it cannot be looked at.
    private let inodes: Set<UInt64>?

    /// - Parameter items: the whole catalogue.
    init(of item: CatalogueItem, among items: [CatalogueItem]) {
        self.item = item
        chains = Chains(items)
        inodes = item.kind == .uncompressed ? Self.sharedInodes(in: item) : []
    }

    func mayReach(_ other: CatalogueItem) -> Bool {
        // An archive takes nothing over from a folder, nor a folder from an archive.
        guard other.kind == item.kind else { return false }
        let (chain, others) = (chains.chain(of: item), chains.chain(of: other))
        guard chain == Chains.unknown || others == Chains.unknown else { return chain == others }
        // Cloned ranges of archives show nowhere. What folders share are files.
        return item.kind == .compressed || hasFiles(of: other)
    }

    /// Whether both have a file in common. Who cannot tell says yes.
    private func hasFiles(of other: CatalogueItem) -> Bool {
        guard let inodes, other.device == item.device else { return inodes == nil }
        return Self.sharedInodes(in: other).map { !inodes.isDisjoint(with: $0) } ?? true
    }

    /// Of files with several names; `nil` where the folder cannot be looked at.
    private static func sharedInodes(in item: CatalogueItem) -> Set<UInt64>? {
        var inodes: Set<UInt64> = []
        do {
            try FolderFiles.forEach(in: item.path) { _, status in
                if status.linkCount > 1 { inodes.insert(status.inode) }
            }
        } catch { return nil }
        return inodes
    }
}
