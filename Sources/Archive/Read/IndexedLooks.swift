// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What the index of an uncompressed backup says of owners, modes, access lists and times. The files of the backup may not
/// have these: they are ours, and lie on whatever file system there is.
///
/// One pass over the index for each of its parts that are asked for in another order than it has them; memory does not grow.
struct IndexedLooks {
    private let folder: FilePath
    private var stream: RecordStream?
    private var current: ArchiveIndex.Record?
    private var last: EntryPath?

    init(_ folder: FilePath) { self.folder = folder }

    /// - Returns: the entry with the looks that were backed up; as it is where the index does not name it.
    mutating func giving(_ listed: ArchiveEntry) throws -> ArchiveEntry {
        guard let stored = try record(of: listed.path), stored.kind.isSameKind(as: listed.kind) else { return listed }
        var entry = listed
        (entry.owner, entry.group, entry.mode) = (stored.owner, stored.group, stored.mode)
        (entry.access, entry.defaultAccess) = (stored.access, stored.defaultAccess)
        entry.modified = stored.modified
        return entry
    }

    private mutating func record(of path: EntryPath) throws -> ArchiveEntry? {
        if last == nil || last.map({ path.precedesInWalk($0) }) == true {
            do { stream = try RecordStream(folder: folder) } catch let error as SystemError where error.isNotFound {
                stream = nil
            }
            current = try stream?.next()
        }
        last = path
        while let record = current, record.entry.path.precedesInWalk(path) { current = try stream?.next() }
        return current.flatMap { $0.entry.path == path ? $0.entry : nil }
    }
}

extension ArchiveEntry.Kind {
    fileprivate func isSameKind(as other: ArchiveEntry.Kind) -> Bool {
        switch (self, other) {
        case (.directory, .directory), (.symbolicLink, .symbolicLink): true
        case (.file, .file), (.file, .hardLink), (.hardLink, .file), (.hardLink, .hardLink): true
        default: false
        }
    }
}
