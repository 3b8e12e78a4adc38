// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// The table of contents of a backup: which bytes of the file hold which entries.
///
/// It is the last entry of the archive, so it can name everything before it. It does not name itself. A large one is
/// read a member at a time (`IndexedArchive.forEachMember`); the whole of it in memory is for small ones.
package struct ArchiveIndex: Sendable {
    /// What stands before the first member.
    package struct Preamble: Sendable, Equatable {
        /// When the writer began to look at the live files. Stamps near or after it prove nothing (racy timestamps).
        package var started: FileTime
        /// How many archives in a row shared bytes with the one before; zero for one written wholly from its source.
        package var generation: Int
        /// Members start at multiples of this many bytes, so that file systems can share them; 1 where they do not.
        package var alignment: Int
        /// Whether access lists, and attributes of folders, are in it; archives of 0.1.0 have none.
        package var hasLists: Bool
        /// Whether objects of stores are in it, which programs of before do not read.
        package var hasObjects: Bool

        package init(
            started: FileTime, generation: Int = 0, alignment: Int = 1, hasLists: Bool = true, hasObjects: Bool = false
        ) {
            self.hasObjects = hasObjects
            self.hasLists = hasLists
            self.started = started
            self.generation = generation
            self.alignment = alignment
        }
    }

    /// One gzip member, or some of the loose files of an uncompressed backup.
    package struct Member: Sendable, Equatable {
        package enum Kind: String, Sendable, Codable {
            /// Many small entries, whole.
            case pack
            /// The tar header of one large file; its chunks follow.
            case header
            /// Up to 4 MiB of a large file.
            case chunk
            /// Files in a folder, not in a tar.
            case loose
        }

        package var kind: Kind
        /// Position and length in the archive file, in bytes.
        package var offset: UInt64
        package var length: UInt64
        /// Bytes of tar that come out of it.
        package var tarLength: UInt64
        /// SHA-256 of the compressed bytes.
        package var digest: Digest?
        /// CRC-64 of the compressed bytes, for the look at a copy that was just made.
        package var checksum: UInt64?
        /// SHA-256 of the tar bytes, of chunks only: it tells that a file which changed did not change here.
        package var content: Digest?
        package var entries: [Record]
    }

    /// An entry, with the digest of its content where it is a file.
    package struct Record: Sendable, Equatable {
        package var entry: ArchiveEntry
        package var digest: Digest?
    }

    package var preamble: Preamble
    package var members: [Member]

    package init(preamble: Preamble = .init(started: FileTime(seconds: 0)), members: [Member] = []) {
        self.preamble = preamble
        self.members = members
    }

    /// - Throws: `ArchiveError.damaged` where the text is not an index we know.
    init(decoding bytes: [UInt8], archive: String) throws(ArchiveError) {
        var decoder = IndexDecoder(archive: archive)
        var members: [Member] = []
        try decoder.feed(bytes[...]) { members.append($0) }
        preamble = try decoder.finish()
        self.members = members
    }

    /// Whoever reads a member by its place may trust the place after this.
    /// - Parameter end: where the last member ends and the index begins, in bytes of the file.
    /// - Throws: `ArchiveError.damaged` where members overlap, leave gaps or reach beyond `end`.
    func checkPlaces(upTo end: UInt64, archive: String) throws(ArchiveError) {
        var places = MemberPlaces(end: end, archive: archive)
        for member in members { try places.check(member) }
        try places.finish()
    }

    package var records: some Sequence<Record> { members.lazy.flatMap(\.entries) }
}

/// Checks that members follow each other without a gap, from the first byte of a file to its index.
struct MemberPlaces {
    let end: UInt64
    let archive: String
    private var reached: UInt64 = 0

    init(end: UInt64, archive: String) {
        self.end = end
        self.archive = archive
    }

    /// Bytes of tar in one member: a pack's size, one more file of at most a chunk, and headers leave much room.
    static let longestTar: UInt64 = 64 << 20
    /// What cannot be compressed is stored, with a little around it.
    static let longestMember = longestTar + (1 << 20)

    mutating func check(_ member: ArchiveIndex.Member) throws(ArchiveError) {
        guard member.offset == reached, member.length > 0, member.length <= end - reached,
            member.length <= Self.longestMember, member.tarLength <= Self.longestTar
        else {
            throw .damaged(
                archive: archive, offset: end,
                reason: .init(zh: "索引中的成员不可能存在", en: "the index names members that cannot be there"))
        }
        reached += member.length
    }

    func finish() throws(ArchiveError) {
        guard reached == end else {
            throw .damaged(
                archive: archive, offset: reached, reason: .init(zh: "有成员不在索引中", en: "a member is not in the index"))
        }
    }
}

/// What a finished writer knows of what it wrote.
package struct ArchiveSummary: Sendable, Equatable {
    /// Bytes on disk.
    package let size: UInt64
    /// SHA-256 of the whole file; of `index.json` for an uncompressed backup, which names every other digest.
    package let digest: Digest
    /// Where the index member starts; zero for an uncompressed backup.
    package let indexOffset: UInt64
    /// SHA-256 of the stored index, which names every other digest; `nil` for an uncompressed backup.
    package let indexDigest: Digest?
    package let files: Int
    /// Bytes of content before compression.
    package let contentSize: UInt64
    package var sharing: Sharing
    /// What the file system of an uncompressed backup could not hold of the files.
    package let denied: DeniedLooks

    /// What came from the backup before. For an uncompressed backup these are bytes of content.
    package struct Sharing: Sendable, Equatable {
        /// Bytes whose blocks are shared with the backup before.
        package var cloned: UInt64 = 0
        /// Bytes copied from it, where the file system cannot share.
        package var copied: UInt64 = 0
        /// See `ArchiveIndex.Preamble.generation`.
        package var generation = 0

        package init(cloned: UInt64 = 0, copied: UInt64 = 0, generation: Int = 0) {
            self.cloned = cloned
            self.copied = copied
            self.generation = generation
        }
    }

    package init(
        size: UInt64, digest: Digest, indexOffset: UInt64, indexDigest: Digest? = nil, files: Int,
        contentSize: UInt64, sharing: Sharing, denied: DeniedLooks = DeniedLooks()
    ) {
        self.denied = denied
        self.indexDigest = indexDigest
        self.size = size
        self.digest = digest
        self.indexOffset = indexOffset
        self.files = files
        self.contentSize = contentSize
        self.sharing = sharing
    }
}
