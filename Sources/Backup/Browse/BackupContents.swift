// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import Glibc
import SystemIO
import Wording

/// What is inside one backup, without restoring it.
package struct BackupContents {
    package let name: String
    private let path: FilePath
    private let kind: BackupName.Kind

    package init(_ item: CatalogueItem) {
        name = item.name.string
        path = item.path
        kind = item.kind
    }

    /// An archive anywhere, which need not be in the backup folder.
    package init(archive path: FilePath) {
        name = path.string
        self.path = path
        kind = .compressed
    }

    /// - Throws: `ArchiveError.truncated` for an archive that has no index of ours.
    package func records() throws -> RecordStream {
        switch kind {
        case .compressed: try needingIndex { try RecordStream(archive: path) }
        case .uncompressed: try RecordStream(folder: path)
        }
    }

    /// Hands out the content of one file, a piece at a time. Of an archive only the members that hold it are read.
    /// - Throws: `BackupError.noSuchEntry`.
    package func copy(_ wanted: EntryPath, to output: (UnsafeRawBufferPointer) throws -> Void) throws {
        let found =
            switch kind {
            case .compressed: try needingIndex { try IndexedArchive(path) }.copy(wanted, to: output)
            case .uncompressed: try copyFromFolder(wanted, to: output)
            }
        guard found else { throw BackupError.noSuchEntry(backup: name, path: wanted.description) }
    }

    /// What the backup says of one of its folders; `nil` where it has none of that name.
    func folder(at wanted: EntryPath) throws -> ArchiveEntry? {
        let records = try records()
        while let record = try records.next() {
            if record.entry.path == wanted, record.entry.kind == .directory { return record.entry }
        }
        return nil
    }

    private func needingIndex<Opened>(_ open: () throws -> Opened) throws -> Opened {
        do { return try open() } catch ArchiveError.truncated {
            throw ArchiveError.notABackup(
                archive: path.string,
                reason: .init(
                    zh: "结尾没有本程序的索引：被截断，或由其他程序重新打包",
                    en: "it does not end in an index of ours: it was cut, or packed again by another program"))
        }
    }

    /// Extended attributes of several files, of which the archive's headers are read once.
    func attributes(of wanted: Set<EntryPath>) throws -> StoredAttributes {
        guard !wanted.isEmpty else { return StoredAttributes() }
        switch kind {
        case .compressed: return try needingIndex { try IndexedArchive(path) }.attributes(of: wanted)
        case .uncompressed:
            var stored = StoredAttributes()
            for one in wanted {
                do throws(SystemError) {
                    let attributes = try OpenFile(path.appending(one.bytes), .readNoFollow).userAttributes()
                    if !attributes.isEmpty { stored.found[one] = attributes }
                } catch {
                    guard isLoss(error) else { throw error }
                    stored.lost.insert(one)
                }
            }
            return stored
        }
    }

    /// Content and attributes of several files, of which an archive is read once, one file after the other. What the backup does
    /// not give any more is told of (`FilePiece.lost`), as is what it never had.
    /// - Throws: where nothing of it can be read; what `visit` throws.
    func copy(_ wanted: Set<EntryPath>, to visit: (FilePiece) throws -> Void) throws {
        var left = wanted
        func noting(_ piece: FilePiece) throws {
            switch piece {
            case .begin(let entry): left.remove(entry.path)
            case .lost(let path, _): left.remove(path)
            case .bytes, .end: break
            }
            try visit(piece)
        }
        switch kind {
        case .compressed: try needingIndex { try IndexedArchive(path) }.copy(wanted, to: noting)
        case .uncompressed: try copyFromFolder(wanted, to: noting)
        }
        for path in left { try visit(.lost(path, BackupError.noSuchEntry(backup: name, path: path.description))) }
    }

    private func copyFromFolder(_ wanted: Set<EntryPath>, to visit: (FilePiece) throws -> Void) throws {
        let records = try records()
        var tree = TreeLookup(try OpenFile(path, .directory))
        while let record = try records.next() {
            guard record.entry.kind == .file, wanted.contains(record.entry.path) else { continue }
            do { try copyFromFolder(record, &tree, to: visit) } catch  where isLoss(error) {
                try visit(.lost(record.entry.path, error))
            }
        }
    }

    private func copyFromFolder(
        _ record: ArchiveIndex.Record, _ tree: inout TreeLookup, to visit: (FilePiece) throws -> Void
    ) throws {
        let place = path.appending(record.entry.path.bytes)
        // By its whole path: it is told whose part it is.
        guard let status = try tree.status(of: record.entry.path) else {
            throw SystemError("open", path: place.string, code: ENOENT)
        }
        guard status.kind == .file else { throw SystemError("open", path: place.string, code: EISDIR) }
        let file = try tree.open(record.entry.path)
        var entry = record.entry
        entry.attributes = try file.userAttributes()
        try visit(.begin(entry))
        try read(file, against: record.digest, of: record.entry.path) { try visit(.bytes($0)) }
        try visit(.end)
    }

    /// Whether a part of the backup cannot be had, which says nothing of the others.
    private func isLoss(_ error: any Error) -> Bool {
        error is ArchiveError || (error as? SystemError)?.isLoss(in: path) ?? false
    }

    private func copyFromFolder(_ wanted: EntryPath, to output: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool
    {
        var tree = TreeLookup(try OpenFile(path, .directory))
        guard try tree.status(of: wanted)?.kind == .file else { return false }
        let file = try tree.open(wanted)
        try read(file, against: try digest(of: wanted), of: wanted, to: output)
        return true
    }

    /// - Returns: `nil` for the manifest and the index, which are in no index.
    private func digest(of wanted: EntryPath) throws -> Digest? {
        let records = try records()
        while let record = try records.next() {
            if record.entry.path == wanted { return record.digest }
        }
        return nil
    }

    /// - Throws: `ArchiveError.damaged` at the end of what is not what was backed up.
    private func read(
        _ file: OpenFile, against digest: Digest?, of entry: EntryPath,
        to output: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var hash = SHA256()
        let buffer = PageBuffer(count: 256 << 10)
        while case let got = try file.read(into: buffer.bytes), got > 0 {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got])
            hash.update(bytes)
            try output(bytes)
        }
        guard let digest, hash.finish() != digest else { return }
        throw ArchiveError.damaged(
            archive: name, offset: 0,
            reason: .init(zh: "\(entry) 的内容与备份时不同", en: "the content of \(entry) is not what was backed up"))
    }
}
