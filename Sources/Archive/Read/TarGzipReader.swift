// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// Reads any tar.gz that holds a backup: ours, spliced or not, and one that a person packed again with GNU tar.
package final class TarGzipReader: ArchiveReader {
    package let name: String
    private let file: OpenFile
    private let stream: GzipFileStream
    private var interpreter: TarInterpreter
    private var sawEnd = false

    package init(_ path: FilePath, observer: ReadObserver = ReadObserver()) throws {
        name = path.string
        interpreter = TarInterpreter(archive: path.string)
        file = try StoredPart.file(path, of: path.string)
        stream = try GzipFileStream(file, name: path.string, observer: observer)
    }

    package func forEachEntry(_ visit: (ArchiveEntry, EntryContent) throws -> Void) throws {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: ArchiveLayout.blockSize, alignment: 16)
        defer { block.deallocate() }
        var pax = PaxRecords()
        var global = PaxRecords()
        var longName: [UInt8]?
        var longLink: [UInt8]?
        var isFirst = true
        while try readBlock(block) {
            let offset = stream.offset
            var header: TarHeader
            do { header = try TarHeader(UnsafeRawBufferPointer(block)) } catch {
                if isFirst, !block[257..<262].elementsEqual("ustar".utf8) {
                    throw ArchiveError.notABackup(
                        archive: name, reason: .init(zh: "压缩的内容不是 tar", en: "what is compressed in it is not a tar"))
                }
                throw ArchiveError.damaged(
                    archive: name, offset: offset, reason: .init(zh: "tar 头无效", en: "a tar header is not valid"))
            }
            isFirst = false
            switch header.type {
            case UInt8(ascii: "x"): pax = try paxRecords(header)
            case UInt8(ascii: "g"): global = try paxRecords(header)
            case UInt8(ascii: "L"): longName = try longText(header)
            case UInt8(ascii: "K"): longLink = try longText(header)
            default:
                if let longName { header.path = longName }
                if let longLink { header.link = longLink }
                guard header.apply(global), header.apply(pax) else {
                    throw ArchiveError.damaged(
                        archive: name, offset: offset, reason: .init(zh: "pax 记录无效", en: "a pax record is not valid"))
                }
                // Its path and content stand for something else; GNU tar makes these with --sparse.
                if pax.values.keys.contains(where: { $0.hasPrefix("GNU.sparse.") }) {
                    throw interpreter.unsafe(
                        header, .init(zh: "稀疏文件；请不带 --sparse 重新打包", en: "a sparse file; pack again without --sparse"))
                }
                try deliver(header, pax, visit)
                pax = PaxRecords()
                longName = nil
                longLink = nil
            }
        }
        guard sawEnd else { throw ArchiveError.truncated(archive: name, expected: nil, found: stream.offset) }
    }

    /// After the last entry: the size and digest of the stored file, trailing bytes included.
    package func finish() throws -> (size: UInt64, digest: Digest) { try stream.finish() }

    package func checkStoredBytes(against index: ArchiveIndex) throws {
        let found = stream.members
        let size = try file.status().size
        let end: UInt64
        do {
            let footer = try ArchiveFooter.read(from: file, size: size)
            // Making the stream compares the stored index with its digest.
            _ = try IndexStream(file, footer)
            end = footer.indexOffset
        } catch ArchiveError.truncated {
            // Without a footer somebody packed it again, unless it is cut up just as we do it.
            guard let first = index.members.first, found.first?.length == first.length, found.count > 1 else { return }
            throw ArchiveError.damaged(
                archive: name, offset: size - min(size, UInt64(ArchiveFooter.encodedLength)),
                reason: ArchiveError.footerChanged)
        }
        try index.checkPlaces(upTo: end, archive: name)
        for (number, member) in index.members.enumerated() {
            guard number < found.count, found[number].offset == member.offset, found[number].length == member.length,
                found[number].digest == member.digest
            else {
                throw ArchiveError.damaged(
                    archive: name, offset: member.offset,
                    reason: .init(zh: "有成员不是当初写入的", en: "a member is not the one that was written"))
            }
        }
    }

    private func deliver(
        _ header: TarHeader, _ pax: PaxRecords, _ visit: (ArchiveEntry, EntryContent) throws -> Void
    ) throws {
        guard var entry = try interpreter.entry(header) else { return }
        entry.take(pax)
        let content = EntryContent(size: entry.size) { [stream, name] buffer in
            let got = try stream.read(into: buffer)
            if got < buffer.count {
                throw ArchiveError.truncated(archive: name, expected: nil, found: stream.offset)
            }
            return got
        }
        try visit(entry, content)
        try skip(content.remaining + UInt64(ArchiveLayout.padding(after: entry.size)))
    }

    private func paxRecords(_ header: TarHeader) throws -> PaxRecords {
        guard let records = PaxRecords(decoding: try extensionBody(header)) else {
            throw ArchiveError.damaged(
                archive: name, offset: stream.offset, reason: .init(zh: "pax 头无效", en: "a pax header is not valid"))
        }
        return records
    }

    private func longText(_ header: TarHeader) throws -> [UInt8] {
        Array(try extensionBody(header).prefix { $0 != 0 })
    }

    private func extensionBody(_ header: TarHeader) throws -> [UInt8] {
        guard header.size <= 1 << 20 else {
            throw ArchiveError.damaged(
                archive: name, offset: stream.offset, reason: .init(zh: "扩展头过长", en: "an extended header is too long"))
        }
        var bytes = [UInt8](repeating: 0, count: Int(header.size) + ArchiveLayout.padding(after: header.size))
        let got = try bytes.withUnsafeMutableBytes { try stream.read(into: $0) }
        guard got == bytes.count else {
            throw ArchiveError.truncated(archive: name, expected: nil, found: stream.offset)
        }
        return Array(bytes.prefix(Int(header.size)))
    }

    /// Reads the next header block. Returns false at the two zero blocks that end an archive.
    private func readBlock(_ block: UnsafeMutableRawBufferPointer) throws -> Bool {
        var zeroBlocks = 0
        while true {
            let got = try stream.read(into: block)
            if got == 0 { return false }
            guard got == block.count else {
                throw ArchiveError.truncated(archive: name, expected: nil, found: stream.offset)
            }
            if block.contains(where: { $0 != 0 }) {
                if zeroBlocks > 0 {
                    throw ArchiveError.damaged(
                        archive: name, offset: stream.offset, reason: .init(zh: "单独的零块", en: "a lone block of zeros"))
                }
                return true
            }
            zeroBlocks += 1
            if zeroBlocks == 2 {
                sawEnd = true
                return try drainPadding(block)
            }
        }
    }

    /// After the end of the archive tar pads its record with zeros. Anything else was smuggled in or is damage.
    private func drainPadding(_ block: UnsafeMutableRawBufferPointer) throws -> Bool {
        while true {
            let got = try stream.read(into: block)
            if got == 0 {
                if interpreter.top == nil {
                    throw ArchiveError.notABackup(archive: name, reason: .init(zh: "是空的", en: "it is empty"))
                }
                return false
            }
            if block[..<got].contains(where: { $0 != 0 }) {
                throw ArchiveError.damaged(
                    archive: name, offset: stream.offset,
                    reason: .init(zh: "归档结尾之后还有数据", en: "data follows the end of the archive"))
            }
        }
    }

    private func skip(_ count: UInt64) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var rest = count
        while rest > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(rest, UInt64(buffer.count)))])
            guard try stream.read(into: piece) == piece.count else {
                throw ArchiveError.truncated(archive: name, expected: nil, found: stream.offset)
            }
            rest -= UInt64(piece.count)
        }
    }
}
