// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The archive file as it grows: new members are written, members of the archive before are shared or copied.
final class MemberOutput {
    private let file: OpenFile
    private let previous: PreviousArchive?
    private let index: IndexOutput
    /// Members that were announced and have not come yet, by number.
    private var announced: [Int: ArchiveIndex.Member] = [:]
    private var announcements = 0
    private var arrivals = 0
    /// Lines of the index that wait for the digest of a large file, their own or one before them.
    private var lines: [(number: Int, member: ArchiveIndex.Member)] = []
    /// Bytes of the archive before that are to be taken over: neighbours become one range.
    private var range: (source: UInt64, length: UInt64)?
    private var flushed: UInt64 = 0
    private var writtenBack: UInt64 = 0
    private var canClone: Bool
    private(set) var offset: UInt64 = 0
    private(set) var places: [MemberPlace] = []
    private(set) var sharing = ArchiveSummary.Sharing()
    /// Whether everything so far is the beginning of the archive before, byte for byte.
    private(set) var isPrefix: Bool

    /// Where a member lies, and what its bytes must be.
    struct MemberPlace {
        let offset: UInt64
        let length: UInt64
        let digest: Digest
        /// Where it lies in the archive before, if it came from there.
        var source: UInt64?
    }

    init(_ file: OpenFile, preamble: ArchiveIndex.Preamble, previous: PreviousArchive?) {
        self.file = file
        self.previous = previous
        index = IndexOutput(preamble)
        canClone = preamble.alignment > 1
        isPrefix = previous != nil
    }

    // MARK: New members

    /// Announces the next member; its place in the file is known when it has been compressed.
    /// - Returns: a number for `setDigest`.
    @discardableResult
    func expect(_ kind: ArchiveIndex.Member.Kind, tarLength: Int, records: [ArchiveIndex.Record]) -> Int {
        defer { announcements += 1 }
        announced[announcements] = .init(
            kind: kind, offset: 0, length: 0, tarLength: UInt64(tarLength), entries: records)
        return announcements
    }

    func write(_ bytes: [UInt8], digest: Digest, content: Digest?) throws {
        guard var member = announced.removeValue(forKey: arrivals) else { return unannounced() }
        isPrefix = false
        try flush()
        member.offset = offset
        member.length = UInt64(bytes.count)
        member.digest = digest
        member.content = content
        try append(bytes)
        try arrived(member, from: nil)
    }

    /// Tells the digest of a large file once its last byte was read.
    func setDigest(_ digest: Digest, ofEntryIn number: Int) throws {
        announced[number]?.entries[0].digest = digest
        for (place, line) in lines.enumerated() where line.number == number {
            lines[place].member.entries[0].digest = digest
        }
        try releaseLines()
    }

    private func arrived(_ member: ArchiveIndex.Member, from source: UInt64?) throws {
        guard let digest = member.digest else {
            throw ArchiveError.damaged(
                archive: file.path.string, offset: member.offset, reason: "a member has no digest")
        }
        places.append(MemberPlace(offset: member.offset, length: member.length, digest: digest, source: source))
        lines.append((arrivals, member))
        arrivals += 1
        try releaseLines()
    }

    private func releaseLines() throws {
        var done = 0
        for line in lines {
            // The header of a large file comes long before its last byte was read.
            if line.member.kind == .header, line.member.entries.first?.digest == nil { break }
            try index.append(line.member)
            done += 1
        }
        lines.removeFirst(done)
    }

    private func unannounced() { preconditionFailure("members arrive in the order they were announced in") }

    // MARK: Members of the archive before

    /// Takes over a member: its place in `announced` is this one's.
    func take(_ stored: ArchiveIndex.Member) throws {
        announced[arrivals] = nil
        if stored.offset != offset { isPrefix = false }
        if let open = range, open.source + open.length == stored.offset {
            range = (open.source, open.length + stored.length)
        } else {
            try flush()
            range = (stored.offset, stored.length)
        }
        var member = stored
        member.offset = offset
        offset += stored.length
        try arrived(member, from: stored.offset)
    }

    /// Shares or copies the open range. The beginning of an archive waits here until something new comes, because an
    /// archive that equals the one before becomes another name of it.
    private func flush() throws {
        guard let (source, length) = range, let previous else { return }
        range = nil
        if canClone, try file.clone(from: previous.file, at: source, length: length, to: flushed) {
            sharing.cloned += length
        } else {
            canClone = false
            try file.copy(from: previous.file, at: source, length: length, to: flushed)
            sharing.copied += length
        }
        flushed += length
        startWriteback()
    }

    private func append(_ bytes: [UInt8]) throws {
        var failure: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try file.write(buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
        offset += UInt64(bytes.count)
        flushed = offset
        startWriteback()
    }

    private func startWriteback() {
        guard flushed - writtenBack >= 16 << 20 else { return }
        file.startWriteback(offset: writtenBack, length: flushed - writtenBack)
        writtenBack = flushed
    }

    // MARK: The end

    /// Writes index and footer.
    func finish() throws -> ArchiveFooter {
        isPrefix = false
        try flush()
        let start = offset
        var hash = SHA256()
        for member in try index.finish() {
            member.withUnsafeBytes { hash.update($0) }
            places.append(.init(offset: offset, length: UInt64(member.count), digest: SHA256.digest(of: member)))
            try append(member)
        }
        let footer = ArchiveFooter(indexOffset: start, indexLength: offset - start, indexDigest: hash.finish())
        let end = footer.encoded()
        places.append(.init(offset: offset, length: UInt64(end.count), digest: SHA256.digest(of: end)))
        try append(end)
        try file.sync()
        return footer
    }
}
