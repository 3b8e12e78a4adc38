// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Fills a buffer with the next bytes of a file. Fewer bytes than asked for means that the file ended.
package typealias ContentSource = (UnsafeMutableRawBufferPointer) throws -> Int

/// Where a backup is written: a spliced tar.gz or a folder. Both keep the same names inside.
///
/// Nothing is visible under its final name until the caller publishes it.
package protocol ArchiveWriter: AnyObject {
    /// Adds a folder or a link.
    func add(_ entry: ArchiveEntry) throws

    /// Adds a file of `entry.size` bytes.
    /// - Returns: bytes that the source did not have. Zeros stand in their place, because the size was written first.
    @discardableResult
    func add(_ entry: ArchiveEntry, content: ContentSource) throws -> UInt64

    /// Begins a tree: what of it the backup before holds, the writer takes over itself, without reading it.
    func treeReuse() -> any TreeReuse

    /// Tells ahead what the backup before has; `nil` where there is none.
    func foresight() throws -> RecordForesight?

    /// What comes next belongs to another part of the backup and shall not share a member with what came before.
    func endSection() throws

    /// Whether the backup before holds exactly what was added, up to the manifest: then it need not be written again.
    func equalsPrevious() throws -> Bool

    /// What `finish` would say of a backup that became another name of the one before; `nil` where none can.
    /// - Parameters: what is known of the one before.
    func summaryOfPrevious(
        size: UInt64, digest: Digest, indexOffset: UInt64, indexDigest: Digest?
    ) -> ArchiveSummary?

    /// Writes the index, syncs everything to disk, and says what was written.
    func finish() throws -> ArchiveSummary
}

extension ArchiveWriter {
    package func treeReuse() -> any TreeReuse { NothingReusable() }

    package func foresight() throws -> RecordForesight? { nil }

    package func endSection() throws {}

    package func equalsPrevious() throws -> Bool { false }

    package func summaryOfPrevious(
        size: UInt64, digest: Digest, indexOffset: UInt64, indexDigest: Digest?
    ) -> ArchiveSummary? { nil }

    package func add(_ entry: ArchiveEntry, bytes: [UInt8]) throws {
        var rest = bytes[...]
        var sized = entry
        sized.size = UInt64(bytes.count)
        try add(sized) { buffer in
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }
}
