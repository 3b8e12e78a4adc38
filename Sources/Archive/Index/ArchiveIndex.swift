// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The table of contents of a backup: which bytes of the file hold which entries.
///
/// It is the last entry of the archive, so it can name everything before it. It does not name itself.
public struct ArchiveIndex: Sendable {
    /// One gzip member, or all loose files of an uncompressed backup.
    public struct Member: Sendable {
        public enum Kind: String, Sendable, Codable {
            /// Many small entries, whole.
            case pack
            /// The tar header of one large file; its chunks follow.
            case header
            /// Up to 4 MiB of a large file.
            case chunk
            /// Files in a folder, not in a tar.
            case loose
        }

        public var kind: Kind
        /// Position and length in the archive file, in bytes.
        public var offset: UInt64
        public var length: UInt64
        /// Bytes of tar that come out of it.
        public var tarLength: UInt64
        /// SHA-256 of the compressed bytes.
        public var digest: Digest?
        public var entries: [Record]
    }

    /// An entry, with the digest of its content where it is a file.
    public struct Record: Sendable, Equatable {
        public var entry: ArchiveEntry
        public var digest: Digest?
    }

    public var members: [Member]

    public init(members: [Member] = []) { self.members = members }

    /// Whoever reads a member by its place may trust the place after this.
    /// - Parameter end: where the last member ends and the index begins, in bytes of the file.
    /// - Throws: `ArchiveError.damaged` where members overlap, leave gaps or reach beyond `end`.
    func checkPlaces(upTo end: UInt64, archive: String) throws(ArchiveError) {
        var reached: UInt64 = 0
        for member in members {
            guard member.offset == reached, member.length <= end - reached, member.tarLength <= Self.longestTar else {
                throw .damaged(archive: archive, offset: end, reason: "the index names members that cannot be there")
            }
            reached += member.length
        }
        guard reached == end else {
            throw .damaged(archive: archive, offset: reached, reason: "a member is not in the index")
        }
    }

    /// Bytes of tar in one member: a pack's size, one more file of at most a chunk, and headers leave much room.
    private static let longestTar: UInt64 = 1 << 30

    public var records: some Sequence<Record> { members.lazy.flatMap(\.entries) }
}

/// What a finished writer knows of what it wrote.
public struct ArchiveSummary: Sendable, Equatable {
    /// Bytes on disk.
    public let size: UInt64
    /// SHA-256 of the whole file; of `index.json` for an uncompressed backup, which names every other digest.
    public let digest: Digest
    /// Where the index member starts; zero for an uncompressed backup.
    public let indexOffset: UInt64
    public let files: Int
    /// Bytes of content before compression.
    public let contentSize: UInt64
}
