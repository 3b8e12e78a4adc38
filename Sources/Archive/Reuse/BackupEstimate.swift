// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What a backup of a tree would have to write, found by a walk that reads no file: the same comparison with the backup
/// before as the one that makes the backup.
package struct BackupEstimate: Sendable {
    /// What is in the tree.
    package internal(set) var files = 0
    package internal(set) var folders = 0
    /// Bytes of content.
    package internal(set) var bytes: UInt64 = 0
    /// Of these, what has to be read and written. A file that grew counts with what it grew by: its other chunks may be the
    /// same.
    package internal(set) var freshFiles = 0
    package internal(set) var freshBytes: UInt64 = 0
    /// The same with files that changed as a whole.
    package internal(set) var freshBytesAtMost: UInt64 = 0
    /// Bytes that unchanged members take in the archive before; of a folder, of files that get a further name.
    package internal(set) var keptLength: UInt64 = 0
    /// Whether nothing at all is new, changed or gone.
    package internal(set) var isUnchanged = false
    /// Of the backup before: the members that hold the dump in it, and the dump itself.
    package internal(set) var dumpLength: UInt64 = 0
    package internal(set) var dumpBytes: UInt64 = 0
    package internal(set) var dumpFiles = 0
    var samples = SamplePlaces()

    fileprivate init() {}

    package enum Previous: Sendable {
        case archive(FilePath)
        case folder(FilePath)
    }

    /// The walk took longer than it may: nothing is known.
    package struct Unfinished: Error {}

    /// - Parameters:
    ///   - trees: live folders, each with where it goes in the backup, in the order of a walk.
    ///   - previous: what unchanged content may be taken over from; one that cannot be read counts as none.
    ///   - sharesBlocks: whether files can share blocks where the backup is written: then an archive of members that are not
    ///     laid out for it is no use.
    ///   - seconds: how long the walk may take at most.
    /// - Throws: `Unfinished`, `ArchiveError.unreadable`, `SystemError`, `CancelledError`.
    package init(
        of trees: [(folder: FilePath, prefix: EntryPath)], ignoring: Set<[UInt8]>, beside previous: Previous?,
        sharesBlocks: Bool, atMost seconds: Double, cancellation: Cancellation? = nil
    ) throws {
        let count = EstimatePassage(seconds: seconds, cancellation: cancellation)
        defer { count.close() }
        try count.open(previous, alignment: sharesBlocks ? ArchiveLayout.sharedBlockSize : 1)
        for (tree, prefix) in trees {
            let top = try OpenFile(tree, .directoryThroughLink)
            var folder = ArchiveEntry(path: prefix, status: try top.status())
            folder.kind = .directory
            try count.take(folder, linkCount: 1)
            var walk = try TreeWalk(root: top, prefix: prefix, ignoring: ignoring)
            while let step = try walk.next() {
                try count.checkTime()
                guard case .entry(let entry, _, _) = step else { continue }
                if entry.kind == .directory { count.estimate.folders += 1 }
                try count.take(entry, linkCount: walk.linkCount)
            }
        }
        self = try count.finish()
    }

    /// How small the fresh content becomes, between 0 and 1, by compressing a few megabytes of it. What cannot be read now
    /// counts as what does not become smaller.
    package func compressedFraction(in tree: FilePath, as prefix: EntryPath = .artifacts) -> Double {
        samples.compressedFraction(in: tree, prefix)
    }
}

/// One tree on its way past the backup before.
private final class EstimatePassage: MemberTaker {
    var estimate = BackupEstimate()
    private var reuse: any TreeReuse = NothingReusable()
    private var archive: PreviousArchive?
    private var linked: [FileIdentity: EntryPath] = [:]
    private var remembered: (path: EntryPath, size: UInt64)?
    private var isPackOpen = false
    private var isDifferent = false
    private let end: UInt64
    private let cancellation: Cancellation?
    private var steps = 0

    init(seconds: Double, cancellation: Cancellation?) {
        end = MonotonicTime.nanoseconds().adding(clamped: UInt64(nearest: seconds * 1e9))
        self.cancellation = cancellation
    }

    func open(_ previous: BackupEstimate.Previous?, alignment: Int) throws {
        switch previous {
        case nil: break
        case .archive(let path):
            guard let found = try? PreviousArchive(path, alignment: alignment) else { return }
            try passDump(of: found)
            (archive, reuse) = (found, MemberMatcher(self, found))
        case .folder(let path):
            guard let found = try? PreviousFolder(path) else { return }
            let records = try RecordStream(folder: path)
            while let record = try records.next(), EntryPath.database.isOrHolds(record.entry.path) { count(record) }
            reuse = UnchangedCounter(found) { [unowned self] in kept($0) }
        }
    }

    private func passDump(of archive: PreviousArchive) throws {
        while let member = archive.current {
            guard
                member.kind == .chunk
                    || member.entries.first.map({ EntryPath.database.isOrHolds($0.entry.path) }) == true
            else { return }
            estimate.dumpLength = estimate.dumpLength.adding(clamped: member.length)
            member.entries.forEach(count)
            try archive.advance()
        }
    }

    private func count(_ record: ArchiveIndex.Record) {
        guard record.entry.kind == .file else { return }
        estimate.dumpFiles += 1
        estimate.dumpBytes = estimate.dumpBytes.adding(clamped: record.entry.size)
    }

    func checkTime() throws {
        steps += 1
        guard steps & 63 == 0 else { return }
        try cancellation?.check()
        if MonotonicTime.nanoseconds() > end { throw BackupEstimate.Unfinished() }
    }

    func take(_ listed: ArchiveEntry, linkCount: UInt64) throws {
        let entry = asLink(listed, linkCount)
        if entry.kind == .file {
            estimate.files += 1
            estimate.bytes = estimate.bytes.adding(clamped: entry.size)
        }
        while true {
            switch try reuse.offer(ReuseCandidate(entry: entry, linkCount: linkCount)) {
            case .undecided: return
            case .reused(let candidates): return candidates.forEach(note)
            case .readAll(let candidates): return candidates.forEach(fresh)
            case .readThenRetry(let candidates): candidates.forEach(fresh)
            case .read: return fresh(ReuseCandidate(entry: entry, linkCount: linkCount))
            }
        }
    }

    private func asLink(_ listed: ArchiveEntry, _ linkCount: UInt64) -> ArchiveEntry {
        guard linkCount > 1, listed.kind == .file, let origin = listed.origin,
            let first = linked[FileIdentity(origin)] ?? reuse.waitingPath(of: origin)
        else { return listed }
        var entry = listed
        (entry.kind, entry.size) = (.hardLink(target: first), 0)
        return entry
    }

    private func note(_ candidate: ReuseCandidate) {
        guard candidate.linkCount > 1, candidate.entry.kind == .file, let origin = candidate.entry.origin else {
            return
        }
        linked[FileIdentity(origin)] = candidate.entry.path
    }

    private func fresh(_ candidate: ReuseCandidate) {
        let entry = candidate.entry
        isPackOpen = true
        isDifferent = true
        guard entry.kind == .file else { return }
        note(candidate)
        let known = remembered?.path == entry.path ? remembered?.size ?? 0 : 0
        remembered = nil
        let grown = entry.size.subtracting(clamped: known)
        estimate.freshFiles += 1
        estimate.freshBytes = estimate.freshBytes.adding(clamped: grown)
        estimate.freshBytesAtMost = estimate.freshBytesAtMost.adding(clamped: entry.size)
        estimate.samples.add(entry.path, from: entry.size - grown, count: grown)
    }

    private func kept(_ size: UInt64) { estimate.keptLength = estimate.keptLength.adding(clamped: size) }

    func finish() throws -> BackupEstimate {
        try reuse.finish().forEach(fresh)
        let isAtManifest = archive?.current?.entries.first?.entry.path == .manifest
        estimate.isUnchanged = !isDifferent && isAtManifest
        return estimate
    }

    /// The comparison and this refer to each other.
    func close() { reuse = NothingReusable() }

    // MARK: MemberTaker

    /// About what a writer's pack would be: it is open after something new, and a member that is taken over closes it.
    func wantsToMerge(_ member: ArchiveIndex.Member) -> Bool {
        isPackOpen && member.tarLength < UInt64(ArchiveLayout.packSize / 4)
    }

    func splice(_ member: ArchiveIndex.Member) {
        isPackOpen = false
        kept(member.length)
    }

    func remember(_ chunks: [ArchiveIndex.Member], of path: EntryPath) {
        remembered = (path, chunks.reduce(0) { $0.adding(clamped: $1.tarLength) })
        // They are shared or copied where they turn out to be the same.
        kept(chunks.reduce(0) { $0.adding(clamped: $1.length) })
    }
}

/// For a folder of files: an unchanged one gets a further name.
private final class UnchangedCounter: TreeReuse {
    private let previous: PreviousFolder
    private let found: (UInt64) -> Void

    init(_ previous: PreviousFolder, found: @escaping (UInt64) -> Void) {
        self.previous = previous
        self.found = found
    }

    func offer(_ candidate: ReuseCandidate) throws -> ReuseVerdict {
        guard candidate.entry.kind == .file, try previous.unchanged(candidate) != nil else { return .read }
        found(candidate.entry.size)
        return .reused([candidate])
    }

    func finish() -> [ReuseCandidate] { [] }

    func waitingPath(of origin: ArchiveEntry.Origin) -> EntryPath? { nil }
}

extension EntryPath {
    fileprivate func isOrHolds(_ path: EntryPath) -> Bool { path == self || path.relative(to: self) != nil }
}
