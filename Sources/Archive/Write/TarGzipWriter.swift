// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Writes one tar.gz as a sequence of gzip members, each holding whole tar entries or whole chunks of a file.
public final class TarGzipWriter: ArchiveWriter {
    private let file: OpenFile
    private let output: MemberOutput
    private let pipeline: CompressionPipeline
    private let staging = UnsafeMutableRawBufferPointer.allocate(
        byteCount: ArchiveLayout.chunkSize, alignment: 4096)
    private var pack: [UInt8] = []
    private var packRecords: [ArchiveIndex.Record] = []
    private var files = 0
    private var contentSize: UInt64 = 0

    /// - Parameters:
    ///   - path: a name that does not exist yet, by convention ending in `.partial`.
    ///   - level: ISA-L's compression level, 0 to 3.
    ///   - threads: how many cores may compress.
    public init(creating path: FilePath, level: UInt32 = 1, threads: Int, mode: UInt32 = 0o600) throws {
        file = try OpenFile(path, .createNew(mode: mode))
        let output = MemberOutput(file)
        self.output = output
        pipeline = try CompressionPipeline(threads: max(threads, 1), level: level) { try output.write($0, digest: $1) }
    }

    deinit { staging.deallocate() }

    public func add(_ entry: ArchiveEntry) throws {
        pack += TarEncoder.header(of: entry)
        packRecords.append(.init(entry: entry, digest: nil))
        if pack.count >= ArchiveLayout.packSize { try closePack() }
    }

    @discardableResult
    public func add(_ entry: ArchiveEntry, content: ContentSource) throws -> UInt64 {
        files += 1
        contentSize += entry.size
        return entry.size > UInt64(ArchiveLayout.chunkSize)
            ? try addLarge(entry, content) : try addSmall(entry, content)
    }

    private func addSmall(_ entry: ArchiveEntry, _ content: ContentSource) throws -> UInt64 {
        // Read before anything is packed: a source that fails leaves no half entry behind.
        let (bytes, missing) = try read(Int(entry.size), content)
        pack += TarEncoder.header(of: entry)
        pack.append(contentsOf: bytes)
        pack += [UInt8](repeating: 0, count: ArchiveLayout.padding(after: entry.size))
        let digest = SHA256.digest(of: bytes)
        packRecords.append(.init(entry: entry, digest: digest))
        if pack.count >= ArchiveLayout.packSize { try closePack() }
        return UInt64(missing)
    }

    private func addLarge(_ entry: ArchiveEntry, _ content: ContentSource) throws -> UInt64 {
        try closePack()
        let header = TarEncoder.header(of: entry)
        let place = output.expect(.header, tarLength: header.count, records: [.init(entry: entry, digest: nil)])
        try pipeline.submit(header)
        var hash = SHA256()
        var missing: UInt64 = 0
        var rest = entry.size
        while rest > 0 {
            let size = Int(min(rest, UInt64(ArchiveLayout.chunkSize)))
            rest -= UInt64(size)
            var chunk: [UInt8] = []
            chunk.reserveCapacity(size + ArchiveLayout.blockSize)
            let padding = rest == 0 ? ArchiveLayout.padding(after: entry.size) : 0
            let (bytes, short) = try read(size, content)
            missing += UInt64(short)
            chunk.append(contentsOf: bytes)
            chunk += [UInt8](repeating: 0, count: padding)
            hash.update(bytes)
            output.expect(.chunk, tarLength: chunk.count, records: [])
            try pipeline.submit(chunk)
        }
        output.setDigest(hash.finish(), ofEntryIn: place)
        return missing
    }

    /// The next `size` bytes of a source, zeros where it ends early. Valid until the next call.
    private func read(_ size: Int, _ content: ContentSource) throws -> (UnsafeRawBufferPointer, missing: Int) {
        let piece = UnsafeMutableRawBufferPointer(rebasing: staging[..<size])
        let got = try content(piece)
        UnsafeMutableRawBufferPointer(rebasing: piece[got...]).initializeMemory(as: UInt8.self, repeating: 0)
        return (UnsafeRawBufferPointer(piece), size - got)
    }

    private func closePack() throws {
        guard !pack.isEmpty else { return }
        output.expect(.pack, tarLength: pack.count, records: packRecords)
        try pipeline.submit(pack)
        pack = []
        packRecords = []
    }

    public func finish() throws -> ArchiveSummary {
        try closePack()
        try pipeline.drain()
        let index = output.index.encoded()
        let entry = ArchiveEntry(
            path: .index, kind: .file, size: UInt64(index.count), mode: 0o644, modified: .now())
        let compressor = GzipCompressor(level: 1)
        let offset = output.offset
        // The index is cut into members of chunk size, for a reader must be able to bound its memory.
        var tar = TarEncoder.header(of: entry) + index
        tar += [UInt8](repeating: 0, count: ArchiveLayout.padding(after: UInt64(index.count)))
        var hash = SHA256()
        var start = 0
        while start < tar.count {
            let end = min(start + ArchiveLayout.chunkSize, tar.count)
            let member = try tar[start..<end].withUnsafeBytes { try compressor.member(of: $0) }
            member.withUnsafeBytes { hash.update($0) }
            try output.append(member)
            start = end
        }
        let footer = ArchiveFooter(
            indexOffset: offset, indexLength: output.offset - offset, indexDigest: hash.finish())
        try output.append(footer.encoded())
        try file.sync()
        return ArchiveSummary(
            size: output.offset, digest: output.finishHash(), indexOffset: offset, files: files,
            contentSize: contentSize)
    }
}

/// The archive file as it grows, with the index of what it holds.
private final class MemberOutput {
    private let file: OpenFile
    private var hash: SHA256? = SHA256()
    private(set) var offset: UInt64 = 0
    private(set) var index = ArchiveIndex()
    private var written = 0

    init(_ file: OpenFile) { self.file = file }

    /// Announces the next member; its place in the file is known when it has been compressed.
    @discardableResult
    func expect(_ kind: ArchiveIndex.Member.Kind, tarLength: Int, records: [ArchiveIndex.Record]) -> Int {
        index.members.append(
            .init(kind: kind, offset: 0, length: 0, tarLength: UInt64(tarLength), digest: nil, entries: records))
        return index.members.count - 1
    }

    func write(_ bytes: [UInt8], digest: Digest) throws {
        index.members[written].offset = offset
        index.members[written].length = UInt64(bytes.count)
        index.members[written].digest = digest
        written += 1
        try append(bytes)
    }

    func append(_ bytes: [UInt8]) throws {
        try file.write(bytes)
        bytes.withUnsafeBytes { hash?.update($0) }
        offset += UInt64(bytes.count)
    }

    func setDigest(_ digest: Digest, ofEntryIn member: Int) {
        index.members[member].entries[0].digest = digest
    }

    func finishHash() -> Digest {
        guard let hash = hash.take() else { preconditionFailure("a writer is finished once") }
        return hash.finish()
    }
}

extension EntryPath {
    public static let index = constant(ArchiveLayout.indexName)
    public static let manifest = constant(ArchiveLayout.manifestName)
    public static let database = constant(ArchiveLayout.databaseFolder)
    public static let artifacts = constant(ArchiveLayout.artifactsFolder)

    private static func constant(_ name: String) -> EntryPath {
        guard let path = EntryPath(name) else { preconditionFailure("\(name) is a relative name") }
        return path
    }
}
