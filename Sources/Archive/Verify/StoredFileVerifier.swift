// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// Compares a file with the size and digest it was published with. The reading never trusts tar's or gzip's word:
/// a file cut at a member boundary satisfies both.
package enum StoredFileVerifier {
    /// Size and SHA-256 of a file as it is on disk now; what was read leaves the page cache.
    package static func digest(
        of path: FilePath, observer: ReadObserver = ReadObserver()
    ) throws -> (size: UInt64, digest: Digest) {
        try digest(of: OpenFile(path, .readNoFollow), observer: observer)
    }

    /// The same of a file that was just opened.
    package static func digest(
        of file: OpenFile, observer: ReadObserver = ReadObserver()
    ) throws -> (size: UInt64, digest: Digest) {
        // Pages that a writer has just made would only prove that memory works.
        file.advise(.willNotNeed)
        file.advise(.sequential)
        let buffer = PageBuffer(count: 1 << 20)
        var hash = SHA256()
        var offset: UInt64 = 0
        while true {
            try observer.cancellation?.check()
            let got = try file.read(into: buffer.bytes)
            if got == 0 { break }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))
            file.advise(.willNotNeed, offset: offset, length: UInt64(got))
            offset += UInt64(got)
            try observer.didRead(UInt64(got), upTo: offset)
        }
        return (offset, hash.finish())
    }

    /// - Throws: `ArchiveError.truncated` or `.damaged`; the latter names the member and the files in it where the
    ///   index can still be read.
    package static func verify(
        _ path: FilePath, size: UInt64, digest expected: Digest, observer: ReadObserver = ReadObserver()
    ) throws {
        let found = try digest(of: path, observer: observer)
        if found.size < size { throw ArchiveError.truncated(archive: path.string, expected: size, found: found.size) }
        guard found.size != size || found.digest != expected else { return }
        guard found.size == size else {
            throw ArchiveError.damaged(
                archive: path.string, offset: size,
                reason: .init(
                    zh: "现有 \(found.size) 字节，发布时为 \(size) 字节",
                    en: "it has \(found.size) bytes and was published with \(size)"))
        }
        do {
            let damaged = try ArchiveCheck(IndexedArchive(path), threads: 1).run()
            if let first = damaged.first { throw first.error(in: path.string, of: damaged.count) }
        } catch ArchiveError.truncated {
            // It has its full length, so it is not short: its last bytes are not the footer any more.
            throw ArchiveError.damaged(
                archive: path.string, offset: size - min(size, UInt64(ArchiveFooter.encodedLength)),
                reason: ArchiveError.footerChanged)
        }
        throw ArchiveError.damaged(
            archive: path.string, offset: 0,
            reason: .init(
                zh: "SHA-256 为 \(found.digest)，发布时为 \(expected)",
                en: "its SHA-256 is \(found.digest), published was \(expected)"))
    }
}
