// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Puts names together, and keeps files apart, as the index of a backup says: whoever copied a backup or packed it again
/// may have made two files of two names, turned a pair of names round, or tied equal files together.
struct LinkPlan {
    /// What the index says: further names, by path in the backup.
    private var wanted: [EntryPath: EntryPath] = [:]
    /// What the archive at hand says.
    private var found: [EntryPath: EntryPath] = [:]
    private var hasIndex = false

    mutating func note(_ entry: ArchiveEntry) {
        if case .hardLink(let target) = entry.kind { found[entry.path] = target }
    }

    /// Reads the index on its way by; nothing of it but the links is kept.
    mutating func read(_ content: EntryContent, archive: String) throws {
        var decoder = IndexDecoder(archive: archive)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while case let got = try content.read(into: buffer), got > 0 {
            try decoder.feed(ArraySlice(UnsafeRawBufferPointer(rebasing: buffer[..<got]))) { member in
                for record in member.entries {
                    if case .hardLink(let target) = record.entry.kind { wanted[record.entry.path] = target }
                }
            }
        }
        hasIndex = true
    }

    enum Step {
        /// `path` was placed as a file and is another name of `target`, which is one.
        case tie(path: EntryPath, to: EntryPath)
        /// `path` waits as a link to `target` and is a file of its own.
        case part(path: EntryPath, from: EntryPath)
    }

    /// What is to be done before links are made.
    func steps() -> [Step] {
        guard hasIndex else { return [] }
        var steps: [Step] = []
        for (path, target) in found where (wanted[path] ?? path) != (wanted[target] ?? target) {
            steps.append(.part(path: path, from: target))
        }
        for (path, target) in wanted where found[path] == nil {
            let place = found[target] ?? target
            if place != path { steps.append(.tie(path: path, to: place)) }
        }
        return steps
    }
}

extension EntryPlacer {
    /// Makes one file's second name of a file that was placed as one of its own.
    /// - Returns: the bytes that it held itself; `nil` where it was no such file.
    func tie(_ path: EntryPath, to target: EntryPath) throws(SystemError) -> UInt64? {
        let (folder, name) = try parent(of: path)
        let (source, sourceName) = try parent(of: target)
        let (mine, others) = (try folder.status(of: name), try source.status(of: sourceName))
        guard mine.kind == .file, others.kind == .file, mine.size == others.size, mine.inode != others.inode
        else { return nil }
        try folder.remove(name)
        try source.makeHardLink(sourceName, to: folder, as: name)
        return mine.size
    }

    /// Makes a file of its own of what waits as a link.
    /// - Returns: its bytes; `nil` where no such link waits.
    func part(_ path: EntryPath, from target: EntryPath) throws -> UInt64? {
        guard let link = withdrawLink(path) else { return nil }
        let (source, name) = try parent(of: target)
        let file = try source.open(name, .readNoFollow)
        let status = try file.status()
        var entry = link
        entry.kind = .file
        entry.size = status.size
        entry.mode = status.mode
        entry.modified = status.modified
        entry.extras = try file.extras()
        try place(entry) { try file.read(into: $0) }
        return status.size
    }
}
