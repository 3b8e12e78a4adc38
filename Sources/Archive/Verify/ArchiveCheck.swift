// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// Every member of an archive of ours against its digest, on several threads.
///
/// Members, index and footer are all the bytes there are, so this says as much as the digest of the whole file, and
/// says what is wrong and where.
package struct ArchiveCheck: Sendable {
    /// A member whose bytes are not the ones that were published.
    package struct DamagedMember: Sendable, Equatable {
        package let offset: UInt64
        package let length: UInt64
        package let files: [EntryPath]

        /// - Parameter count: how many members are damaged in all.
        package func error(in archive: String, of count: Int) -> ArchiveError {
            let names = files.prefix(5).map(\.description).joined(separator: ", ")
            let (rest, others) = (files.count - 5, count - 1)
            return .damaged(
                archive: archive, offset: offset,
                reason: BilingualText(
                    zh: "一个 \(length) 字节的成员已改变，其中有 \(names)\(rest > 0 ? " 等 \(files.count) 项" : "")"
                        + (others > 0 ? "；另有 \(others) 个成员" : ""),
                    en:
                        "a member of \(length) bytes has changed; it holds \(names)\(rest > 0 ? " and \(rest) more" : "")"
                        + (others > 0 ? "; \(others) other members, too" : "")))
        }
    }

    private let archive: IndexedArchive
    private let threads: Int
    private let observer: ReadObserver

    package init(_ archive: IndexedArchive, threads: Int, observer: ReadObserver = ReadObserver()) {
        self.archive = archive
        self.threads = max(threads, 1)
        self.observer = observer
    }

    /// Everything that one reading of the whole file tells.
    package struct Report: Sendable {
        /// In the order of the file; empty where all is well.
        package let damaged: [DamagedMember]
        /// Size and SHA-256 of the file as it is stored.
        package let size: UInt64
        package let digest: Digest
        /// What its index says it holds.
        package let artifacts: ContentCount
    }

    /// - Returns: what is damaged, in the order of the file; empty where all is well.
    /// - Throws: `ArchiveError` where the index itself cannot be believed.
    package func run() throws -> [DamagedMember] { try members(alsoBy: nil).damaged }

    /// Members and the whole file in one reading: the digest of the whole is made on one more thread, over the same pages.
    /// - Throws: `ArchiveError` where the index itself cannot be believed, `SystemError` where the disk gives no bytes.
    package func report() throws -> Report {
        let whole = try WholeFileDigest(archive.file)
        let (damaged, artifacts) = try members(alsoBy: whole)
        let (size, digest) = try whole.finish()
        return Report(damaged: damaged, size: size, digest: digest, artifacts: artifacts)
    }

    private func members(alsoBy whole: WholeFileDigest?) throws -> (damaged: [DamagedMember], ContentCount) {
        archive.file.advise(.sequential)
        let keepsPages = whole != nil
        let crew = try WorkCrew<Piece, DamagedMember>(threads: threads, name: "verify") { [archive] in
            // Each thread has a buffer of its own.
            let buffer = PageBuffer(count: 1 << 20)
            return { piece in try Self.check(piece, archive.file, buffer, keepsPages: keepsPages) }
        }
        var damaged: [DamagedMember] = []
        var file: [EntryPath] = []
        var artifacts = ContentCount()
        try archive.forEachMember { member in
            try observer.cancellation?.check()
            for record in member.entries { artifacts.add(record.entry) }
            if member.kind == .header { file = member.entries.map(\.entry.path) }
            let paths = member.kind == .chunk ? file : member.entries.map(\.entry.path)
            damaged += try crew.submit(
                Piece(offset: member.offset, length: member.length, digest: member.digest, files: paths))
            whole?.follow(upTo: member.offset + member.length)
            try observer.didRead(member.length, upTo: member.offset + member.length)
            return true
        }
        damaged += try crew.finish()
        return (damaged.sorted { $0.offset < $1.offset }, artifacts)
    }

    private struct Piece: Sendable {
        let offset: UInt64
        let length: UInt64
        let digest: Digest?
        let files: [EntryPath]
    }

    private static func check(
        _ piece: Piece, _ file: OpenFile, _ buffer: PageBuffer, keepsPages: Bool
    ) throws -> DamagedMember? {
        var hash = SHA256()
        var done: UInt64 = 0
        while done < piece.length {
            let part = UnsafeMutableRawBufferPointer(
                rebasing: buffer.bytes[..<Int(min(piece.length - done, UInt64(buffer.bytes.count)))])
            let got = try file.read(into: part, at: piece.offset + done)
            guard got > 0 else { break }
            hash.update(UnsafeRawBufferPointer(rebasing: part[..<got]))
            done += UInt64(got)
        }
        // A check of all backups must not empty the machine's page cache.
        if !keepsPages { file.advise(.willNotNeed, offset: piece.offset, length: piece.length) }
        if hash.finish() == piece.digest { return nil }
        return DamagedMember(offset: piece.offset, length: piece.length, files: piece.files)
    }
}
