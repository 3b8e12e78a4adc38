// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// What is inside one backup, without restoring it.
public struct BackupContents {
    public let name: String
    private let path: FilePath
    private let kind: BackupName.Kind

    public init(_ item: CatalogueItem) {
        name = item.name.string
        path = item.path
        kind = item.kind
    }

    /// An archive anywhere, which need not be in the backup folder.
    public init(archive path: FilePath) {
        name = path.string
        self.path = path
        kind = .compressed
    }

    /// - Throws: `ArchiveError.truncated` for an archive that has no index of ours.
    public func records() throws -> RecordStream {
        switch kind {
        case .compressed: try needingIndex { try RecordStream(archive: path) }
        case .uncompressed: try RecordStream(folder: path)
        }
    }

    /// Hands out the content of one file, a piece at a time. Of an archive only the members that hold it are read.
    /// - Throws: `BackupError.noSuchEntry`.
    public func copy(_ wanted: EntryPath, to output: (UnsafeRawBufferPointer) throws -> Void) throws {
        let found =
            switch kind {
            case .compressed: try needingIndex { try IndexedArchive(path) }.copy(wanted, to: output)
            case .uncompressed: try copyFromFolder(wanted, to: output)
            }
        guard found else { throw BackupError.noSuchEntry(backup: name, path: wanted.description) }
    }

    private func needingIndex<Opened>(_ open: () throws -> Opened) throws -> Opened {
        do { return try open() } catch ArchiveError.truncated {
            throw ArchiveError.notABackup(
                archive: path.string,
                reason: "it does not end in an index of ours: it was cut, or packed again by another program")
        }
    }

    /// Extended attributes of several files, of which the archive's headers are read once.
    /// - Returns: those that have any.
    func attributes(of wanted: Set<EntryPath>) throws -> [EntryPath: [OpenFile.Attribute]] {
        guard !wanted.isEmpty else { return [:] }
        switch kind {
        case .compressed: return try needingIndex { try IndexedArchive(path) }.attributes(of: wanted)
        case .uncompressed:
            return try wanted.reduce(into: [:]) { found, one in
                let attributes = try OpenFile(path.appending(one.bytes), .readNoFollow).userAttributes()
                if !attributes.isEmpty { found[one] = attributes }
            }
        }
    }

    /// Content and attributes of several files, of which an archive is read once, one file after the other.
    /// - Throws: `BackupError.noSuchEntry` where one is not there, what `visit` throws.
    func copy(_ wanted: Set<EntryPath>, to visit: (FilePiece) throws -> Void) throws {
        var left = wanted
        func noting(_ piece: FilePiece) throws {
            if case .begin(let entry) = piece { left.remove(entry.path) }
            try visit(piece)
        }
        switch kind {
        case .compressed: try needingIndex { try IndexedArchive(path) }.copy(wanted, to: noting)
        case .uncompressed:
            for one in wanted {
                let file = try OpenFile(path.appending(one.bytes), .readNoFollow)
                let status = try file.status()
                var entry = ArchiveEntry(
                    path: one, kind: .file, size: status.size, mode: status.mode & 0o777, modified: status.modified)
                entry.attributes = try file.userAttributes()
                try noting(.begin(entry))
                guard try copyFromFolder(one, to: { try visit(.bytes($0)) }) else {
                    throw BackupError.noSuchEntry(backup: name, path: one.description)
                }
                try visit(.end)
            }
        }
        if let missing = left.first { throw BackupError.noSuchEntry(backup: name, path: missing.description) }
    }

    private func copyFromFolder(_ wanted: EntryPath, to output: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool
    {
        var folder = try OpenFile(path, .directory)
        let components = wanted.components.map(Array.init)
        do throws(SystemError) {
            for name in components.dropLast() { folder = try folder.open(name, .directory) }
            guard try folder.status(of: components[components.count - 1]).kind == .file else { return false }
        } catch {
            if error.isNotFound || error.code == ENOTDIR { return false }
            throw error
        }
        let file = try folder.open(components[components.count - 1], .readNoFollow)
        let buffer = PageBuffer(count: 256 << 10)
        while case let got = try file.read(into: buffer.bytes), got > 0 {
            try output(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))
        }
        return true
    }
}
