// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A file of many chunks that several threads write at once.
struct LargeFile {
    /// Where one chunk goes. The file gets its final looks when the last range of it is let go of.
    struct Range: Sendable {
        fileprivate let file: Completion
        fileprivate let offset: UInt64
        fileprivate let count: Int

        /// - Parameter tar: the bytes of the chunk, with padding behind them in the last one.
        func write(_ tar: [UInt8]) throws {
            try tar.withUnsafeBytes { bytes in
                try SparseWriting.write(
                    UnsafeRawBufferPointer(rebasing: bytes[..<count]), to: file.file, at: offset)
            }
            try file.wrote(UInt64(count))
        }
    }

    private let file: Completion
    private let size: UInt64
    private let archive: String
    private var position: UInt64 = 0

    init(_ file: OpenFile, _ entry: ArchiveEntry, _ owner: EntryPlacer.Owner?, archive: String) throws {
        size = entry.size
        self.archive = archive
        self.file = Completion(file, entry, owner)
        // What no chunk writes to is a hole and reads as zeros.
        try file.truncate(to: size)
    }

    mutating func next(_ chunk: ArchiveIndex.Member) throws -> Range {
        let rest = size - position
        let padding = UInt64(ArchiveLayout.padding(after: size))
        let count = min(chunk.tarLength, rest)
        // Only the last chunk may hold more than content, and no more than the padding.
        guard count > 0, chunk.tarLength == count || (count == rest && chunk.tarLength == rest + padding) else {
            throw ArchiveError.damaged(
                archive: archive, offset: chunk.offset, reason: "a chunk is not as long as its file says")
        }
        defer { position += count }
        return Range(file: file, offset: position, count: Int(count))
    }

    func checkIsComplete() throws {
        guard position == size else {
            throw ArchiveError.damaged(archive: archive, offset: 0, reason: "a large file lacks chunks")
        }
    }

    fileprivate final class Completion: Sendable {
        let file: OpenFile
        private let entry: ArchiveEntry
        private let owner: EntryPlacer.Owner?
        private let left: Monitor<UInt64>

        init(_ file: OpenFile, _ entry: ArchiveEntry, _ owner: EntryPlacer.Owner?) {
            self.file = file
            self.entry = entry
            self.owner = owner
            left = Monitor(entry.size)
        }

        func wrote(_ count: UInt64) throws {
            let isLast = left.withLock { left in
                left -= count
                return left == 0
            }
            if isLast { try file.setLooks(entry, owner) }
        }
    }
}

/// Leaves holes where there are only zeros, so that sparse files stay sparse.
enum SparseWriting {
    private static let block = 4096

    /// - Parameter file: new and long enough: what is not written is a hole.
    static func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: UInt64) throws(SystemError) {
        var start = 0
        var position = 0
        while position < bytes.count {
            let end = min(position + block, bytes.count)
            if isZero(UnsafeRawBufferPointer(rebasing: bytes[position..<end])) {
                if start < position {
                    try file.write(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<position]), at: offset + UInt64(start))
                }
                start = end
            }
            position = end
        }
        if start < bytes.count {
            try file.write(UnsafeRawBufferPointer(rebasing: bytes[start...]), at: offset + UInt64(start))
        }
    }

    /// A block equals itself moved by one byte only if all its bytes are the first one.
    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes[0] == 0 else { return false }
        return memcmp(start, start.advanced(by: 1), bytes.count - 1) == 0
    }
}
