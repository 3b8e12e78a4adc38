// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// Single files out of an archive: only the members that hold them are read.
extension IndexedArchive {
    /// The content of one small file.
    /// - Parameter limit: bytes; a longer file is refused.
    /// - Returns: `nil` where the archive has no such file.
    package func content(of path: EntryPath, limit: Int = 64 << 20) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        let found = try copy(path) { piece in
            guard bytes.count + piece.count <= limit else {
                throw ArchiveError.notABackup(
                    archive: self.path.string,
                    reason: .init(zh: "\(path) 超过 \(limit) 字节", en: "\(path) has more than \(limit) bytes"))
            }
            bytes += piece
        }
        return found ? bytes : nil
    }

    /// Hands out the content of one file, a piece at a time. A name that is a hard link gives the file it stands for.
    /// - Returns: false where the archive has no such file.
    /// - Throws: `ArchiveError.damaged` where the content is not what was backed up.
    package func copy(_ path: EntryPath, to output: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        let reader = MemberReader(self)
        var linked: EntryPath?
        var large: LargeFile?
        var found = false
        try forEachMember { member in
            if member.kind == .chunk {
                guard var file = large else { return true }
                let piece = try reader.tar(of: member)
                let count = Int(min(file.rest, UInt64(piece.count)))
                file.rest -= UInt64(count)
                large = file
                try output(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                return file.rest > 0
            }
            guard large == nil else { return false }
            guard let record = member.entries.first(where: { $0.entry.path == path }) else { return true }
            switch (record.entry.kind, member.kind) {
            case (.file, .header):
                found = true
                large = LargeFile(rest: record.entry.size)
                return true
            case (.file, _):
                found = true
                try TarFragment(try reader.tar(of: member), of: member, archive: self.path.string).forEachEntry {
                    entry, content, record in
                    guard entry.path == path else { return }
                    guard SHA256.digest(of: content) == record.digest else { throw differs(path, member.offset) }
                    try output(content)
                }
            case (.hardLink(let target), _): linked = target
            default: break
            }
            return false
        }
        if let large, large.rest > 0 { throw differs(path, footer.indexOffset) }
        // A link to a link is none of ours: it would be a way round in circles.
        if let linked, linked != path, try kind(of: linked) == .file { return try copy(linked, to: output) }
        return found
    }

    private func kind(of path: EntryPath) throws -> ArchiveEntry.Kind? {
        var kind: ArchiveEntry.Kind?
        try forEachMember { member in
            kind = member.entries.first { $0.entry.path == path }?.entry.kind
            return kind == nil
        }
        return kind
    }

    private func differs(_ path: EntryPath, _ offset: UInt64) -> ArchiveError {
        .damaged(
            archive: self.path.string, offset: offset,
            reason: .init(zh: "\(path) 与备份时不同", en: "\(path) is not what was backed up"))
    }

    /// A file on its way out, chunk by chunk; bytes still to come. Each chunk's digest was right.
    private struct LargeFile {
        var rest: UInt64
    }
}
