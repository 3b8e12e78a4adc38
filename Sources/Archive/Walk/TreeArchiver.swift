// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Copies a live tree into a writer, reads again only what changed since the backup before, and keeps account of what
/// moved under its hands.
package struct TreeArchiver {
    /// What tells that a file is the one that was stored.
    package enum Trust: Sendable {
        /// Inode, size and times, with a margin for writes in the same tick.
        case stamps
        /// Nothing but its bytes: the files are new each time, as those of a dump are.
        case content
    }

    /// What the walk could not keep exactly, for the manifest.
    package struct Report: Sendable {
        package var files = 0
        package var folders = 0
        package var bytes: UInt64 = 0
        /// Of these, what the backup before held already.
        package var reusedFiles = 0
        package var reusedBytes: UInt64 = 0
        package var skipped: [(path: EntryPath, reason: SkipReason)] = []
        /// Entries of other users than the one who reads them, and the first of these: what that user restores would be its own. None
        /// where it is root.
        package var foreign: (count: Int, first: EntryPath)?
        /// Files that were being written while they were read: whole, but maybe a mix of two moments.
        package var changedWhileRead: [EntryPath] = []

        package init() {}

        /// Both together, as of one walk.
        package mutating func take(_ other: Report) {
            files = files.adding(clamped: other.files)
            folders = folders.adding(clamped: other.folders)
            bytes = bytes.adding(clamped: other.bytes)
            reusedFiles = reusedFiles.adding(clamped: other.reusedFiles)
            reusedBytes = reusedBytes.adding(clamped: other.reusedBytes)
            skipped += other.skipped
            changedWhileRead += other.changedWhileRead
            if let foreign = other.foreign {
                self.foreign = (
                    (self.foreign?.count ?? 0).adding(clamped: foreign.count), self.foreign?.first ?? foreign.first
                )
            }
        }
    }

    private let writer: any ArchiveWriter
    private let cancellation: Cancellation?
    private let onBytes: ((UInt64) -> Void)?

    package init(
        into writer: any ArchiveWriter, cancellation: Cancellation? = nil, onBytes: ((UInt64) -> Void)? = nil
    ) {
        self.writer = writer
        self.cancellation = cancellation
        self.onBytes = onBytes
    }

    /// - Parameters:
    ///   - root: the live folder; it must exist.
    ///   - prefix: where it goes in the backup.
    ///   - ignoring: names directly in `root` that are ours and not data.
    /// - Throws: `ArchiveError.unreadable` for a file that exists and cannot be read.
    package func add(
        tree root: FilePath, as prefix: EntryPath, ignoring: Set<[UInt8]> = [], trust: Trust = .stamps
    ) throws -> Report {
        let top: OpenFile
        do { top = try OpenFile(root, .directoryThroughLink) } catch {
            if error.isNotFound { throw ArchiveError.nothingToBackUp(folder: root.string) }
            throw ArchiveError.unreadable(path: root.string, reason: error.reasonText)
        }
        let passage = TreePassage(
            writer, FileCopier(into: writer, cancellation: cancellation, withLists: trust == .stamps), top, prefix,
            trust,
            onBytes)
        var folder = ArchiveEntry(path: prefix, status: try top.status())
        folder.kind = .directory
        try passage.take(folder, linkCount: 1, place: nil)
        let user = geteuid()
        var walk = try TreeWalk(root: top, prefix: prefix, ignoring: ignoring)
        while let step = try walk.next() {
            try cancellation?.check()
            switch step {
            case .skipped(let path, let reason): passage.report.skipped.append((path, reason))
            case .entry(let entry, let parent, let name):
                if entry.kind == .directory { passage.report.folders += 1 }
                if user != 0, entry.owner != user {
                    passage.report.foreign = (
                        (passage.report.foreign?.count ?? 0) + 1, passage.report.foreign?.first ?? entry.path
                    )
                }
                try passage.take(entry, linkCount: walk.linkCount, place: (parent, name))
            }
        }
        try passage.finish()
        return passage.report
    }
}

/// One tree on its way into a writer.
private final class TreePassage {
    var report = TreeArchiver.Report()
    private let writer: any ArchiveWriter
    private let copier: FileCopier
    private let reuse: any TreeReuse
    private let top: OpenFile
    private let chain: FolderChain
    private let prefix: EntryPath
    private let trust: TreeArchiver.Trust
    private let onBytes: ((UInt64) -> Void)?
    /// Files with several names, by identity: the first name that went into the archive.
    private var linked: [FileIdentity: EntryPath] = [:]

    init(
        _ writer: any ArchiveWriter, _ copier: FileCopier, _ top: OpenFile, _ prefix: EntryPath,
        _ trust: TreeArchiver.Trust, _ onBytes: ((UInt64) -> Void)?
    ) {
        self.writer = writer
        self.copier = copier
        self.top = top
        self.prefix = prefix
        self.trust = trust
        self.onBytes = onBytes
        chain = FolderChain(root: top)
        reuse = writer.treeReuse()
    }

    /// - Parameter place: the open folder it is in and its name there; `nil` for the tree itself.
    func take(_ entry: ArchiveEntry, linkCount: UInt64, place: (OpenFile, [UInt8])?) throws {
        while true {
            switch try reuse.offer(candidate(entry, linkCount)) {
            case .undecided: return
            case .reused(let candidates): return candidates.forEach(noteReused)
            case .readAll(let candidates): return try candidates.forEach(addLater)
            case .readThenRetry(let candidates): try candidates.forEach(addLater)
            case .read: return try add(entry, linkCount, place)
            }
        }
    }

    func finish() throws { try reuse.finish().forEach(addLater) }

    private func candidate(_ listed: ArchiveEntry, _ linkCount: UInt64) -> ReuseCandidate {
        var entry = listed
        if linkCount > 1, entry.kind == .file, let origin = entry.origin,
            let first = linked[FileIdentity(origin)] ?? reuse.waitingPath(of: origin)
        {
            entry.kind = .hardLink(target: first)
            entry.size = 0
        }
        guard trust == .content else {
            var candidate = ReuseCandidate(entry: entry, linkCount: linkCount)
            candidate.isPlain = { [self] in try isPlain(entry) }
            return candidate
        }
        return ReuseCandidate(entry: entry, linkCount: linkCount) { [self] digest in
            guard let (parent, name) = try place(of: entry.path) else { return false }
            return try copier.digest(of: parent.open(name, .readNoFollow)) == digest
        }
    }

    /// Whether it has nothing that archives of 0.1.0 do not say: no access list, and no attributes where it is a folder.
    private func isPlain(_ entry: ArchiveEntry) throws -> Bool {
        do throws(SystemError) {
            guard let (parent, name) = try place(of: entry.path) else { return try top.extras().isEmpty }
            switch entry.kind {
            case .symbolicLink: return true
            case .directory: return try parent.open(name, .directory).extras().isEmpty
            case .file, .hardLink: return try parent.open(name, .readNoFollow).extras().access == nil
            }
        } catch {
            // Whoever reads it finds out what became of it.
            guard error.isNotFound || [ELOOP, ENXIO, ESTALE].contains(error.code) else { throw error }
            return false
        }
    }

    private func noteReused(_ candidate: ReuseCandidate) {
        let entry = candidate.entry
        guard entry.kind == .file else { return }
        if candidate.linkCount > 1, let origin = entry.origin { linked[FileIdentity(origin)] = entry.path }
        report.reusedFiles += 1
        report.reusedBytes = report.reusedBytes.adding(clamped: entry.size)
        count(entry)
    }

    private func count(_ entry: ArchiveEntry) {
        report.files += 1
        report.bytes = report.bytes.adding(clamped: entry.size)
        onBytes?(entry.size)
    }

    /// An entry that waited is opened again by its path.
    private func addLater(_ candidate: ReuseCandidate) throws {
        var entry = candidate.entry
        // Whether it is another name of a file is decided anew: that file may have vanished meanwhile.
        if case .hardLink = entry.kind { entry.kind = .file }
        let place: (OpenFile, [UInt8])?
        do { place = try self.place(of: entry.path) } catch {
            guard error.isNotFound || [ELOOP, ENOTDIR, ESTALE].contains(error.code) else {
                throw ArchiveError.unreadable(path: error.path, reason: error.reasonText)
            }
            return report.skipped.append((entry.path, .vanished))
        }
        try add(entry, candidate.linkCount, place)
    }

    private func place(of path: EntryPath) throws(SystemError) -> (OpenFile, [UInt8])? {
        guard let relative = path.relative(to: prefix) else { return nil }
        return try chain.parent(of: relative)
    }

    private func add(_ listed: ArchiveEntry, _ linkCount: UInt64, _ place: (OpenFile, [UInt8])?) throws {
        if listed.kind == .directory { return try addFolder(listed, place) }
        guard listed.kind == .file, let (parent, name) = place else { return try writer.add(listed) }
        let identity = listed.origin.map { FileIdentity($0) }
        if linkCount > 1, let identity, let first = linked[identity] {
            var link = listed
            link.kind = .hardLink(target: first)
            link.size = 0
            return try writer.add(link)
        }
        switch try copier.copy(listed.path, name, in: parent, linked) {
        case .skipped(let reason): report.skipped.append((listed.path, reason))
        case .link(let entry): try writer.add(entry)
        case .file(let entry, let isSteady, let identity):
            if let identity { linked[identity] = entry.path }
            if !isSteady { report.changedWhileRead.append(entry.path) }
            count(entry)
        }
    }
}

extension TreePassage {
    /// A folder that is gone by now is added as it was listed: what was in it is told of.
    private func addFolder(_ listed: ArchiveEntry, _ place: (OpenFile, [UInt8])?) throws {
        guard trust == .stamps else { return try writer.add(listed) }
        var entry = listed
        do throws(SystemError) {
            if listed.path == prefix {
                entry.extras = try top.extras()
            } else if let (parent, name) = place {
                entry.extras = try parent.open(name, .directory).extras()
            }
        } catch {
            guard error.isNotFound || [ELOOP, ESTALE].contains(error.code) else {
                throw ArchiveError.unreadable(path: error.path, reason: error.reasonText)
            }
        }
        try writer.add(entry)
    }
}

/// What a file is on this machine, whatever its names.
struct FileIdentity: Hashable {
    let device: UInt64
    let inode: UInt64

    init(_ origin: ArchiveEntry.Origin) {
        device = origin.device
        inode = origin.inode
    }

    init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}
