// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What a backup says of the extended attributes of several files.
package struct StoredAttributes: Sendable {
    /// Of those that have any.
    package var found: [EntryPath: [OpenFile.Attribute]] = [:]
    /// The backup does not give these any more.
    package var lost: Set<EntryPath> = []

    package init() {}
}

extension IndexedArchive {
    /// Extended attributes of several files in one pass. They stand in their tar headers alone.
    package func attributes(of paths: Set<EntryPath>) throws -> StoredAttributes {
        let reader = MemberReader(self)
        var stored = StoredAttributes()
        try forEachMember { member in
            let asked = member.entries.lazy.map(\.entry.path).filter(paths.contains)
            guard member.kind != .chunk, !asked.isEmpty else { return true }
            do {
                try TarFragment(try reader.tar(of: member), of: member, archive: self.path.string).forEachEntry {
                    entry, _, _ in
                    if paths.contains(entry.path), !entry.attributes.isEmpty {
                        stored.found[entry.path] = entry.attributes
                    }
                }
            } catch  where isLoss(error) { stored.lost.formUnion(asked) }
            return true
        }
        return stored
    }

    /// Whether a member cannot be had, which says nothing of the others.
    func isLoss(_ error: any Error) -> Bool { error is ArchiveError || (error as? SystemError)?.isLostData ?? false }
}
