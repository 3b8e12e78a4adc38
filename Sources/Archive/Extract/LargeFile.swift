// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// A file of many chunks that several threads write at once.
struct LargeFile {
    /// Where one chunk goes. The file gets its final looks when the last range of it is let go of.
    struct Range: Sendable {
        fileprivate let file: Completion
        fileprivate let offset: UInt64
        fileprivate let count: Int

        /// - Parameter tar: the bytes of the chunk, with padding behind them in the last one.
        func write(_ tar: UnsafeRawBufferPointer) throws {
            try file.new.writeSparsely(UnsafeRawBufferPointer(rebasing: tar[..<count]), at: offset)
            try file.wrote(UInt64(count))
        }
    }

    private let file: Completion
    private let size: UInt64
    private let archive: String
    private var position: UInt64 = 0

    init(_ file: NewFile, _ entry: ArchiveEntry, _ looks: RestoredLooks, archive: String) throws {
        size = entry.size
        self.archive = archive
        self.file = Completion(file, entry, looks)
        // What no chunk writes to is a hole and reads as zeros.
        try file.file.truncate(to: size)
    }

    mutating func next(_ chunk: ArchiveIndex.Member) throws -> Range {
        let rest = size - position
        let padding = UInt64(ArchiveLayout.padding(after: size))
        let count = min(chunk.tarLength, rest)
        // Only the last chunk may hold more than content, and no more than the padding.
        guard count > 0, chunk.tarLength == count || (count == rest && chunk.tarLength - rest == padding) else {
            throw ArchiveError.damaged(
                archive: archive, offset: chunk.offset,
                reason: .init(zh: "数据块的长度与文件不符", en: "a chunk is not as long as its file says"))
        }
        defer { position += count }
        return Range(file: file, offset: position, count: Int(count))
    }

    func checkIsComplete() throws {
        guard position == size else {
            throw ArchiveError.damaged(
                archive: archive, offset: 0, reason: .init(zh: "大文件缺少数据块", en: "a large file lacks chunks"))
        }
    }

    fileprivate final class Completion: Sendable {
        let new: NewFile
        private let entry: ArchiveEntry
        private let looks: RestoredLooks
        private let left: Monitor<UInt64>

        init(_ new: NewFile, _ entry: ArchiveEntry, _ looks: RestoredLooks) {
            self.new = new
            self.entry = entry
            self.looks = looks
            left = Monitor(entry.size)
        }

        func wrote(_ count: UInt64) throws {
            let isLast = left.withLock { left in
                left -= count
                return left == 0
            }
            if isLast { try looks.give(entry, to: new.file) }
        }
    }
}
