// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Compares the live tree with the archive before, entry by entry in the order both have, and says which members can
/// be taken over whole.
///
/// A pack can be when its entries are exactly the next entries of the walk, each unchanged. Until that is certain its
/// entries wait; if it turns out not to be, they are read after all.
final class MemberMatcher: TreeReuse {
    private let previous: PreviousArchive
    private let writer: any MemberTaker
    private var waiting: [ReuseCandidate] = []
    /// The last one that was left behind: of objects it may have the next ones.
    private var opened: OpenedPack?

    init(_ writer: any MemberTaker, _ previous: PreviousArchive) {
        self.previous = previous
        self.writer = writer
    }

    func offer(_ candidate: ReuseCandidate) throws -> ReuseVerdict {
        if !waiting.isEmpty, let pack = previous.current {
            if try isSame(candidate, pack.entries[waiting.count]) { return try wait(candidate, in: pack) }
            return .readThenRetry(try giveUp())
        }
        try passBy(candidate.entry)
        guard let member = previous.current, let first = member.entries.first, first.entry.path == candidate.entry.path
        else { return try takeOut(candidate) }
        if member.kind == .pack {
            return try isSame(candidate, first) ? try wait(candidate, in: member) : .read
        }
        // A large file without stamps to trust is read in any case: its chunks are compared on the way.
        guard candidate.matches == nil, try isSame(candidate, first) else {
            writer.remember(try previous.takeChunks(), of: candidate.entry.path)
            return .read
        }
        try writer.splice(member)
        for chunk in try previous.takeChunks() { try writer.splice(chunk) }
        return .reused([candidate])
    }

    func finish() throws -> [ReuseCandidate] { waiting.isEmpty ? [] : try giveUp() }

    func waitingPath(of origin: ArchiveEntry.Origin) -> EntryPath? {
        waiting.first {
            $0.entry.kind == .file && $0.entry.origin?.inode == origin.inode && $0.entry.origin?.device == origin.device
        }?.entry.path
    }

    private func wait(_ candidate: ReuseCandidate, in pack: ArchiveIndex.Member) throws -> ReuseVerdict {
        waiting.append(candidate)
        guard waiting.count == pack.entries.count else { return .undecided }
        if writer.wantsToMerge(pack) { return .readAll(try giveUp()) }
        let reused = waiting
        waiting = []
        try writer.splice(pack)
        try previous.advance()
        return .reused(reused)
    }

    private func giveUp() throws -> [ReuseCandidate] {
        var entries = waiting
        waiting = []
        try leave()
        for place in entries.indices where entries[place].agrees != nil && entries[place].entry.kind == .file {
            entries[place].stored = try opened?.content(at: place)
        }
        return entries
    }

    private func takeOut(_ candidate: ReuseCandidate) throws -> ReuseVerdict {
        guard candidate.agrees != nil, candidate.entry.kind == .file, let opened,
            let (record, place) = opened.record(of: candidate.entry.path), try isSame(candidate, record)
        else { return .read }
        var found = candidate
        found.stored = try opened.content(at: place)
        return .readAll([found])
    }

    private func leave() throws {
        opened = previous.current.flatMap { $0.kind == .pack ? OpenedPack(previous.archive, $0) : nil }
        try previous.advance()
    }

    /// Leaves behind the members that begin before a path: what they held is gone, or was changed.
    private func passBy(_ entry: ArchiveEntry) throws {
        while let first = previous.current?.entries.first {
            guard first.entry.precedes(entry) else { return }
            if previous.current?.kind == .header { _ = try previous.takeChunks() } else { try leave() }
        }
    }

    private func isSame(_ live: ReuseCandidate, _ stored: ArchiveIndex.Record) throws -> Bool {
        guard live.entry.path == stored.entry.path else { return false }
        guard let matches = live.matches else {
            return try previous.preamble.proves(live, isUnchangedSince: stored.entry)
        }
        guard live.entry.kind == stored.entry.kind, live.entry.size == stored.entry.size,
            live.entry.mode == stored.entry.mode, live.entry.owner == stored.entry.owner,
            live.entry.group == stored.entry.group
        else { return false }
        guard live.entry.kind == .file else { return true }
        return try stored.digest.map(matches) ?? false
    }
}
