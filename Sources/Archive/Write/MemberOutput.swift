// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// The archive file as it grows: new members are written, members of the archive before are shared or copied.
final class MemberOutput {
    private let output: OutputFile
    private let previous: PreviousArchive?
    private let index: IndexOutput
    private let check: WrittenBytesCheck
    /// Members that were announced and have not come yet, by number.
    private var announced: [Int: ArchiveIndex.Member] = [:]
    private var announcements = 0
    private var arrivals = 0
    /// Lines of the index that wait for the digest of a large file, their own or one before them.
    private var lines: [(number: Int, member: ArchiveIndex.Member)] = []
    /// Bytes of the archive before that are to be taken over: neighbours become one range.
    private var range: (source: UInt64, length: UInt64)?
    private var canClone: Bool
    /// Bytes of an open range that are not waited for any longer.
    private static let longestWait: UInt64 = 16 << 20
    private(set) var offset: UInt64 = 0
    private(set) var sharing = ArchiveSummary.Sharing()
    /// Whether everything so far is the beginning of the archive before, byte for byte.
    private(set) var isPrefix: Bool

    init(_ file: OpenFile, preamble: ArchiveIndex.Preamble, previous: PreviousArchive?) throws {
        output = try OutputFile(file)
        self.previous = previous
        index = IndexOutput(preamble)
        check = try WrittenBytesCheck(file.path)
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

    func write(_ new: CompressionPipeline.NewMember) throws {
        guard var member = announced.removeValue(forKey: arrivals) else { return unannounced() }
        isPrefix = false
        try flush()
        member.offset = offset
        member.length = UInt64(new.member.count)
        member.digest = new.digest
        member.checksum = new.checksum.value
        member.content = new.content
        // Announced to the check before it is written, so that the check never meets bytes it knows nothing of.
        try arrived(member, from: nil)
        try append(new.member)
    }

    /// Tells the digest of a large file once its last byte was read.
    func setDigest(_ digest: Digest, ofEntryIn number: Int, isFilledUp: Bool) throws {
        func set(_ record: inout ArchiveIndex.Record) {
            record.digest = digest
            if isFilledUp { record.entry = record.entry.unproven }
        }
        if var member = announced[number] {
            set(&member.entries[0])
            announced[number] = member
        }
        for (place, line) in lines.enumerated() where line.number == number { set(&lines[place].member.entries[0]) }
        try releaseLines()
    }

    private func arrived(_ member: ArchiveIndex.Member, from source: UInt64?) throws {
        guard let checksum = member.checksum, member.digest != nil else {
            throw ArchiveError.damaged(
                archive: output.file.path.string, offset: member.offset,
                reason: .init(zh: "有成员没有摘要", en: "a member has no digest"))
        }
        check.add(
            .init(
                offset: member.offset, length: member.length, checksum: CRC64(value: checksum), source: source))
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
        // Not too long, so that the check of what was written has work while the walk goes on.
        if !isPrefix, let range, range.length >= Self.longestWait { try flush() }
    }

    /// Shares or copies the open range. The beginning of an archive waits here until something new comes, because an
    /// archive that equals the one before becomes another name of it.
    private func flush() throws {
        guard let (source, length) = range, let previous else { return }
        range = nil
        switch try output.append(from: previous.file, at: source, length: length, sharing: canClone) {
        case .cloned: sharing.cloned += length
        case .copied:
            canClone = false
            sharing.copied += length
        }
        check.wrote(upTo: output.written)
    }

    private func append(_ member: GzipMember) throws(SystemError) {
        try member.forEachPiece { piece throws(SystemError) in try output.append(piece) }
        offset += UInt64(member.count)
        check.wrote(upTo: output.written)
    }

    // MARK: The end

    /// Writes index and footer, syncs, and waits for the check of everything.
    /// - Returns: the footer, and the SHA-256 of the whole file.
    func finish() throws -> (ArchiveFooter, Digest) {
        isPrefix = false
        try flush()
        let start = offset
        var hash = SHA256()
        for member in try index.finish() {
            member.forEachPiece { hash.update($0) }
            try appendChecked(member)
        }
        let footer = ArchiveFooter(indexOffset: start, indexLength: offset - start, indexDigest: hash.finish())
        try appendChecked(footer.member)
        try output.flush()
        check.wrote(upTo: output.written)
        try output.file.sync()
        return (footer, try check.finish())
    }

    private func appendChecked(_ member: GzipMember) throws {
        var checksum = CRC64()
        member.forEachPiece { checksum.update($0) }
        check.add(.init(offset: offset, length: UInt64(member.count), checksum: checksum))
        try append(member)
    }
}
