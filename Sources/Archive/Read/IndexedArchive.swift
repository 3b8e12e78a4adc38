// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// An archive of ours opened by its footer: its table of contents, and single files without reading the rest.
package struct IndexedArchive: Sendable {
    package let path: FilePath
    let file: OpenFile
    let footer: ArchiveFooter

    /// - Throws: `ArchiveError.truncated` where there is no footer.
    package init(_ path: FilePath) throws {
        self.path = path
        file = try StoredPart.file(path, of: path.string)
        footer = try ArchiveFooter.read(from: file, size: try file.status().size)
    }

    /// SHA-256 of the stored index: it names every digest in the archive, so two archives with the same one are equal
    /// up to their last 1,101 bytes.
    package var indexDigest: Digest { footer.indexDigest }
    package var indexOffset: UInt64 { footer.indexOffset }

    /// Visits the members in stored order; memory does not grow with the archive.
    /// - Parameter visit: returns false to stop.
    /// - Throws: `ArchiveError.damaged` where the index is not what the footer says, or names places that cannot be.
    @discardableResult
    package func forEachMember(
        _ visit: (ArchiveIndex.Member) throws -> Bool
    ) throws -> ArchiveIndex.Preamble? {
        let stream = try IndexStream(file, footer)
        var places = MemberPlaces(end: footer.indexOffset, archive: path.string)
        while let member = try stream.next() {
            try places.check(member)
            guard try visit(member) else { return stream.preamble }
        }
        try places.finish()
        return stream.preamble
    }

    /// What the index says of one folder; only what stands before it is read.
    package func folder(at path: EntryPath) throws -> ArchiveEntry? {
        var found: ArchiveEntry?
        try forEachMember { member in
            found = member.entries.first { $0.entry.path == path && $0.entry.kind == .directory }?.entry
            return found == nil
        }
        return found
    }

    /// What the first line of the index says.
    package func preamble() throws -> ArchiveIndex.Preamble {
        guard let preamble = try forEachMember({ _ in false }) else {
            throw ArchiveError.damaged(
                archive: path.string, offset: footer.indexOffset, reason: .init(zh: "索引是空的", en: "the index is empty"))
        }
        return preamble
    }

    /// The whole index in memory: for small archives.
    package func readIndex() throws -> ArchiveIndex {
        var members: [ArchiveIndex.Member] = []
        let preamble = try forEachMember {
            members.append($0)
            return true
        }
        return ArchiveIndex(preamble: preamble ?? .init(started: FileTime(seconds: 0)), members: members)
    }
}
