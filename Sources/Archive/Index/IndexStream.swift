// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// The members named by an archive's index, one after the other, without the whole index in memory.
final class IndexStream {
    private let file: OpenFile
    private let footer: ArchiveFooter
    private let inflater = GzipInflater()
    private let input = PageBuffer(count: 256 << 10)
    private let output = PageBuffer(count: 256 << 10)
    private var decoder: IndexDecoder
    private var ready: [ArchiveIndex.Member] = []
    private var nextReady = 0
    private var position: UInt64
    /// Bytes of `index.json` still to come; `nil` before its tar header was read.
    private var content: UInt64?
    private var header: [UInt8] = []
    private var isInMember = false
    private var inflated: UInt64 = 0

    /// - Throws: `ArchiveError.damaged` where the stored index is not the one the footer vouches for, before a word of
    ///   it is believed.
    init(_ file: OpenFile, _ footer: ArchiveFooter) throws {
        self.file = file
        self.footer = footer
        position = footer.indexOffset
        decoder = IndexDecoder(archive: file.path.string)
        var hash = SHA256()
        while let piece = try read() { hash.update(piece) }
        guard hash.finish() == footer.indexDigest else {
            throw damaged(.init(zh: "索引与其摘要不符", en: "the index does not match its digest"))
        }
        position = footer.indexOffset
    }

    var preamble: ArchiveIndex.Preamble? { decoder.known }

    /// - Returns: `nil` after the last member.
    func next() throws -> ArchiveIndex.Member? {
        while nextReady == ready.count {
            ready.removeAll(keepingCapacity: true)
            nextReady = 0
            guard try step() else { return nil }
        }
        defer { nextReady += 1 }
        return ready[nextReady]
    }

    /// - Returns: false at the end.
    private func step() throws -> Bool {
        if inflater.unused == 0, try !refill(), !isInMember { return try finish() }
        if !isInMember {
            inflater.beginMember()
            isInMember = true
        }
        switch inflater.inflate(into: output.bytes) {
        case .bytes(let count):
            inflated += UInt64(count)
            // Digests do not compress, so no honest index shrinks a hundredfold.
            guard inflated / 128 <= footer.indexLength else {
                throw damaged(.init(zh: "索引大得不合理", en: "the index is larger than it can be"))
            }
            try take(UnsafeRawBufferPointer(rebasing: output.bytes[..<count]))
        case .memberEnd: isInMember = false
        case .needsInput: if try !refill() { throw damaged(.init(zh: "索引提前结束", en: "the index ends early")) }
        case .failed(let reason): throw damaged(reason)
        }
        return true
    }

    private func refill() throws -> Bool {
        guard let piece = try read() else { return false }
        inflater.feed(piece)
        return true
    }

    /// The next stored bytes, valid until the next call; `nil` at the end of the index.
    private func read() throws -> UnsafeRawBufferPointer? {
        let end = footer.indexOffset + footer.indexLength
        guard position < end else { return nil }
        let piece = UnsafeMutableRawBufferPointer(
            rebasing: input.bytes[..<Int(min(end - position, UInt64(input.bytes.count)))])
        guard try file.read(into: piece, at: position) == piece.count else {
            throw damaged(.init(zh: "被截断", en: "it was cut"))
        }
        position += UInt64(piece.count)
        return UnsafeRawBufferPointer(piece)
    }

    /// The tar header comes first, then the content, then zeros to the end of a block.
    private func take(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        if content == nil {
            let wanted = ArchiveLayout.indexHeaderLength - header.count
            header += rest.prefix(wanted)
            rest = rest.dropFirst(wanted)
            guard header.count == ArchiveLayout.indexHeaderLength else { return }
            content = try indexLength()
        }
        guard let left = content else { return }
        let text = rest.prefix(Int(min(left, UInt64(rest.count))))
        content = left - UInt64(text.count)
        guard rest.dropFirst(text.count).allSatisfy({ $0 == 0 }) else {
            throw damaged(.init(zh: "索引之后还有字节", en: "bytes follow the index"))
        }
        try decoder.feed(ArraySlice(text)) { ready.append($0) }
    }

    private func indexLength() throws -> UInt64 {
        let parsed = try? header.withUnsafeBytes { block throws(TarHeader.Fault) in try TarHeader(block) }
        let name = ArchiveLayout.top + [UInt8(ascii: "/")] + ArchiveLayout.indexName.utf8
        guard let parsed, parsed.path == name else {
            throw damaged(.init(zh: "索引没有 tar 头", en: "the index has no tar header"))
        }
        return parsed.size
    }

    private func finish() throws -> Bool {
        guard content == 0 else { throw damaged(.init(zh: "索引提前结束", en: "the index ends early")) }
        _ = try decoder.finish()
        return false
    }

    private func damaged(_ reason: BilingualText) -> ArchiveError {
        .damaged(archive: file.path.string, offset: footer.indexOffset, reason: reason)
    }
}

extension ArchiveFooter {
    /// The footer at the end of a file.
    /// - Throws: `ArchiveError.truncated` where there is none.
    static func read(from file: OpenFile, size: UInt64) throws -> ArchiveFooter {
        let length = UInt64(encodedLength)
        guard size > length,
            let footer = ArchiveFooter(decoding: try file.bytes(at: size - length, count: encodedLength)),
            footer.indexOffset <= size - length, footer.indexLength == size - length - footer.indexOffset
        else { throw ArchiveError.truncated(archive: file.path.string, expected: nil, found: size) }
        return footer
    }
}

extension OpenFile {
    /// Exactly `count` bytes. - Throws: `ArchiveError.truncated` where the file is shorter.
    func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let got = try result.withUnsafeMutableBytes { buffer throws(SystemError) in try read(into: buffer, at: offset) }
        guard got == count else {
            throw ArchiveError.truncated(
                archive: path.string, expected: offset + UInt64(count), found: offset + UInt64(got))
        }
        return result
    }
}
