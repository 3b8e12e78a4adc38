// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A file of a backup, a piece at a time.
public enum FilePiece {
    /// With its attributes.
    case begin(ArchiveEntry)
    /// Valid until the visitor returns.
    case bytes(UnsafeRawBufferPointer)
    /// The content was whole, and is what was backed up.
    case end
}

extension IndexedArchive {
    /// Content and attributes of several files in one pass, one file after the other. Names that are hard links are passed over.
    /// - Throws: `ArchiveError.damaged` where the content is not what was backed up; what `visit` throws.
    public func copy(_ wanted: Set<EntryPath>, to visit: (FilePiece) throws -> Void) throws {
        let reader = MemberReader(self)
        // Of a large file, whose chunks follow its header: each has a digest of its own.
        var rest: UInt64?
        var left = wanted
        try forEachMember { member in
            if member.kind == .chunk {
                guard let count = rest else { return true }
                let piece = try reader.tar(of: member)
                let used = Int(min(count, UInt64(piece.count)))
                try visit(.bytes(UnsafeRawBufferPointer(rebasing: piece[..<used])))
                rest = count - UInt64(used)
                if rest == 0 {
                    try visit(.end)
                    rest = nil
                    return !left.isEmpty
                }
                return true
            }
            if rest != nil { throw cut(member.offset) }
            guard member.entries.contains(where: { wanted.contains($0.entry.path) }) else { return true }
            let tar = try reader.tar(of: member)
            try TarFragment(tar, of: member, archive: self.path.string).forEachEntry { entry, content, record in
                guard case .file = entry.kind, wanted.contains(entry.path) else { return }
                left.remove(entry.path)
                try visit(.begin(entry))
                if member.kind == .header, entry.size > 0 {
                    rest = entry.size
                    return
                }
                guard SHA256.digest(of: content) == record.digest else { throw cut(member.offset) }
                try visit(.bytes(content))
                try visit(.end)
            }
            return rest != nil || !left.isEmpty
        }
        if rest != nil { throw cut(footer.indexOffset) }
    }

    private func cut(_ offset: UInt64) -> ArchiveError {
        .damaged(archive: self.path.string, offset: offset, reason: "the content of a file is not what was backed up")
    }
}
