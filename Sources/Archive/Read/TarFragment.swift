// SPDX-License-Identifier: Apache-2.0

import Wording

/// The entries of one member of ours in memory. What it says is checked like any tar, and against the index.
struct TarFragment {
    private let tar: UnsafeRawBufferPointer
    private let member: ArchiveIndex.Member
    private let archive: String

    /// - Parameter tar: must stay where it is while entries are visited.
    init(_ tar: UnsafeRawBufferPointer, of member: ArchiveIndex.Member, archive: String) {
        self.tar = tar
        self.member = member
        self.archive = archive
    }

    /// Visits each entry with its content and its record in the index.
    /// - Throws: `ArchiveError.damaged` where the tar and the index do not say the same.
    func forEachEntry(
        _ visit: (ArchiveEntry, UnsafeRawBufferPointer, ArchiveIndex.Record) throws -> Void
    ) throws {
        var interpreter = TarInterpreter(archive: archive)
        var position = 0
        var pax = PaxRecords()
        var records = member.entries[...]
        while position < tar.count {
            var header = try header(at: position)
            position += ArchiveLayout.blockSize
            if header.type == UInt8(ascii: "x") {
                let body = try body(at: position, header.size)
                guard let parsed = PaxRecords(decoding: Array(body)) else {
                    throw damaged(.init(zh: "pax 头无效", en: "a pax header is not valid"))
                }
                pax = parsed
                position += body.count + ArchiveLayout.padding(after: header.size)
                continue
            }
            guard header.apply(pax), var entry = try interpreter.entry(header), let record = records.popFirst(),
                record.entry.path == entry.path, record.entry.kind == entry.kind, record.entry.size == entry.size
            else { throw damaged(.init(zh: "有条目与索引不符", en: "an entry is not the one the index names")) }
            entry.take(pax)
            pax = PaxRecords()
            // The content of a large file is in the chunks that follow its header.
            let content = try body(at: position, member.kind == .header ? 0 : entry.size)
            try visit(entry, content, record)
            position += content.count
            if member.kind != .header { position += ArchiveLayout.padding(after: entry.size) }
        }
        guard records.isEmpty, position == tar.count else {
            throw damaged(.init(zh: "缺少索引中的条目", en: "an entry of the index is missing"))
        }
    }

    private func header(at position: Int) throws -> TarHeader {
        guard tar.count - position >= ArchiveLayout.blockSize else {
            throw damaged(.init(zh: "tar 头被截断", en: "a tar header is cut"))
        }
        do {
            return try TarHeader(
                UnsafeRawBufferPointer(rebasing: tar[position..<(position + ArchiveLayout.blockSize)]))
        } catch { throw damaged(.init(zh: "tar 头无效", en: "a tar header is not valid")) }
    }

    private func body(at position: Int, _ size: UInt64) throws -> UnsafeRawBufferPointer {
        guard size <= UInt64(tar.count - position) else {
            throw damaged(.init(zh: "tar 条目没有结尾", en: "a tar entry has no end"))
        }
        return UnsafeRawBufferPointer(rebasing: tar[position..<(position + Int(size))])
    }

    private func damaged(_ reason: BilingualText) -> ArchiveError {
        .damaged(archive: archive, offset: member.offset, reason: reason)
    }
}
