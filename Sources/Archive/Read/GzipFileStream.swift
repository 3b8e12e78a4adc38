// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// The bytes inside a file of concatenated gzip members, one after the other, with the digest of the file itself.
final class GzipFileStream {
    /// One gzip member as it stands in the file.
    struct StoredMember: Equatable {
        let offset: UInt64
        let length: UInt64
        let digest: Digest
    }

    /// The members that were read to their end.
    private(set) var members: [StoredMember] = []
    private let file: OpenFile
    private let name: String
    private let observer: ReadObserver
    private let inflater = GzipInflater()
    private let input = PageBuffer(count: 1 << 20)
    private var hash: SHA256? = SHA256()
    private var fileOffset: UInt64 = 0
    private var inputCount = 0
    private var isInMember = false
    private var memberStart: UInt64 = 0
    private var memberHash: SHA256?
    /// Bytes at the start of `input` that need not be added to `memberHash` any more.
    private var hashed = 0
    private var ended = false

    init(_ file: OpenFile, name: String, observer: ReadObserver) throws {
        self.file = file
        self.name = name
        self.observer = observer
        try file.seek(to: 0)
        file.advise(.sequential)
    }

    /// Position in the file up to which bytes have been used.
    var offset: UInt64 { fileOffset - UInt64(inflater.unused) }

    /// Fills the buffer; fewer bytes only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count, !ended {
            if !isInMember, try !beginMember() { break }
            switch inflater.inflate(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])) {
            case .bytes(let count): filled += count
            case .memberEnd: endMember()
            case .needsInput:
                if try !refill() { throw ArchiveError.truncated(archive: name, expected: nil, found: fileOffset) }
            case .failed(let reason): throw ArchiveError.damaged(archive: name, offset: offset, reason: reason)
            }
        }
        return filled
    }

    /// Reads on to the end of the file and returns the digest of all its bytes.
    func finish() throws -> (size: UInt64, digest: Digest) {
        while try refill() {}
        guard let hash = hash.take() else { preconditionFailure("a stream is finished once") }
        return (fileOffset, hash.finish())
    }

    /// Members follow each other without a gap; zeros may pad the end of the file, as tape blocks do.
    private func beginMember() throws -> Bool {
        var sawPadding = false
        while true {
            if inflater.unused == 0, try !refill() {
                ended = true
                return false
            }
            guard inflater.nextByte == 0 else { break }
            inflater.skipInput(1)
            sawPadding = true
        }
        if sawPadding {
            throw ArchiveError.damaged(
                archive: name, offset: offset, reason: .init(zh: "结尾的零之后还有数据", en: "data follows the zeros at the end"))
        }
        if offset == 0, inflater.nextByte != 0x1f {
            throw ArchiveError.notABackup(archive: name, reason: .init(zh: "不是 gzip", en: "it is not gzip"))
        }
        inflater.beginMember()
        isInMember = true
        memberStart = offset
        memberHash = SHA256()
        hashed = inputCount - inflater.unused
        return true
    }

    private func endMember() {
        isInMember = false
        hashInput(upTo: inputCount - inflater.unused)
        guard let hash = memberHash.take() else { return }
        members.append(StoredMember(offset: memberStart, length: offset - memberStart, digest: hash.finish()))
    }

    private func hashInput(upTo end: Int) {
        memberHash?.update(UnsafeRawBufferPointer(rebasing: input.bytes[hashed..<end]))
        hashed = end
    }

    private func refill() throws -> Bool {
        try observer.cancellation?.check()
        hashInput(upTo: inputCount)
        let got = try file.read(into: input.bytes)
        inputCount = got
        hashed = 0
        guard got > 0 else { return false }
        let piece = UnsafeRawBufferPointer(rebasing: input.bytes[..<got])
        hash?.update(piece)
        // What was read is not needed again: a backup check must not empty the machine's page cache.
        file.advise(.willNotNeed, offset: fileOffset, length: UInt64(got))
        fileOffset += UInt64(got)
        inflater.feed(piece)
        try observer.didRead(UInt64(got), upTo: fileOffset)
        return true
    }
}
