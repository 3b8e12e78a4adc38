// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// Reads a backup and writes down what was found: a good adopted archive becomes completed, a bad one corrupt.
/// Call it under the folder's lock.
struct Verification: Sendable {
    private let folder: BackupFolder
    private let log: Log
    private let cancellation: Cancellation?
    private let threads: Int
    private let rate: ReadRate?
    private let progress: ProgressSink

    init(
        _ folder: BackupFolder, log: Log, cancellation: Cancellation? = nil,
        threads: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), rate: ReadRate? = nil,
        progress: @escaping ProgressSink = { _ in }
    ) {
        self.folder = folder
        self.log = log
        self.cancellation = cancellation
        self.threads = threads
        self.rate = rate
        self.progress = progress
    }

    /// - Returns: the sidecar as it stands now.
    /// - Throws: `ArchiveError` for damage, which has then been recorded, and `CancelledError`, which records nothing.
    @discardableResult
    func run(_ item: CatalogueItem) throws -> Sidecar {
        progress(Progress(.verifying, fraction: 0, detail: item.name.string))
        do {
            let sidecar = try check(item)
            try sidecar.write(in: folder)
            log.info("verified", ["name": item.name, "bytes": sidecar.size, "sha256": sidecar.sha256])
            return sidecar
        } catch let error as ArchiveError {
            log.error("verification failed", ["name": item.name, "reason": error.description])
            try record(error.description, of: item)
            throw error
        } catch let error as BackupError {
            log.error("verification failed", ["name": item.name, "reason": error.description])
            try record(error.description, of: item)
            throw error
        }
    }

    private func check(_ item: CatalogueItem) throws -> Sidecar {
        let total = max(item.size, 1)
        let observer = ReadObserver(cancellation: cancellation, rate: rate) {
            [progress, name = item.name.string] done in
            progress(Progress(.verifying, fraction: min(1, Double(done) / Double(total)), detail: name))
        }
        if item.kind == .compressed, var sidecar = item.sidecar, let digest = Digest(hex: sidecar.sha256) {
            if try !checkMembers(item, sidecar, observer) {
                try StoredFileVerifier.verify(item.path, size: sidecar.size, digest: digest, observer: observer)
            }
            sidecar.status = .completed
            sidecar.reason = nil
            sidecar.verifiedAt = LocalTime.now().epoch
            return sidecar
        }
        return try checkContent(item, observer)
    }

    /// Members, index and footer are all the bytes of an archive of ours; the sidecar vouches for the index, and the
    /// index for the members. They are read by all cores, and what is wrong is named.
    /// - Returns: false where the whole file must be compared with its digest instead.
    private func checkMembers(_ item: CatalogueItem, _ sidecar: Sidecar, _ observer: ReadObserver) throws -> Bool {
        guard let expected = sidecar.indexSHA256, try FileStatus.of(item.path).size == sidecar.size else {
            return false
        }
        let archive: IndexedArchive
        do { archive = try IndexedArchive(item.path) } catch is ArchiveError { return false }
        guard archive.indexDigest.hex == expected, archive.indexOffset == sidecar.indexOffset else { return false }
        let damaged: [ArchiveCheck.DamagedMember]
        do { damaged = try ArchiveCheck(archive, threads: threads, observer: observer).run() } catch is ArchiveError {
            return false
        }
        for member in damaged {
            log.error(
                "a damaged member",
                [
                    "name": item.name, "offset": member.offset, "bytes": member.length,
                    "files": member.files.map(\.description).joined(separator: ", "),
                ])
        }
        if let first = damaged.first { throw first.error(in: item.path.string, of: damaged.count) }
        return true
    }

    /// Nobody vouches for the bytes, or they are in many files: every entry is compared with the index inside.
    private func checkContent(_ item: CatalogueItem, _ observer: ReadObserver) throws -> Sidecar {
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
            size = report.contentSize + indexSize
            if let sidecar = item.sidecar, sidecar.sha256 != digest.hex {
                throw ArchiveError.damaged(
                    archive: item.name.string, offset: 0, reason: "its index is not the one that was published")
            }
        }
        let manifest = try Manifest(decoding: report.manifest, backup: item.name.string)
        // Where nothing had changed, an archive has a second name, and its manifest is as old as the first.
        let created = item.sidecar?.createdAt ?? item.name.time?.epoch ?? manifest.created
        return Sidecar(
            name: item.name.string, type: item.kind, status: .completed, reason: nil, size: size, sha256: digest.hex,
            indexOffset: item.sidecar?.indexOffset ?? 0,
            createdAt: created,
            verifiedAt: LocalTime.now().epoch, adopted: item.sidecar?.adopted ?? true,
            durationSeconds: item.sidecar?.durationSeconds, summary: manifest.summary,
            indexSHA256: item.kind == .compressed ? indexDigest(of: item) : nil,
            generation: item.sidecar?.generation, clonedBytes: item.sidecar?.clonedBytes,
            copiedBytes: item.sidecar?.copiedBytes, stack: item.sidecar?.stack ?? manifest.stack)
    }

    /// `nil` for an archive that somebody packed again: it has no footer.
    private func indexDigest(of item: CatalogueItem) -> String? { try? IndexedArchive(item.path).indexDigest.hex }

    private func record(_ reason: String, of item: CatalogueItem) throws {
        var sidecar =
            item.sidecar
            ?? Sidecar(
                name: item.name.string, type: item.kind, status: .corrupt, reason: nil, size: item.size, sha256: "",
                indexOffset: 0, createdAt: item.created.epoch, verifiedAt: 0, adopted: true, durationSeconds: nil,
                summary: nil)
        sidecar.status = .corrupt
        sidecar.reason = reason
        try sidecar.write(in: folder)
    }
}
