// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO
import Wording

/// Reads every byte of a backup and compares it with the index inside: for archives nobody vouches for.
package struct ContentVerifier {
    /// What was found, once everything agreed.
    package struct Report: Sendable, Equatable {
        package let manifest: [UInt8]
        package let files: Int
        package let contentSize: UInt64
        /// What its index says it holds.
        package let artifacts: ContentCount
    }

    private struct Seen {
        let kind: ArchiveEntry.Kind
        let size: UInt64
        let digest: Digest?
    }

    /// The longest index that honest entries could have, in bytes.
    private struct IndexBound {
        private(set) var bytes: UInt64 = 1 << 20

        /// A name may be escaped six-fold; numbers and digests have bounded lengths; a chunk has a line of its own.
        mutating func add(_ entry: ArchiveEntry) {
            var names = entry.path.bytes.count
            switch entry.kind {
            case .symbolicLink(let target): names += target.count
            case .hardLink(let target): names += target.bytes.count
            case .file, .directory: break
            }
            let chunks = entry.size / UInt64(ArchiveLayout.chunkSize)
            bytes = bytes.adding(clamped: UInt64(1024 + 6 * names)).adding(clamped: chunks * 256)
        }
    }

    /// No honest manifest comes near this; bytes.
    private static let manifestLimit: UInt64 = 64 << 20
    /// An index that stands before the files it names, in bytes: some hundred thousand of them.
    private static let earlyIndexLimit: UInt64 = 128 << 20

    package init() {}

    /// - Throws: `ArchiveError`: `truncated` or `damaged` with the file that differs, `notABackup` where the
    ///   manifest or the index is missing.
    package func verify(_ reader: any ArchiveReader) throws -> Report {
        var seen: [EntryPath: Seen] = [:]
        var manifest: [UInt8]?
        var index: [UInt8]?
        var indexBound = IndexBound()
        let buffer = PageBuffer(count: 256 << 10)
        try reader.forEachEntry { entry, content in
            if entry.path == .index {
                // Where it comes first, as tar may list a folder packed again, nothing is known of the rest yet.
                let limit = max(indexBound.bytes, Self.earlyIndexLimit)
                index = try content.readAll(limit: limit, archive: reader.name, path: entry.path)
                return
            }
            indexBound.add(entry)
            var digest: Digest?
            if entry.path == .manifest {
                let bytes = try content.readAll(limit: Self.manifestLimit, archive: reader.name, path: entry.path)
                digest = SHA256.digest(of: bytes)
                manifest = bytes
            } else if entry.kind == .file {
                digest = try Self.digest(of: content, buffer)
            }
            let previous = seen.updateValue(
                Seen(kind: entry.kind, size: entry.size, digest: digest), forKey: entry.path)
            if previous != nil, entry.kind != .directory {
                throw ArchiveError.unsafeEntry(
                    archive: reader.name, path: entry.path.description,
                    reason: ArchiveError.nameTwice)
            }
        }
        guard let manifest else {
            throw ArchiveError.notABackup(
                archive: reader.name,
                reason: .init(zh: "其中没有 \(ArchiveLayout.manifestName)", en: "it has no \(ArchiveLayout.manifestName)"))
        }
        guard let index else {
            throw ArchiveError.notABackup(
                archive: reader.name,
                reason: .init(zh: "其中没有 \(ArchiveLayout.indexName)", en: "it has no \(ArchiveLayout.indexName)"))
        }
        let decoded = try ArchiveIndex(decoding: index, archive: reader.name)
        try compare(seen, with: decoded, reader.name)
        try reader.checkStoredBytes(against: decoded)
        let files = seen.values.filter { $0.kind == .file }
        var artifacts = ContentCount()
        for record in decoded.records { artifacts.add(record.entry) }
        return Report(
            manifest: manifest, files: files.count,
            // Sizes that an archive claims are not to overflow anything.
            contentSize: files.reduce(0) { $0.adding(clamped: $1.size) },
            artifacts: artifacts)
    }

    private func compare(_ seen: [EntryPath: Seen], with index: ArchiveIndex, _ name: String) throws {
        var expected = 0
        var digests: [EntryPath: Digest] = [:]
        for record in index.records where record.entry.kind == .file { digests[record.entry.path] = record.digest }
        for record in index.records {
            expected += 1
            guard let found = seen[record.entry.path] else {
                throw ArchiveError.damaged(
                    archive: name, offset: 0,
                    reason: .init(zh: "缺少 \(record.entry.path)", en: "\(record.entry.path) is missing"))
            }
            let isSame =
                switch record.entry.kind {
                case .directory, .symbolicLink: found.kind == record.entry.kind
                case .file: record.digest != nil && content(of: found, in: seen) == record.digest
                case .hardLink(let target): digests[target] != nil && content(of: found, in: seen) == digests[target]
                }
            guard isSame else {
                throw ArchiveError.damaged(
                    archive: name, offset: 0,
                    reason: .init(
                        zh: "\(record.entry.path) 与备份时不同", en: "\(record.entry.path) is not what was backed up"))
            }
        }
        guard expected == seen.count else {
            let known = Set(index.records.map(\.entry.path))
            let extra = seen.keys.filter { !known.contains($0) }.map(\.description).min() ?? ""
            throw ArchiveError.damaged(
                archive: name, offset: 0, reason: .init(zh: "索引中没有 \(extra)", en: "\(extra) is not in its index"))
        }
    }

    /// Somebody who packs the folder again may turn a pair of linked names round, and copying makes two files of it.
    private func content(of found: Seen, in seen: [EntryPath: Seen]) -> Digest? {
        if case .hardLink(let target) = found.kind { seen[target]?.digest } else { found.digest }
    }

    private static func digest(of content: EntryContent, _ buffer: PageBuffer) throws -> Digest {
        var hash = SHA256()
        while true {
            let got = try content.read(into: buffer.bytes)
            if got == 0 { return hash.finish() }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))
        }
    }
}
