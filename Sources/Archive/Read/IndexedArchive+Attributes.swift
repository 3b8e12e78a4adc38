// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension IndexedArchive {
    /// Extended attributes of several files in one pass. They stand in their tar headers alone.
    /// - Returns: those that have any.
    public func attributes(of paths: Set<EntryPath>) throws -> [EntryPath: [OpenFile.Attribute]] {
        let reader = MemberReader(self)
        var found: [EntryPath: [OpenFile.Attribute]] = [:]
        try forEachMember { member in
            guard member.kind != .chunk, member.entries.contains(where: { paths.contains($0.entry.path) }) else {
                return true
            }
            try TarFragment(try reader.tar(of: member), of: member, archive: self.path.string).forEachEntry {
                entry, _, _ in
                if paths.contains(entry.path), !entry.attributes.isEmpty { found[entry.path] = entry.attributes }
            }
            return true
        }
        return found
    }
}
