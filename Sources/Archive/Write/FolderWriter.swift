// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Writes a backup as a folder of plain files, in the same layout as the tar.
public final class FolderWriter: ArchiveWriter {
    private let root: FilePath
    private let placer: EntryPlacer
    private var records: [ArchiveIndex.Record] = []
    private var files = 0
    private var contentSize: UInt64 = 0

    /// - Parameter path: a name that does not exist yet, by convention ending in `.partial`.
    public init(creating path: FilePath) throws {
        if try FileStatus.ifPresent(path) != nil { throw SystemError("create", path: path.string, code: EEXIST) }
        try Directory.make(path, mode: 0o700)
        root = path
        placer = try EntryPlacer(root: path, owner: nil)
    }

    public func add(_ entry: ArchiveEntry) throws {
        try placer.place(entry)
        records.append(.init(entry: entry, digest: nil))
    }

    @discardableResult
    public func add(_ entry: ArchiveEntry, content: ContentSource) throws -> UInt64 {
        let (digest, missing) = try placer.place(entry, content: content)
        records.append(.init(entry: entry, digest: digest))
        files += 1
        contentSize += entry.size
        return missing
    }

    public func finish() throws -> ArchiveSummary {
        try placer.finish()
        let index = ArchiveIndex(members: [
            .init(kind: .loose, offset: 0, length: 0, tarLength: 0, digest: nil, entries: records)
        ])
        let bytes = index.encoded()
        let file = try OpenFile(root.appending(ArchiveLayout.indexName), .createNew(mode: 0o600))
        try file.write(bytes)
        // One call for the whole tree: a sync for each of a million files would take hours on a disk.
        try FileSystem.sync(holding: root)
        return ArchiveSummary(
            size: contentSize + UInt64(bytes.count), digest: SHA256.digest(of: bytes), indexOffset: 0, files: files,
            contentSize: contentSize)
    }
}
