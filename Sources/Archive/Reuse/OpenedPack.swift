// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A pack of the archive before that cannot be taken over as it lies there, since something beside or in it is new: what of it is
/// unchanged is taken out of it, and not fetched from a store again.
final class OpenedPack {
    private let archive: IndexedArchive
    private let member: ArchiveIndex.Member
    private var places: [EntryPath: Int]?
    private var contents: [[UInt8]]?

    init(_ archive: IndexedArchive, _ member: ArchiveIndex.Member) {
        self.archive = archive
        self.member = member
    }

    /// - Returns: `nil` where it does not have it.
    func record(of path: EntryPath) -> (record: ArchiveIndex.Record, place: Int)? {
        if places == nil {
            places = Dictionary(member.entries.enumerated().map { ($0.element.entry.path, $0.offset) }) { one, _ in one
            }
        }
        return places?[path].map { (member.entries[$0], $0) }
    }

    /// - Throws: `ArchiveError.previousDamaged` where the pack is not what it was.
    func content(at place: Int) throws -> [UInt8] {
        if let contents { return contents[place] }
        var read: [[UInt8]] = []
        read.reserveCapacity(member.entries.count)
        // The bytes are its own, and go with it.
        let reader = MemberReader(archive)
        do {
            try withExtendedLifetime(reader) {
                let tar = try reader.tar(of: member)
                try TarFragment(tar, of: member, archive: archive.path.string).forEachEntry { _, content, _ in
                    read.append(Array(content))
                }
            }
        } catch is ArchiveError {
            throw ArchiveError.previousDamaged(archive: archive.path.string, offset: member.offset)
        }
        contents = read
        return read[place]
    }
}
