// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The newest verified uncompressed backup, its index read beside the walk that makes the next one.
final class PreviousFolder {
    private let root: OpenFile
    private let chain: FolderChain
    private let index: OpenFile
    private let buffer = PageBuffer(count: 1 << 20)
    private var decoder: IndexDecoder
    private var records: [ArchiveIndex.Record] = []
    private var next = 0
    private var isAtEnd = false
    let preamble: ArchiveIndex.Preamble

    /// - Returns: `nil` where it has no index of ours.
    init?(_ path: FilePath) throws {
        root = try StoredPart.folder(path, of: path.string)
        chain = FolderChain(root: root)
        index = try StoredPart.file(path.appending(ArchiveLayout.indexName), of: path.string)
        decoder = IndexDecoder(archive: path.string)
        var first: [ArchiveIndex.Record] = []
        let got = try index.read(into: buffer.bytes)
        try decoder.feed(ArraySlice(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))) { first += $0.entries }
        guard let preamble = decoder.known else { return nil }
        self.preamble = preamble
        records = first
    }

    /// The record of a live file that is certainly the one stored. Ask in the order of the walk.
    func unchanged(_ live: ReuseCandidate) throws -> ArchiveIndex.Record? {
        while let record = try peek(), record.entry.precedes(live.entry) { next += 1 }
        guard let record = try peek(), record.entry.path == live.entry.path,
            try preamble.proves(live, isUnchangedSince: record.entry)
        else { return nil }
        return record
    }

    func place(of path: EntryPath) throws(SystemError) -> (folder: OpenFile, name: [UInt8]) {
        try chain.parent(of: path)
    }

    private func peek() throws -> ArchiveIndex.Record? {
        while next == records.count, !isAtEnd {
            records.removeAll(keepingCapacity: true)
            next = 0
            let got = try index.read(into: buffer.bytes)
            isAtEnd = got == 0
            let text = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got])
            try decoder.feed(ArraySlice(text)) { records += $0.entries }
        }
        return next < records.count ? records[next] : nil
    }
}
