// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// A file of a backup, a piece at a time.
package enum FilePiece {
    /// With its attributes.
    case begin(ArchiveEntry)
    /// Valid until the visitor returns.
    case bytes(UnsafeRawBufferPointer)
    /// The content was whole, and is what was backed up.
    case end
    /// The backup does not give it any more. Where it had begun, what came of it is worth nothing.
    case lost(EntryPath, any Error)
}

extension IndexedArchive {
    /// Content and attributes of several files in one pass, one file after the other. Names that are hard links are passed over.
    /// A damaged member is told of (`FilePiece.lost`), and the others come all the same.
    /// - Throws: `ArchiveError` where the index cannot be read; what `visit` throws.
    package func copy(_ wanted: Set<EntryPath>, to visit: (FilePiece) throws -> Void) throws {
        let reader = MemberReader(self)
        var large: LargeCopy?
        var left = wanted
        try forEachMember { member in
            if member.kind == .chunk {
                guard let file = large else { return true }
                large = try file.next(reading(member, reader), visit)
                return large != nil || !left.isEmpty
            }
            if let file = large {
                try visit(.lost(file.path, cut(member.offset)))
                large = nil
            }
            let asked = Set(member.entries.lazy.map(\.entry.path).filter(left.contains))
            guard !asked.isEmpty else { return !left.isEmpty }
            left.subtract(asked)
            large = try copy(asked, of: member, reading(member, reader), visit)
            return large != nil || !left.isEmpty
        }
        if let large { try visit(.lost(large.path, cut(footer.indexOffset))) }
    }

    private func reading(
        _ member: ArchiveIndex.Member, _ reader: MemberReader
    ) throws -> Result<UnsafeRawBufferPointer, any Error> {
        do { return .success(try reader.tar(of: member)) } catch  where isLoss(error) { return .failure(error) }
    }

    /// - Returns: a file whose chunks follow.
    private func copy(
        _ asked: Set<EntryPath>, of member: ArchiveIndex.Member, _ tar: Result<UnsafeRawBufferPointer, any Error>,
        _ visit: (FilePiece) throws -> Void
    ) throws -> LargeCopy? {
        var large: LargeCopy?
        var left = asked
        var reason: any Error = cut(member.offset)
        // What the visitor throws is not the archive's.
        var thrown: (any Error)?
        do {
            try TarFragment(try tar.get(), of: member, archive: self.path.string).forEachEntry {
                entry, content, record in
                guard left.contains(entry.path) else { return }
                let isLarge = member.kind == .header && entry.size > 0
                guard entry.kind == .file, isLarge || SHA256.digest(of: content) == record.digest else { return }
                left.remove(entry.path)
                do {
                    try visit(.begin(entry))
                    if isLarge {
                        large = LargeCopy(path: entry.path, rest: entry.size)
                    } else {
                        try visit(.bytes(content))
                        try visit(.end)
                    }
                } catch {
                    thrown = error
                    throw error
                }
            }
        } catch  where thrown == nil && isLoss(error) { reason = error }
        // A further name is no file of its own.
        let links = member.entries.lazy.filter { $0.entry.kind != .file }.map(\.entry.path)
        for path in left.subtracting(links) { try visit(.lost(path, reason)) }
        return large
    }

    private func cut(_ offset: UInt64) -> ArchiveError {
        .damaged(
            archive: self.path.string, offset: offset,
            reason: .init(zh: "有文件的内容与备份时不同", en: "the content of a file is not what was backed up"))
    }

    /// A large file on its way out. Its chunks follow its header, and each has a digest of its own.
    private struct LargeCopy {
        let path: EntryPath
        var rest: UInt64

        /// - Returns: `nil` at its end.
        func next(
            _ chunk: Result<UnsafeRawBufferPointer, any Error>, _ visit: (FilePiece) throws -> Void
        ) throws -> LargeCopy? {
            switch chunk {
            case .failure(let error):
                try visit(.lost(path, error))
                return nil
            case .success(let piece):
                let used = Int(min(rest, UInt64(piece.count)))
                try visit(.bytes(UnsafeRawBufferPointer(rebasing: piece[..<used])))
                if rest == UInt64(used) {
                    try visit(.end)
                    return nil
                }
                return LargeCopy(path: path, rest: rest - UInt64(used))
            }
        }
    }
}
