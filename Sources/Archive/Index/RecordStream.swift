// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The entries of a backup in stored order, one at a time: memory does not grow with their number.
package final class RecordStream {
    private let nextMember: () throws -> ArchiveIndex.Member?
    private let readPreamble: () -> ArchiveIndex.Preamble?
    private var records: [ArchiveIndex.Record] = []
    private var position = 0

    /// - Throws: `ArchiveError.truncated` where the archive has no footer of ours.
    package init(archive path: FilePath) throws {
        let archive = try IndexedArchive(path)
        let stream = try IndexStream(archive.file, archive.footer)
        nextMember = { try stream.next() }
        readPreamble = { stream.preamble }
    }

    /// The entries of an uncompressed backup.
    package init(folder path: FilePath) throws {
        let file = try StoredPart.file(path.appending(ArchiveLayout.indexName), of: path.string)
        let reader = LineReader(file, archive: path.string)
        nextMember = { try reader.next() }
        readPreamble = { reader.preamble }
    }

    /// What the index says of the whole; `nil` before the first record was read.
    package var preamble: ArchiveIndex.Preamble? { readPreamble() }

    /// - Returns: `nil` after the last.
    package func next() throws -> ArchiveIndex.Record? {
        while position == records.count {
            guard let member = try nextMember() else { return nil }
            records = member.entries
            position = 0
        }
        defer { position += 1 }
        return records[position]
    }

    private final class LineReader {
        private let file: OpenFile
        private var decoder: IndexDecoder
        private var ready: [ArchiveIndex.Member] = []
        private let buffer = PageBuffer(count: 256 << 10)

        init(_ file: OpenFile, archive: String) {
            self.file = file
            decoder = IndexDecoder(archive: archive)
        }

        var preamble: ArchiveIndex.Preamble? { decoder.known }

        func next() throws -> ArchiveIndex.Member? {
            while ready.isEmpty {
                let got = try file.read(into: buffer.bytes)
                guard got > 0 else {
                    _ = try decoder.finish()
                    return nil
                }
                let text = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got])
                try decoder.feed(ArraySlice(text)) { ready.append($0) }
            }
            return ready.removeFirst()
        }
    }
}
