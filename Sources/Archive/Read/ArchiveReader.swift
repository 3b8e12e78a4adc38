// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The content of the entry at hand. What the visitor leaves unread is skipped.
package final class EntryContent {
    package private(set) var remaining: UInt64
    private let fill: (UnsafeMutableRawBufferPointer) throws -> Int

    init(size: UInt64, fill: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) {
        remaining = size
        self.fill = fill
    }

    /// Reads the next bytes, as many as the buffer takes, fewer at the end of the entry.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(UInt64(buffer.count), remaining))
        guard wanted > 0 else { return 0 }
        let got = try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        remaining -= UInt64(got)
        return got
    }

    /// The rest of the entry in memory.
    /// - Parameter limit: bytes; a longer entry is refused, because a manifest of gigabytes is not a manifest.
    package func readAll(limit: UInt64, archive: String, path: EntryPath) throws -> [UInt8] {
        guard remaining <= limit else {
            throw ArchiveError.notABackup(
                archive: archive, reason: .init(zh: "\(path) 有 \(remaining) 字节", en: "\(path) has \(remaining) bytes"))
        }
        // Grown as the bytes come: a size that an archive merely claims takes no memory.
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { piece.deallocate() }
        var bytes: [UInt8] = []
        while remaining > 0 {
            let got = try read(into: piece)
            guard got > 0 else {
                throw ArchiveError.truncated(archive: archive, expected: nil, found: UInt64(bytes.count))
            }
            bytes.append(contentsOf: piece[..<got])
        }
        return bytes
    }
}

/// Reads a backup from its first entry to its last. Every entry is checked before the visitor sees it.
package protocol ArchiveReader: AnyObject {
    /// The name of the archive in messages.
    var name: String { get }

    /// Visits each entry in stored order, with its path below the top folder.
    /// - Throws: `ArchiveError` for damage and unsafe entries, and whatever `visit` throws.
    func forEachEntry(_ visit: (ArchiveEntry, EntryContent) throws -> Void) throws

    /// After the last entry: compares the stored bytes with the index where they are the ones that were written.
    /// gzip keeps bytes that mean nothing (RFC 1952: MTIME, XFL, OS), and no decompression shows a change in them.
    /// - Throws: `ArchiveError.damaged`.
    func checkStoredBytes(against index: ArchiveIndex) throws
}

extension ArchiveReader {
    package func checkStoredBytes(against index: ArchiveIndex) throws {}
}

/// What watches a long read: cancellation, progress in bytes of the stored file, a rate, and a time to stop at.
package struct ReadObserver: Sendable {
    package let cancellation: Cancellation?
    package let onProgress: (@Sendable (UInt64) -> Void)?
    private let rate: ReadRate?
    private let deadline: UInt64?

    /// The time for a reading was up before its end. Nothing is wrong with what was read.
    package struct TimeIsUp: Error {}

    /// - Parameter deadline: when to stop at the latest, in nanoseconds of `MonotonicTime`.
    package init(
        cancellation: Cancellation? = nil, rate: ReadRate? = nil, deadline: UInt64? = nil,
        onProgress: (@Sendable (UInt64) -> Void)? = nil
    ) {
        self.deadline = deadline
        self.cancellation = cancellation
        self.rate = rate
        self.onProgress = onProgress
    }

    /// Call for each piece that was read.
    /// - Parameter position: bytes read so far.
    func didRead(_ count: UInt64, upTo position: UInt64) throws {
        if let deadline, MonotonicTime.nanoseconds() > deadline { throw TimeIsUp() }
        try rate?.spend(count, cancellation)
        onProgress?(position)
    }
}
