// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The newest verified archive, read a member at a time beside the walk that makes the next one.
final class PreviousArchive {
    let file: OpenFile
    let archive: IndexedArchive
    let preamble: ArchiveIndex.Preamble
    private let reader: IndexStream
    private var waiting: ArchiveIndex.Member?
    private var places: MemberPlaces

    /// - Parameter alignment: what the next archive's members need; one that is less aligned cannot be spliced into it.
    /// - Returns: `nil` where its members cannot be used, for a reason that is nobody's fault.
    init?(_ path: FilePath, alignment: Int) throws {
        archive = try IndexedArchive(path)
        file = archive.file
        let footer = archive.footer
        reader = try IndexStream(file, footer)
        places = MemberPlaces(end: footer.indexOffset, archive: path.string)
        // The preamble is the first line, so it is known once there is a member.
        waiting = try reader.next()
        guard let preamble = reader.preamble else { return nil }
        self.preamble = preamble
        guard preamble.alignment % alignment == 0 else { return nil }
        if let waiting { try places.check(waiting) }
    }

    /// The member at hand; `nil` after the last.
    var current: ArchiveIndex.Member? { waiting }

    func advance() throws {
        waiting = try reader.next()
        if let waiting { try places.check(waiting) }
    }

    /// Takes the chunks of the file whose header is at hand, and goes on to what follows them.
    func takeChunks() throws -> [ArchiveIndex.Member] {
        var chunks: [ArchiveIndex.Member] = []
        try advance()
        while let member = waiting, member.kind == .chunk {
            chunks.append(member)
            try advance()
        }
        return chunks
    }
}

extension ArchiveIndex.Preamble {
    /// As below, where the archive says all of it; where it does not, the live thing is asked for the rest.
    func proves(_ live: ReuseCandidate, isUnchangedSince stored: ArchiveEntry) throws -> Bool {
        if let agrees = live.agrees { return agrees(stored, started) }
        guard proves(live.entry, isUnchangedSince: stored) else { return false }
        return hasLists ? true : try live.isPlain?() ?? true
    }

    /// Whether a live entry is the one that was stored, as far as its stamps can tell.
    ///
    /// Stamps near or after the beginning of the walk that stored it prove nothing: a write in the same tick of the
    /// clock leaves them as they are (git calls such files "racily clean").
    func proves(_ live: ArchiveEntry, isUnchangedSince stored: ArchiveEntry) -> Bool {
        guard let origin = live.origin, origin == stored.origin, live.kind == stored.kind, live.size == stored.size,
            live.modified == stored.modified, live.mode == stored.mode, live.owner == stored.owner,
            live.group == stored.group
        else { return false }
        let limit = FileTime(
            seconds: started.seconds.subtracting(clamped: Self.raceMargin), nanoseconds: started.nanoseconds)
        return live.modified < limit && origin.changed < limit
    }

    /// Seconds: the coarsest stamps in use (FAT's mtime), and far more than any tick of the kernel's clock.
    private static let raceMargin: Int64 = 2
}
