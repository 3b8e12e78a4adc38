// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO
import Wording

/// One reading of one backup: its bytes against its index, its manifest and its sidecar. It records nothing.
struct BackupCheck {
    let item: CatalogueItem
    let folder: BackupFolder
    let log: Log
    let threads: Int
    let observer: ReadObserver

    /// - Parameters:
    ///   - sidecar: what is known of it, or was to be.
    ///   - mark: its `FileMark`, of before the first byte: what is put over it while it is read was not read.
    /// - Throws: `ArchiveError` and `BackupError.manifestUnreadable` for damage; `SystemError`, `CancelledError`,
    ///   `ReadObserver.TimeIsUp`.
    func outcome(_ sidecar: Sidecar?, _ mark: String) throws -> Verification.Outcome {
        var outcome = try reading(sidecar)
        outcome.sidecar.readFile = mark
        return outcome
    }

    private func reading(_ sidecar: Sidecar?) throws -> Verification.Outcome {
        // Who wrote no digest vouches for nothing.
        let known = sidecar.flatMap { Digest(hex: $0.sha256) == nil ? nil : $0 }
        if item.kind == .compressed, let known, let archive = try ownArchive() {
            return try checkMembers(archive, known)
        }
        return try checkContent(sidecar)
    }

    /// `nil` where it has no footer of ours.
    private func ownArchive() throws -> IndexedArchive? {
        do { return try IndexedArchive(item.path) } catch ArchiveError.truncated { return nil }
    }

    /// Members, index and footer are all the bytes of an archive of ours: members are read by all cores, and what is
    /// wrong is named. The whole file is compared with its digest in the same reading.
    private func checkMembers(_ archive: IndexedArchive, _ known: Sidecar) throws -> Verification.Outcome {
        let report = try ArchiveCheck(archive, threads: threads, observer: observer).report()
        for member in report.damaged {
            log.error(
                "a damaged member",
                [
                    "name": item.name, "offset": member.offset, "bytes": member.length,
                    "files": member.files.map(\.description).joined(separator: ", "),
                ])
        }
        if let first = report.damaged.first { throw first.error(in: item.path.string, of: report.damaged.count) }

        // Its members agree with its index, and the index with its footer. That it is the archive that was published
        // takes one more witness: the digest of the whole, or that of the index.
        let isWholeKnown = known.sha256 == report.digest.hex
        let isIndexKnown = known.indexSHA256 == archive.indexDigest.hex
        guard isWholeKnown || isIndexKnown else {
            throw ArchiveError.damaged(
                archive: item.path.string, offset: 0,
                reason: .init(
                    zh: "SHA-256 为 \(report.digest)，发布时为 \(known.sha256)",
                    en: "its SHA-256 is \(report.digest), published was \(known.sha256)"))
        }
        let manifest = try manifest(try archive.content(of: .manifest), report.artifacts)
        var right = known
        right.size = report.size
        right.sha256 = report.digest.hex
        right.indexSHA256 = archive.indexDigest.hex
        right.indexOffset = archive.indexOffset
        return settled(right, instead: known, manifest)
    }

    /// Nobody vouches for the bytes, or they are in many files: every entry is compared with the index inside.
    private func checkContent(_ known: Sidecar?) throws -> Verification.Outcome {
        let report: ContentVerifier.Report
        let size: UInt64
        let digest: Digest
        switch item.kind {
        case .compressed:
            let reader = try TarGzipReader(item.path, observer: observer)
            report = try ContentVerifier().verify(reader)
            (size, digest) = try reader.finish()
        case .uncompressed:
            report = try ContentVerifier().verify(FolderReader(item.path, observer: observer))
            let index = item.path.appending(ArchiveLayout.indexName)
            let indexSize: UInt64
            (indexSize, digest) = try StoredFileVerifier.digest(of: index)
            size = report.contentSize.adding(clamped: indexSize)
            // The index alone vouches for a folder, so nothing else can say that it is the one that was published.
            if let known, Digest(hex: known.sha256) != nil, known.sha256 != digest.hex {
                throw ArchiveError.damaged(
                    archive: item.name.string, offset: 0,
                    reason: .init(zh: "索引不是发布时的", en: "its index is not the one that was published"))
            }
        }
        let manifest = try manifest(report.manifest, report.artifacts)
        let archive = item.kind == .compressed ? try ownArchive() : nil
        var right =
            known
            ?? Sidecar(
                name: item.name.string, type: item.kind, status: .completed, reason: nil, size: size,
                sha256: digest.hex, indexOffset: 0, createdAt: manifest.created, verifiedAt: 0,
                adopted: item.sidecarFault != .damaged(isOurs: true), durationSeconds: nil, summary: nil)
        // What shared its bytes was in the sidecar that is lost; other names of the file may know.
        if known == nil { right.chain = Chains(try Catalogue(folder).items()).chain(of: item) }
        right.size = size
        right.sha256 = digest.hex
        right.indexOffset = archive?.indexOffset ?? 0
        right.indexSHA256 = archive?.indexDigest.hex
        let vouching = known.flatMap { Digest(hex: $0.sha256) == nil ? nil : $0 }
        if vouching == nil, !right.adopted, right.suspicion == nil, right.acceptedAt == nil {
            right = try right.judgedAgain(as: item, manifest, in: folder)
        }
        return settled(right, instead: vouching, manifest)
    }

    /// The manifest, once it counts what is there: what verifies can be restored.
    private func manifest(_ bytes: [UInt8]?, _ found: ContentCount) throws -> Manifest {
        guard let bytes else {
            throw BackupError.manifestUnreadable(
                backup: item.name.string, reason: .init(zh: "没有此文件", en: "it has none"))
        }
        let manifest = try Manifest(decoding: bytes, backup: item.name.string)
        let content = manifest.content
        guard content == found else {
            throw ArchiveError.damaged(
                archive: item.path.string, offset: 0,
                reason: BilingualText(
                    zh:
                        "含 \(found.files) 个文件、\(found.bytes) 字节，清单中为 \(content.files) 个、\(content.bytes) 字节",
                    en: "it holds \(found.files) files of \(found.bytes) bytes, and its manifest says "
                        + "\(content.files) of \(content.bytes)"))
        }
        return manifest
    }

    private func settled(
        _ sidecar: Sidecar, instead known: Sidecar?, _ manifest: Manifest
    ) -> Verification.Outcome {
        var right = sidecar
        right.type = item.kind
        right.status = right.goodStatus
        right.damage = nil
        right.summary = manifest.summary
        right.verifiedAt = LocalTime.now().epoch
        right.stack = manifest.stack ?? right.stack
        right.createdAt = BackupDate.verified(item.name, noted: (known ?? item.sidecar)?.createdAt, manifest)
        var notes: [BilingualText] = []
        if let known {
            func note(_ zh: String, _ en: String) {
                notes.append(
                    BilingualText(
                        zh: "\(item.name.sidecar) 中的\(zh)不是该备份的，已改正",
                        en:
                            "\(en) in \(item.name.sidecar) was not that of the backup, and has been put right"))
            }
            func compare<Value: Equatable>(_ path: KeyPath<Sidecar, Value>, _ zh: String, _ en: String) {
                if known[keyPath: path] != right[keyPath: path] { note(zh, en) }
            }
            compare(\.size, "大小", "The size")
            compare(\.sha256, " SHA-256 ", "The SHA-256")
            // Those of 0.1.0 may have had none.
            if known.indexSHA256 != nil { compare(\.indexSHA256, "索引 SHA-256 ", "The SHA-256 of the index") }
            compare(\.indexOffset, "索引位置", "The place of the index")
            if known.stack != nil { compare(\.stack, "归属", "The owner") }
            if BackupDate.differ(known.createdAt, right.createdAt) { note("时间", "The date") }
        }
        return Verification.Outcome(sidecar: right, notes: notes)
    }
}
