// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// `index.json` on its way into the archive. Its text is compressed as it grows: a million entries are some 250 MB of
/// text and a third of that compressed.
final class IndexOutput {
    private let compressor = GzipCompressor(level: 1)
    private var text: [UInt8]
    private var members: [GzipMember] = []
    private var length = 0
    private var isFirst = true

    init(_ preamble: ArchiveIndex.Preamble) { text = IndexEncoder.preamble(preamble) }

    func append(_ member: ArchiveIndex.Member) throws(ArchiveError) {
        if !isFirst { text += ",\n".utf8 }
        isFirst = false
        IndexEncoder.append(member, to: &text)
        if text.count >= ArchiveLayout.chunkSize { try compress(padding: 0) }
    }

    /// - Returns: the gzip members of the index: its tar header, then its content.
    func finish() throws(ArchiveError) -> [GzipMember] {
        if !isFirst { text.append(UInt8(ascii: "\n")) }
        text += IndexEncoder.closing
        let size = UInt64(length + text.count)
        try compress(padding: ArchiveLayout.padding(after: size))
        // The time has no fraction, which keeps the header in one block.
        let header = TarEncoder.header(
            of: ArchiveEntry(
                path: .index, kind: .file, size: size, mode: 0o644, modified: FileTime(seconds: FileTime.now().seconds))
        )
        guard header.count == ArchiveLayout.indexHeaderLength else {
            throw .compression(reason: .init(zh: "索引超过 8 GiB", en: "the index is longer than 8 GiB"))
        }
        return [try compressor.member(of: header)] + members
    }

    private func compress(padding: Int) throws(ArchiveError) {
        length += text.count
        text += [UInt8](repeating: 0, count: padding)
        members.append(try compressor.member(of: text))
        text.removeAll(keepingCapacity: true)
    }
}
