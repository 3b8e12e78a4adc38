// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// Writes one tar.gz as a sequence of gzip members, each holding whole tar entries or whole chunks of a file.
///
/// Given the archive before, it takes over what did not change: `splice` for members the walk found unchanged, and
/// chunks of a changed file whose content is the same.
package final class TarGzipWriter: ArchiveWriter, MemberTaker {
    private let file: OpenFile
    private let output: MemberOutput
    private let pipeline: CompressionPipeline
    private let previous: PreviousArchive?
    private let generation: Int
    private let packSize: Int
    private var foreseen: RecordForesight?
    private let names = AccountNames.ofThisMachine()
    private let staging = PageBuffer(count: ArchiveLayout.chunkSize)
    private var pack: [UInt8] = []
    private var packRecords: [ArchiveIndex.Record] = []
    private var lastFolderDepth = 0
    private var remembered: (path: EntryPath, chunks: [ArchiveIndex.Member])?
    private var files = 0
    private var contentSize: UInt64 = 0

    /// - Parameters:
    ///   - path: a name that does not exist yet, by convention ending in `.partial`.
    ///   - previous: a verified archive to take over members from; it must be on the same file system to share blocks.
    ///   - level: ISA-L's compression level, 0 to 3.
    ///   - threads: how many cores may compress.
    ///   - packSize: bytes of tar at which a pack is closed.
    ///   - started: when the walk begins: later stamps prove nothing.
    ///   - hasObjects: whether objects of stores will be in it.
    package init(
        creating path: FilePath, previous: FilePath? = nil, level: UInt32 = 2, threads: Int, mode: UInt32 = 0o600,
        packSize: Int = ArchiveLayout.packSize, started: FileTime = .now(), hasObjects: Bool = false
    ) throws {
        self.packSize = packSize
        let alignment = FileSystem.sharesBlocks(in: path.parent) ? ArchiveLayout.sharedBlockSize : 1
        self.previous = try previous.flatMap { try PreviousArchive($0, alignment: alignment) }
        generation = self.previous.map { $0.preamble.generation.adding(clamped: 1) } ?? 0
        file = try .makeInherited(path, mode: mode)
        let output = try MemberOutput(
            file,
            preamble: .init(
                started: started, generation: generation, alignment: alignment, hasObjects: hasObjects),
            previous: self.previous)
        self.output = output
        pipeline = try CompressionPipeline(threads: max(threads, 1), level: level, alignment: alignment) { result in
            switch result {
            case .new(let member): try output.write(member)
            case .stored(let member): try output.take(member)
            }
        }
    }

    // MARK: What is new

    package func add(_ entry: ArchiveEntry) throws {
        if entry.kind == .directory {
            // Where a new branch of the tree begins, a pack that is nearly full ends: what is added to one run
            // tomorrow then leaves the packs of others alone.
            let depth = entry.path.components.count
            if depth <= lastFolderDepth, pack.count >= packSize * 3 / 4 { try closePack() }
            lastFolderDepth = depth
        }
        pack += TarEncoder.header(of: entry, names: names)
        packRecords.append(.init(entry: entry, digest: nil))
        if pack.count >= packSize { try closePack() }
    }

    @discardableResult
    package func add(_ entry: ArchiveEntry, content: ContentSource) throws -> UInt64 {
        files += 1
        contentSize = contentSize.adding(clamped: entry.size)
        defer { remembered = nil }
        guard entry.size > UInt64(ArchiveLayout.chunkSize) else { return try addSmall(entry, content) }
        let known = remembered?.path == entry.path ? remembered?.chunks : nil
        return try addLarge(entry, known ?? [], content)
    }

    private func addSmall(_ entry: ArchiveEntry, _ content: ContentSource) throws -> UInt64 {
        // Read before anything is packed: a source that fails leaves no half entry behind.
        let (bytes, missing) = try read(Int(entry.size), content)
        pack += TarEncoder.header(of: entry, names: names)
        pack.append(contentsOf: bytes)
        pack += [UInt8](repeating: 0, count: ArchiveLayout.padding(after: entry.size))
        packRecords.append(.init(entry: missing > 0 ? entry.unproven : entry, digest: SHA256.digest(of: bytes)))
        if pack.count >= packSize { try closePack() }
        return UInt64(missing)
    }

    private func addLarge(
        _ entry: ArchiveEntry, _ known: [ArchiveIndex.Member], _ content: ContentSource
    ) throws -> UInt64 {
        try closePack()
        let header = TarEncoder.header(of: entry, names: names)
        let number = output.expect(.header, tarLength: header.count, records: [.init(entry: entry, digest: nil)])
        try pipeline.submit(.init(tar: header))
        var hash = SHA256()
        var missing: UInt64 = 0
        var rest = entry.size
        var known = known[...]
        while rest > 0 {
            let size = Int(min(rest, UInt64(ArchiveLayout.chunkSize)))
            rest -= UInt64(size)
            let padding = rest == 0 ? ArchiveLayout.padding(after: entry.size) : 0
            let chunk = try [UInt8](unsafeUninitializedCapacity: size + padding) { buffer, count in
                let got = try content(.init(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size]))
                buffer[got...].update(repeating: 0)
                missing += UInt64(size - got)
                count = size + padding
            }
            chunk.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<size])) }
            output.expect(.chunk, tarLength: chunk.count, records: [])
            try pipeline.submit(.init(tar: chunk, wantsContent: true, known: known.popFirst()))
        }
        try output.setDigest(hash.finish(), ofEntryIn: number, isFilledUp: missing > 0)
        return missing
    }

    /// The next `size` bytes of a source, zeros where it ends early. Valid until the next call.
    private func read(_ size: Int, _ content: ContentSource) throws -> (UnsafeRawBufferPointer, missing: Int) {
        let piece = UnsafeMutableRawBufferPointer(rebasing: staging.bytes[..<size])
        let got = try content(piece)
        UnsafeMutableRawBufferPointer(rebasing: piece[got...]).initializeMemory(as: UInt8.self, repeating: 0)
        return (UnsafeRawBufferPointer(piece), size - got)
    }

    package func endSection() throws { try closePack() }

    private func closePack() throws {
        guard !pack.isEmpty else { return }
        output.expect(.pack, tarLength: pack.count, records: packRecords)
        try pipeline.submit(.init(tar: pack))
        pack = []
        packRecords = []
    }

    // MARK: What is taken over

    package func treeReuse() -> any TreeReuse { previous.map { MemberMatcher(self, $0) } ?? NothingReusable() }

    package func foresight() throws -> RecordForesight? {
        if foreseen == nil, let previous {
            foreseen = try RecordForesight(RecordStream(archive: previous.archive.path))
        }
        return foreseen
    }

    /// Which chunks the archive before has of the file that is added next: they may still be the same.
    func remember(_ chunks: [ArchiveIndex.Member], of path: EntryPath) { remembered = (path, chunks) }

    /// A small pack beside new entries is written again together with them, or packs would crumble day by day.
    func wantsToMerge(_ member: ArchiveIndex.Member) -> Bool {
        !pack.isEmpty && member.tarLength < UInt64(packSize / 4)
    }

    func splice(_ member: ArchiveIndex.Member) throws {
        try closePack()
        for record in member.entries where record.entry.kind == .file {
            files += 1
            contentSize += record.entry.size
        }
        output.expect(member.kind, tarLength: Int(member.tarLength), records: member.entries)
        try pipeline.pass(member)
    }

    /// Whether the archive before holds exactly what was added, up to the manifest: then it need not be written again.
    package func equalsPrevious() throws -> Bool {
        try closePack()
        try pipeline.drain()
        return output.isPrefix && previous?.current?.entries.first?.entry.path == .manifest
    }

    /// What `finish` would say of an archive that became another name of the one before.
    package func summaryOfPrevious(
        size: UInt64, digest: Digest, indexOffset: UInt64, indexDigest: Digest?
    ) -> ArchiveSummary? {
        ArchiveSummary(
            size: size, digest: digest, indexOffset: indexOffset, indexDigest: indexDigest, files: files,
            contentSize: contentSize,
            sharing: .init(cloned: size, copied: 0, generation: generation))
    }

    // MARK: The end

    /// Writes the index, syncs, and reads the whole file back: what is published was compared with what was meant.
    /// - Throws: `ArchiveError.previousDamaged` where a member of the archive before is not what it was.
    package func finish() throws -> ArchiveSummary {
        try closePack()
        try pipeline.drain()
        let (footer, digest) = try output.finish()
        var sharing = output.sharing
        sharing.generation = generation
        return ArchiveSummary(
            size: output.offset, digest: digest, indexOffset: footer.indexOffset, indexDigest: footer.indexDigest,
            files: files, contentSize: contentSize, sharing: sharing)
    }
}

extension EntryPath {
    package static let index = constant(ArchiveLayout.indexName)
    package static let manifest = constant(ArchiveLayout.manifestName)
    package static let database = constant(ArchiveLayout.databaseFolder)
    package static let artifacts = constant(ArchiveLayout.artifactsFolder)

    /// Where the files of one artifacts folder are.
    /// - Parameter root: what a further folder is called; `nil` for the first.
    package static func artifacts(of root: String?) -> EntryPath {
        guard let root, let path = EntryPath(ArchiveLayout.furtherArtifacts + root) else { return artifacts }
        return path
    }

    private static func constant(_ name: String) -> EntryPath {
        guard let path = EntryPath(name) else { preconditionFailure("\(name) is a relative name") }
        return path
    }
}
