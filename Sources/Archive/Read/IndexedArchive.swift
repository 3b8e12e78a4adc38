// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// An archive of ours opened by its footer: its index, and single files without reading the rest.
public struct IndexedArchive: Sendable {
    public let index: ArchiveIndex
    private let file: OpenFile
    private let size: UInt64

    /// - Throws: `ArchiveError.truncated` where there is no footer, `damaged` where the index is not what it says.
    public init(_ path: FilePath) throws {
        let name = path.string
        file = try OpenFile(path, .readNoFollow)
        size = try file.status().size
        let (footer, stored) = try Self.storedIndex(file, size: size)
        // Digests do not compress, so no honest index shrinks a hundredfold.
        let tar = try Self.inflate(stored, limit: 128 * stored.count, name: name, offset: footer.indexOffset)
        index = try ArchiveIndex(
            decoding: try Self.content(of: .index, inTar: tar, name: name), archive: name)
        try index.checkPlaces(upTo: footer.indexOffset, archive: name)
    }

    /// The footer at the end of a file, and the compressed index it vouches for.
    static func storedIndex(_ file: OpenFile, size: UInt64) throws -> (footer: ArchiveFooter, bytes: [UInt8]) {
        let length = UInt64(ArchiveFooter.encodedLength)
        guard size > length,
            let footer = ArchiveFooter(
                decoding: try file.bytes(at: size - length, count: ArchiveFooter.encodedLength)),
            footer.indexOffset <= size - length, footer.indexLength == size - length - footer.indexOffset
        else { throw ArchiveError.truncated(archive: file.path.string, expected: nil, found: size) }
        let stored = try file.bytes(at: footer.indexOffset, count: Int(footer.indexLength))
        guard SHA256.digest(of: stored) == footer.indexDigest else {
            throw ArchiveError.damaged(
                archive: file.path.string, offset: footer.indexOffset, reason: "the index does not match its digest")
        }
        return (footer, stored)
    }

    /// The content of one small file, by decompressing the one member that holds it.
    /// - Returns: `nil` where the archive has no such file.
    public func content(of path: EntryPath) throws -> [UInt8]? {
        for member in index.members where member.kind == .pack {
            guard member.entries.contains(where: { $0.entry.path == path && $0.entry.kind == .file }) else { continue }
            let stored = try file.bytes(at: member.offset, count: Int(member.length))
            guard SHA256.digest(of: stored) == member.digest else {
                throw ArchiveError.damaged(
                    archive: file.path.string, offset: member.offset,
                    reason: "the member that holds \(path) has changed")
            }
            let tar = try Self.inflate(
                stored, limit: Int(member.tarLength), name: file.path.string, offset: member.offset)
            return try Self.content(of: path, inTar: tar, name: file.path.string)
        }
        return nil
    }

    /// A member whose bytes are not the ones that were published.
    public struct DamagedMember: Sendable, Equatable {
        public let offset: UInt64
        public let length: UInt64
        public let files: [EntryPath]
    }

    /// Compares every member with its digest. Used to say what is wrong once it is known that something is.
    public func damagedMembers(observer: ReadObserver = ReadObserver()) throws -> [DamagedMember] {
        var damaged: [DamagedMember] = []
        var lastHeader: [EntryPath] = []
        for member in index.members {
            try observer.cancellation?.check()
            if member.kind == .header { lastHeader = member.entries.map(\.entry.path) }
            let stored = try file.bytes(at: member.offset, count: Int(member.length))
            if SHA256.digest(of: stored) != member.digest {
                let files = member.kind == .chunk ? lastHeader : member.entries.map(\.entry.path)
                damaged.append(DamagedMember(offset: member.offset, length: member.length, files: files))
            }
            observer.onProgress?(member.offset + member.length)
        }
        return damaged
    }

    private static func inflate(_ stored: [UInt8], limit: Int, name: String, offset: UInt64) throws -> [UInt8] {
        let inflater = GzipInflater()
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { scratch.deallocate() }
        var result: [UInt8] = []
        try stored.withUnsafeBytes { bytes in
            inflater.feed(bytes)
            while true {
                switch inflater.inflate(into: scratch) {
                case .bytes(let count):
                    result.append(contentsOf: scratch[..<count])
                    guard result.count <= limit else {
                        throw ArchiveError.damaged(
                            archive: name, offset: offset, reason: "a member is longer than its index says")
                    }
                case .memberEnd:
                    if inflater.unused == 0 { return }
                    inflater.beginMember()
                case .needsInput:
                    throw ArchiveError.damaged(archive: name, offset: offset, reason: "a member has no end")
                case .failed(let reason): throw ArchiveError.damaged(archive: name, offset: offset, reason: reason)
                }
            }
        }
        return result
    }

    private static func content(of path: EntryPath, inTar tar: [UInt8], name: String) throws -> [UInt8] {
        var found: [UInt8]?
        try TarWalk(tar: tar, name: name).forEachFile { entry, range in
            if entry == ArchiveLayout.top + [UInt8(ascii: "/")] + path.bytes { found = Array(tar[range]) }
        }
        guard let found else {
            throw ArchiveError.damaged(archive: name, offset: 0, reason: "\(path) is not where the index says")
        }
        return found
    }
}

/// The files of a tar fragment in memory. Only for fragments that a digest has vouched for.
private struct TarWalk {
    let tar: [UInt8]
    let name: String

    func forEachFile(_ visit: ([UInt8], Range<Int>) -> Void) throws {
        var position = 0
        var pax = PaxRecords()
        while position + ArchiveLayout.blockSize <= tar.count {
            let header: TarHeader
            do {
                header = try tar.withUnsafeBytes {
                    try TarHeader(UnsafeRawBufferPointer(rebasing: $0[position..<(position + ArchiveLayout.blockSize)]))
                }
            } catch {
                throw ArchiveError.damaged(archive: name, offset: UInt64(position), reason: "a tar header is not valid")
            }
            position += ArchiveLayout.blockSize
            guard header.size <= UInt64(tar.count - position) else {
                throw ArchiveError.damaged(archive: name, offset: UInt64(position), reason: "a tar entry has no end")
            }
            let body = position..<(position + Int(header.size))
            if header.type == UInt8(ascii: "x") {
                pax = PaxRecords(decoding: Array(tar[body])) ?? PaxRecords()
            } else {
                visit(pax.values["path"] ?? header.path, body)
                pax = PaxRecords()
            }
            position = body.upperBound + ArchiveLayout.padding(after: header.size)
        }
    }
}

extension OpenFile {
    fileprivate func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let got = try result.withUnsafeMutableBytes { buffer throws(SystemError) in try read(into: buffer, at: offset) }
        guard got == count else {
            throw ArchiveError.truncated(
                archive: path.string, expected: offset + UInt64(count), found: offset + UInt64(got))
        }
        return result
    }
}
