// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import SystemIO

/// Writes a backup as a folder of plain files, in the same layout as the tar.
///
/// Files that the backup before holds unchanged become further names of its files (hard links), never of live ones.
package final class FolderWriter: ArchiveWriter {
    private let root: FilePath
    private let placer: EntryPlacer
    private let previous: PreviousFolder?
    private let previousPath: FilePath?
    private var foreseen: RecordForesight?
    private let index: OpenFile
    private var indexHash = SHA256()
    private var indexSize: UInt64 = 0
    private var records: [ArchiveIndex.Record] = []
    private var isFirstLine = true
    private var files = 0
    private var contentSize: UInt64 = 0
    private var sharing: ArchiveSummary.Sharing

    /// Entries in one line of the index.
    private static let lineLength = 4096

    /// - Parameters:
    ///   - path: a name that does not exist yet, by convention ending in `.partial`.
    ///   - previous: a verified backup on the same file system.
    ///   - hasObjects: whether objects of stores will be in it.
    package init(creating path: FilePath, previous: FilePath? = nil, hasObjects: Bool = false) throws {
        if try FileStatus.ifPresent(path) != nil { throw SystemError("create", path: path.string, code: EEXIST) }
        let started = FileTime.now()
        try Directory.makeInherited(path, mode: 0o700)
        try EntryPlacer.prepare(path)
        root = path
        self.previous = try previous.flatMap { try PreviousFolder($0) }
        previousPath = self.previous == nil ? nil : previous
        placer = try EntryPlacer(root: path, looks: RestoredLooks(.writer, tree: nil))
        index = try .makeInherited(path.appending(ArchiveLayout.indexName), mode: 0o600)
        sharing = .init(generation: self.previous.map { $0.preamble.generation.adding(clamped: 1) } ?? 0)
        try write(
            IndexEncoder.preamble(.init(started: started, generation: sharing.generation, hasObjects: hasObjects)))
    }

    package func add(_ entry: ArchiveEntry) throws {
        try placer.place(entry)
        try note(.init(entry: entry, digest: nil))
    }

    @discardableResult
    package func add(_ entry: ArchiveEntry, content: ContentSource) throws -> UInt64 {
        let before = placer.looks.denied
        let (digest, missing) = try placer.place(entry, content: content)
        var stored = entry
        // What this folder's file system could not hold of it is told by each backup: the next one reads it again.
        if placer.looks.denied != before { stored.origin = nil }
        if missing > 0 { stored = stored.unproven }
        try note(.init(entry: stored, digest: digest))
        files += 1
        contentSize = contentSize.adding(clamped: entry.size)
        return missing
    }

    package func treeReuse() -> any TreeReuse { previous.map { FileMatcher(self, $0) } ?? NothingReusable() }

    package func foresight() throws -> RecordForesight? {
        if foreseen == nil, let previousPath { foreseen = try RecordForesight(RecordStream(folder: previousPath)) }
        return foreseen
    }

    /// Takes a file over that is unchanged.
    /// - Returns: false where it must be added.
    func link(_ candidate: ReuseCandidate, to previous: PreviousFolder) throws -> Bool {
        let entry = candidate.entry
        guard let record = try previous.unchanged(candidate) else { return false }
        do throws(SystemError) { try placer.link(entry.path, to: previous.place(of: entry.path)) } catch {
            // A file may have no more names (EMLINK), or the backup before lies elsewhere: then it is read as usual.
            guard error.isWithoutLinks || [EXDEV, ENOENT].contains(error.code) else { throw error }
            return false
        }
        try note(record)
        files += 1
        contentSize = contentSize.adding(clamped: entry.size)
        sharing.cloned = sharing.cloned.adding(clamped: entry.size)
        return true
    }

    private func note(_ record: ArchiveIndex.Record) throws {
        records.append(record)
        if records.count == Self.lineLength { try writeLine() }
    }

    private func writeLine() throws {
        guard !records.isEmpty else { return }
        var line: [UInt8] = isFirstLine ? [] : Array(",\n".utf8)
        isFirstLine = false
        IndexEncoder.append(.init(kind: .loose, offset: 0, length: 0, tarLength: 0, entries: records), to: &line)
        records.removeAll(keepingCapacity: true)
        try write(line)
    }

    private func write(_ bytes: [UInt8]) throws {
        try index.write(bytes)
        bytes.withUnsafeBytes { indexHash.update($0) }
        indexSize += UInt64(bytes.count)
    }

    package func finish() throws -> ArchiveSummary {
        try placer.finish()
        try writeLine()
        try write((isFirstLine ? [] : [UInt8(ascii: "\n")]) + IndexEncoder.closing)
        // One call for the whole tree: a sync for each of a million files would take hours on a disk.
        try FileSystem.sync(holding: root)
        return ArchiveSummary(
            size: contentSize.adding(clamped: indexSize), digest: indexHash.next(), indexOffset: 0, files: files,
            contentSize: contentSize, sharing: sharing, denied: placer.looks.denied)
    }
}
