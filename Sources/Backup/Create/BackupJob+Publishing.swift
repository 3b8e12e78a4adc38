// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import Glibc
import SystemIO
import Wording

extension BackupJob {
    /// One backup that is published and listed.
    struct Made {
        let name: BackupName
        let written: Written
        let suspicion: Suspicion?
        let warnings: [BilingualText]
    }

    /// Of dumps in the staging folder.
    static let dumpPrefix = "dump-"

    /// - Parameters:
    ///   - base: what bytes may be taken over from.
    ///   - note: what a person should know of that.
    func makeOne(
        _ hold: Hold, _ copies: inout Copies, _ base: ReuseBase? = nil, _ note: BilingualText? = nil
    ) throws -> Made {
        let start = MonotonicTime.nanoseconds()
        let name = try freeName()
        log.info("backup started", ["name": name, "type": options.kind.rawValue])
        let partial = folder.staging.appending(name.string + DurableFile.partialSuffix)
        let dump = folder.staging.appending(Self.dumpPrefix + name.string)
        do {
            var warnings: [BilingualText] = []
            let written = try writeReusing(name, to: partial, dump: dump, &copies, base, &warnings)
            // That bytes are shared is no news where they were not in the end.
            if let note, base == nil || written.base != nil { warnings.append(note) }
            try Directory.removeTree(dump)
            let suspicion = Suspicion.of(
                written.manifest.summary, rows: written.manifest.database.rows,
                mounts: written.manifest.allMounts, among: copies.items, copies.ownership)
            let acceptance = Acceptance.carried(among: copies.items, copies.ownership)
            // What was walked, and what was dumped, are one stack's only where nothing moved meanwhile.
            try hold.refuseMoved()
            try publish(name, partial, written, suspicion, acceptance, seconds: MonotonicTime.seconds(since: start))
            return Made(name: name, written: written, suspicion: suspicion, warnings: warnings)
        } catch {
            removeAfterFailure(partial)
            removeAfterFailure(dump)
            throw error
        }
    }

    /// Takes unchanged members over from the backup before. If that one turns out to be damaged, it is marked so, and
    /// the new backup is made wholly from the live data.
    private func writeReusing(
        _ name: BackupName, to partial: FilePath, dump: FilePath, _ copies: inout Copies, _ base: ReuseBase?,
        _ warnings: inout [BilingualText]
    ) throws -> Written {
        do { return try writeVerified(name, to: partial, dump: dump, copies, base: base) } catch {
            guard let base, let reason = try setAside(base, because: error) else { throw error }
            warnings.append(
                BilingualText(
                    zh: "上一个备份 \(base.item.name) 不能再使用，新的备份完全由源数据生成：",
                    en:
                        "The backup before, \(base.item.name), cannot be used again, and the new one is made wholly from the live data: "
                )
                    + reason)
            try copies.look()
            try Directory.removeTree(partial)
            try Directory.removeTree(dump)
            return try writeVerified(name, to: partial, dump: dump, copies, base: nil)
        }
    }

    /// Finds out whether a failure is that of the backup before, and records it there.
    /// - Returns: why it is not used again; `nil` where it is not the cause.
    private func setAside(_ base: ReuseBase, because error: any Error) throws -> BilingualText? {
        let verification = Verification(folder, log: log, cancellation: cancellation)
        if let failure = error as? SystemError {
            if failure.isInside(base.item.path) {
                log.error("the backup before cannot be read", ["name": base.item.name, "reason": failure.description])
                // What was removed meanwhile, or may not be read, is not damaged; it is no use all the same.
                if failure.isLostData { try verification.condemn(base.item, because: failure) }
                if failure.isOfAnotherKind { do { try verification.run(base.item) } catch  where error.isDamage {} }
                return failure.bilingual
            }
            // The kernel copies without saying which of the two files it could not read.
            guard failure.isLostData else { return nil }
            do { try verification.run(base.item) } catch  where error.isDamage { return error.bilingual }
            return nil
        }
        guard let failure = error as? ArchiveError else { return nil }
        // After an older program was put in the place of a newer one.
        if case .newerFormat = failure { return failure.bilingual }
        guard failure.mayBeOfPrevious else { return nil }
        log.error("the backup before cannot be used again", ["name": base.item.name, "reason": failure.description])
        do { try verification.run(base.item) } catch  where error.isDamage { return error.bilingual }
        return failure.bilingual
    }

    /// An archive is read back by its writer. A folder is compared with its index here.
    private func writeVerified(
        _ name: BackupName, to partial: FilePath, dump: FilePath, _ copies: Copies, base: ReuseBase?
    ) throws -> Written {
        var written = try write(name, to: partial, dump: dump, copies, base: base)
        // An archive does not know how many names it got meanwhile; the catalogue does.
        written.summary.sharing.generation = base?.generation ?? 0
        if options.kind == .uncompressed {
            let report = try ContentVerifier().verify(
                FolderReader(partial, observer: ReadObserver(cancellation: cancellation)))
            let counted = written.manifest.content
            guard report.artifacts == counted else {
                throw ArchiveError.damaged(
                    archive: partial.string, offset: 0,
                    reason: BilingualText(
                        zh:
                            "含 \(report.artifacts.files) 个文件、\(report.artifacts.bytes) 字节，写入的是 \(counted.files) 个、\(counted.bytes) 字节",
                        en: "it holds \(report.artifacts.files) files of \(report.artifacts.bytes) bytes, and "
                            + "\(counted.files) of \(counted.bytes) were written"))
            }
        }
        return written
    }

    private func publish(
        _ name: BackupName, _ partial: FilePath, _ written: Written, _ suspicion: Suspicion?,
        _ acceptance: Acceptance?, seconds: Double
    ) throws {
        let summary = written.summary
        // Only bytes that are the same on the disk make one copy of two: what was copied was read back as its own.
        let shared = summary.sharing.cloned > 0 ? written.base?.chain : nil
        var sidecar = Sidecar(
            name: name.string, type: options.kind, status: .completed, reason: nil, size: summary.size,
            sha256: summary.digest.hex, indexOffset: summary.indexOffset, createdAt: written.manifest.created,
            // Another name of a verified archive was not read again: it is as good as it was then.
            verifiedAt: written.same?.sidecar.verifiedAt ?? LocalTime.now().epoch, adopted: false,
            durationSeconds: seconds, summary: written.manifest.summary, indexSHA256: summary.indexDigest?.hex,
            generation: summary.sharing.generation, clonedBytes: summary.sharing.cloned,
            copiedBytes: summary.sharing.copied, stack: written.manifest.stack, chain: shared ?? name.string,
            suspicion: suspicion)
        sidecar.acceptance = acceptance
        sidecar.status = sidecar.goodStatus
        // Until the sidecar stands beside it, it is listed as unverified; the intent lets the next run finish this.
        let intent = PublicationIntent(name, in: folder)
        try intent.write(sidecar)
        let path = folder.path.appending(name.string)
        var marks = written.marks
        try marks.keeping(partial) { try DurableFile.publish(partial, as: path) }
        workspace.published(name)
        // Of another name it is the file that was read then, which this one may be a copy of.
        sidecar.readFile = try written.same.map { marks.now($0.sidecar.readFile) } ?? FileMark.whole(path)
        try sidecar.write(in: folder)
        if written.isSame { marks.write() }
        do { try intent.remove() } catch {
            log.warning("the note of a publication stays until the next run", ["reason": error.bilingual.english])
        }
    }

    /// The new backup is good whether or not an old one can be removed: that is a warning, told to everybody.
    func prune(_ copies: Copies, _ made: Made, stopsAtDamage: Bool) -> Retention.Outcome {
        progress(Progress(.pruning, fraction: 0.98))
        do {
            return try Retention(workspace, of: copies.identity).apply(
                options.retention, keeping: workspace.pinnedBackups(), justMade: made.name,
                since: copies.started, stopsAtDamage: stopsAtDamage)
        } catch {
            let reason = error.bilingual
            log.error("expired backups could not be removed", ["reason": reason.english])
            return Retention.Outcome(
                warnings: [BilingualText(zh: "过期备份未能删除：", en: "Expired backups could not be removed: ") + reason])
        }
    }

    /// The failure that is being reported matters more; the next run clears the staging folder again.
    private func removeAfterFailure(_ path: FilePath) {
        do { try Directory.removeTree(path) } catch {
            log.warning("could not remove what a failed backup left", ["path": path, "reason": error.description])
        }
    }
}

extension ArchiveError {
    /// Whether the backup before, rather than the live data or the disk written to, may be the cause.
    fileprivate var mayBeOfPrevious: Bool {
        switch self {
        // A pipe in the place of a stored file got another name, as a file would have.
        case .previousDamaged, .damaged, .truncated, .unsafeEntry: true
        default: false
        }
    }
}
