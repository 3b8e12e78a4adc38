// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

/// Reads a backup and writes down what was found: a good adopted archive becomes completed, a bad one corrupt.
/// Call it under the folder's lock.
///
/// What is found of one name is true of every name of the same file. Where there is damage, the backups that share bytes
/// with it are read, too. See docs/retention.md.
struct Verification: Sendable {
    let folder: BackupFolder
    let log: Log
    private let cancellation: Cancellation?
    private let threads: Int
    private let rate: ReadRate?
    private let deadline: UInt64?
    private let progress: ProgressSink

    /// What a good reading found.
    struct Outcome: Sendable {
        let sidecar: Sidecar
        /// What was wrong in the sidecar and has been put right.
        let notes: [BilingualText]
    }

    /// - Parameter deadline: when to stop reading, in nanoseconds of `MonotonicTime`.
    init(
        _ folder: BackupFolder, log: Log, cancellation: Cancellation? = nil,
        threads: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), rate: ReadRate? = nil, deadline: UInt64? = nil,
        progress: @escaping ProgressSink = { _ in }
    ) {
        self.folder = folder
        self.log = log
        self.cancellation = cancellation
        self.threads = threads
        self.rate = rate
        self.deadline = deadline
        self.progress = progress
    }

    /// - Parameter draft: what was to become the sidecar of a backup that has none.
    /// - Throws: `ArchiveError` and `BackupError.manifestUnreadable` for damage, which has then been recorded;
    ///   `CancelledError` and `ReadObserver.TimeIsUp`, which record nothing.
    @discardableResult
    func run(_ item: CatalogueItem, draft: Sidecar? = nil) throws -> Outcome {
        do { return try readAlone(item, draft) } catch {
            guard error.isDamage else { throw error }
            do { try readOthersOfChain(of: item) } catch is ReadObserver.TimeIsUp {
                // The damage is what matters. They are read when they are due.
                log.warning("not all that share bytes with it were read", ["name": item.name])
            }
            throw error
        }
    }

    /// Reads one backup, whatever others share with it.
    private func readAlone(_ item: CatalogueItem, _ draft: Sidecar? = nil) throws -> Outcome {
        progress(Progress(.verifying, fraction: 0, detail: item.name.string))
        // What is known of it would be overwritten.
        if case .unreadable(let error)? = item.sidecarFault, draft == nil { throw error }
        let outcome: Outcome
        do { outcome = try check(item, item.sidecar ?? draft) } catch {
            let failure = Self.damage(error, in: item)
            guard failure.isDamage else { throw failure }
            log.error("verification failed", ["name": item.name, "reason": failure.bilingual.english])
            do { try recordDamage(failure.bilingual.english, of: item, draft) } catch let error as SystemError {
                throw DamageNotRecorded(name: item.name.string, damage: failure.bilingual, reason: error)
            }
            throw failure
        }
        // What goes wrong from here on is no damage of the backup, which was read.
        do { try recordGood(outcome.sidecar, of: item) } catch let error as SystemError {
            throw NotRecorded(name: item.name.string, reason: error)
        }
        for note in outcome.notes { log.warning("put right", ["name": item.name, "what": note.english]) }
        log.info("verified", ["name": item.name, "bytes": outcome.sidecar.size, "sha256": outcome.sidecar.sha256])
        return outcome
    }

    /// A backup was read and is good, and that could not be written down.
    struct NotRecorded: ExplainedError {
        let name: String
        let reason: SystemError

        var explanation: BilingualText {
            BilingualText(
                zh: "备份 \(name) 校验通过，但结果未能写入：", en: "The backup \(name) is good, and that could not be written down: ")
                + reason.explanation
        }
    }

    /// A backup was read and is damaged, and that could not be written down: it is listed as good.
    struct DamageNotRecorded: ExplainedError {
        let name: String
        let damage: BilingualText
        let reason: SystemError

        var explanation: BilingualText {
            BilingualText(
                zh: "备份 \(name) 已损坏，但结果未能写入：", en: "The backup \(name) is damaged, and that could not be written down: "
            )
                + damage + BilingualText(zh: "；", en: "; ") + reason.explanation
        }
    }

    /// A disk that does not give the bytes of a backup is damage of that backup.
    private static func damage(_ error: any Error, in item: CatalogueItem) -> any Error {
        guard let failure = error as? SystemError, failure.isLostData else { return error }
        return ArchiveError.damaged(
            archive: item.path.string, offset: 0, reason: "the disk does not give its bytes (\(failure.reason))")
    }

    /// Records that the disk gave an error while a backup was read, whether or not it would give one again.
    func condemn(_ item: CatalogueItem, because failure: SystemError) throws {
        try recordDamage(Self.damage(failure, in: item).bilingual.english, of: item)
        try readOthersOfChain(of: item)
    }

    private func readOthersOfChain(of item: CatalogueItem) throws {
        let items = try Catalogue(folder).items()
        let chains = Chains(items)
        var seen: [CatalogueItem] = [item]
        for other in items where other.isWhole && chains.mayBeDamaged(other, with: item) {
            guard !seen.contains(where: { $0.isSameFile(as: other) }) else { continue }
            seen.append(other)
            log.warning("it shares bytes with a damaged backup and is read", ["name": other.name])
            do { _ = try readAlone(other) } catch  where error.isDamage {
                // Each says what is wrong with it itself, in the log and in the catalogue.
            } catch let error as CancelledError {
                throw error
            } catch let error as ReadObserver.TimeIsUp {
                throw error
            } catch {
                log.error("it could not be read", ["name": other.name, "reason": error.bilingual.english])
            }
        }
    }

    // MARK: Reading

    private func check(_ item: CatalogueItem, _ sidecar: Sidecar?) throws -> Outcome {
        let total = max(item.size, 1)
        let observer = ReadObserver(cancellation: cancellation, rate: rate, deadline: deadline) {
            [progress, name = item.name.string] done in
            progress(Progress(.verifying, fraction: min(1, Double(done) / Double(total)), detail: name))
        }
        // Who wrote no digest vouches for nothing.
        let known = sidecar.flatMap { Digest(hex: $0.sha256) == nil ? nil : $0 }
        if item.kind == .compressed, let known, let archive = try ownArchive(item) {
            return try checkMembers(item, archive, known, observer)
        }
        return try checkContent(item, sidecar, observer)
    }

    /// `nil` where it has no footer of ours.
    private func ownArchive(_ item: CatalogueItem) throws -> IndexedArchive? {
        do { return try IndexedArchive(item.path) } catch ArchiveError.truncated { return nil }
    }

    /// Members, index and footer are all the bytes of an archive of ours: members are read by all cores, and what is
    /// wrong is named. The whole file is compared with its digest in the same reading.
    private func checkMembers(
        _ item: CatalogueItem, _ archive: IndexedArchive, _ known: Sidecar, _ observer: ReadObserver
    ) throws -> Outcome {
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
                reason: "its SHA-256 is \(report.digest), published was \(known.sha256)")
        }
        let manifest = try manifest(try archive.content(of: .manifest), item, report.artifacts)
        var right = known
        right.size = report.size
        right.sha256 = report.digest.hex
        right.indexSHA256 = archive.indexDigest.hex
        right.indexOffset = archive.indexOffset
        return settled(right, instead: known, manifest, item)
    }

    /// Nobody vouches for the bytes, or they are in many files: every entry is compared with the index inside.
    private func checkContent(_ item: CatalogueItem, _ known: Sidecar?, _ observer: ReadObserver) throws -> Outcome {
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
            // The index alone vouches for a folder, so nothing else can say that it is the one that was published.
            if let known, Digest(hex: known.sha256) != nil, known.sha256 != digest.hex {
                throw ArchiveError.damaged(
                    archive: item.name.string, offset: 0, reason: "its index is not the one that was published")
            }
        }
        let manifest = try manifest(report.manifest, item, report.artifacts)
        let archive = item.kind == .compressed ? try ownArchive(item) : nil
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
        return settled(right, instead: known.flatMap { Digest(hex: $0.sha256) == nil ? nil : $0 }, manifest, item)
    }

    /// The manifest, once it counts what is there: what verifies can be restored.
    private func manifest(_ bytes: [UInt8]?, _ item: CatalogueItem, _ found: ContentCount) throws -> Manifest {
        guard let bytes else {
            throw BackupError.manifestUnreadable(backup: item.name.string, reason: "it has none")
        }
        let manifest = try Manifest(decoding: bytes, backup: item.name.string)
        guard manifest.artifacts.files == found.files, manifest.artifacts.bytes == found.bytes else {
            throw ArchiveError.damaged(
                archive: item.path.string, offset: 0,
                reason: "it holds \(found.files) files of \(found.bytes) bytes, and its manifest says "
                    + "\(manifest.artifacts.files) of \(manifest.artifacts.bytes)")
        }
        return manifest
    }

    private func settled(
        _ sidecar: Sidecar, instead known: Sidecar?, _ manifest: Manifest, _ item: CatalogueItem
    ) -> Outcome {
        var right = sidecar
        right.type = item.kind
        right.status = right.goodStatus
        right.reason = nil
        right.summary = manifest.summary
        right.verifiedAt = LocalTime.now().epoch
        right.readFile = item.mark
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
        return Outcome(sidecar: right, notes: notes)
    }
}
