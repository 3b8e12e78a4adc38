// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// Reads whole members of one archive into buffers of its own. Use one a thread.
final class MemberReader {
    private let archive: IndexedArchive
    private let inflater = GzipInflater()
    private let stored = PageBuffer()
    private let tar = PageBuffer()

    init(_ archive: IndexedArchive) { self.archive = archive }

    /// The tar bytes of a member, once its digest was right. They begin at the start of a page, and are valid until
    /// the next call.
    /// - Throws: `ArchiveError.damaged` and `.truncated`.
    func tar(of member: ArchiveIndex.Member) throws -> UnsafeRawBufferPointer {
        let bytes = try read(member)
        guard SHA256.digest(of: bytes) == member.digest else {
            throw damaged(
                member, .init(zh: "一个 \(member.length) 字节的成员已改变", en: "a member of \(member.length) bytes has changed"))
        }
        return try inflate(bytes, member)
    }

    private func read(_ member: ArchiveIndex.Member) throws -> UnsafeRawBufferPointer {
        let count = Int(member.length)
        stored.reserve(count)
        let piece = UnsafeMutableRawBufferPointer(rebasing: stored.bytes[..<count])
        let got = try archive.file.read(into: piece, at: member.offset)
        guard got == count else {
            throw ArchiveError.truncated(
                archive: archive.path.string, expected: member.offset + member.length,
                found: member.offset + UInt64(got))
        }
        return UnsafeRawBufferPointer(piece)
    }

    /// No more bytes are made than the index says there are, whatever the member would like.
    private func inflate(_ bytes: UnsafeRawBufferPointer, _ member: ArchiveIndex.Member) throws
        -> UnsafeRawBufferPointer
    {
        let expected = Int(member.tarLength)
        // One byte more than that shows a member that holds too much.
        tar.reserve(expected + 1)
        inflater.reset()
        inflater.feed(bytes)
        var made = 0
        while true {
            guard made <= expected else {
                throw damaged(member, .init(zh: "内容多于应有的", en: "it holds more than it should"))
            }
            switch inflater.inflate(into: UnsafeMutableRawBufferPointer(rebasing: tar.bytes[made...expected])) {
            case .bytes(let more): made += more
            case .memberEnd:
                guard inflater.unused == 0 else {
                    throw damaged(member, .init(zh: "成员之后还有字节", en: "bytes follow a member"))
                }
                guard made == expected else {
                    throw damaged(
                        member,
                        .init(zh: "含 \(made) 字节，应为 \(expected)", en: "it holds \(made) bytes instead of \(expected)"))
                }
                return UnsafeRawBufferPointer(rebasing: tar.bytes[..<made])
            case .needsInput: throw damaged(member, .init(zh: "成员提前结束", en: "a member ends early"))
            case .failed(let reason): throw damaged(member, reason)
            }
        }
    }

    private func damaged(_ member: ArchiveIndex.Member, _ reason: BilingualText) -> ArchiveError {
        .damaged(archive: archive.path.string, offset: member.offset, reason: reason)
    }
}
