// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import Glibc
import SystemIO
import Wording

extension BackupJob {
    /// What `write` leaves under the partial name.
    struct Written {
        var summary: ArchiveSummary
        let manifest: Manifest
        /// What unchanged members were taken from.
        let base: ReuseBase?
        /// Whether nothing had changed: the partial name is another name of `base` then.
        let isSame: Bool
        /// Of `base`, where it got that name.
        var marks: HeldMarks
        /// What a person should know of the files that were read.
        let notices: [BilingualText]

        var same: ReuseBase? { isSame ? base : nil }
    }

    /// Writes dump, artifacts and manifest under a partial name. Everything is on disk when it returns, and an archive was
    /// read back; who reads a folder back is `writeVerified`.
    func write(
        _ name: BackupName, to partial: FilePath, dump: FilePath, _ copies: Copies, base: ReuseBase?
    ) throws -> Written {
        let started = LocalTime.now()
        progress(Progress(.dumping, fraction: 0.02))
        let database = try stack.database.dump(
            DumpRequest(
                folder: dump, backups: folder.path, threads: options.threads, cancellation: cancellation,
                progress: progress, log: log))
        try carryDate(base, into: dump)
        // After the dump: what was written during it is read again tomorrow, which costs little.
        let writer = try writer(to: partial, base)

        progress(Progress(.archiving, fraction: 0.35))
        let meter = ArchiveMeter(
            // What the last backup held, as the measure of this one's progress.
            expected: copies.items.lazy.compactMap { $0.sidecar?.summary?.contentBytes }.first, progress)
        let archiver = TreeArchiver(into: writer, cancellation: cancellation) { meter.add($0) }
        let dumped = try archiver.add(tree: dump, as: .database, trust: .content)
        try writer.endSection()
        var walked = try walk(stack, archiver, writer)
        var roots: [Manifest.Root] = []
        for further in stack.furtherRoots {
            let other =
                switch further {
                case .folder(let folder): try walk(folder, archiver, writer)
                case .remote(let root): try walk(root, writer) { meter.add($0) }
                }
            roots.append(other.root)
            walked.report.take(other.report)
        }
        let report = walked.report

        var manifest = Manifest(
            name: name.string, created: started, host: Self.hostName(), stack: copies.identity, serviceVersion: version,
            mlflow: .init(version: stack.mlflowVersion(), alembicRevision: database.revision),
            database: database.record,
            artifacts: walked.counted, roots: roots,
            skipped: report.skipped.map { .init(path: $0.path.description, reason: $0.reason.rawValue) },
            changedWhileRead: report.changedWhileRead.map(\.description))
        let coverage = workspace.coverage()
        (manifest.elsewhere, manifest.lack) = (coverage.elsewhere, coverage.lack.adding(stack.mayLack(roots)))
        for entry in report.skipped.prefix(100) {
            log.warning("skipped", ["path": entry.path, "reason": entry.reason.rawValue])
        }
        log.info(
            "archived",
            [
                "files": report.files, "reused_files": report.reusedFiles, "reused_bytes": report.reusedBytes,
                "dump_bytes": dumped.bytes, "base": base?.item.name.string ?? "none",
            ])
        var marks = HeldMarks(folder, log: log)
        if let base, let same = try anotherName(of: base, writer, manifest, partial, &marks) {
            return Written(
                summary: same, manifest: manifest, base: base, isSame: true, marks: marks, notices: notices(report))
        }
        try writer.add(
            ArchiveEntry(path: .manifest, kind: .file, mode: 0o644, modified: .now()), bytes: try manifest.encoded())
        progress(Progress(.verifying, fraction: 0.85))
        let summary = try writer.finish()
        return Written(
            summary: summary, manifest: manifest, base: base, isSame: false, marks: marks,
            notices: notices(report) + notHeld(summary.denied))
    }

    /// One artifacts folder, as a section of its own.
    private func walk(
        _ view: LiveStack, _ archiver: TreeArchiver, _ writer: any ArchiveWriter
    ) throws -> (report: TreeArchiver.Report, counted: Manifest.Artifacts) {
        let started = FileTime.now().seconds
        let report = try archiver.add(tree: view.artifacts, as: view.section, ignoring: LiveStack.notArtifacts)
        try writer.endSection()
        let counted = Manifest.Artifacts(
            files: report.files, folders: report.folders, bytes: report.bytes, walkStarted: started,
            mounts: try view.mountsInside())
        return (report, counted)
    }

    private func walk(
        _ folder: ArtifactFolder, _ archiver: TreeArchiver, _ writer: any ArchiveWriter
    ) throws -> (root: Manifest.Root, report: TreeArchiver.Report) {
        let view = stack.viewed(at: folder)
        let walked = try walk(view, archiver, writer)
        let mark = try ArtifactsMark.read(in: view.artifacts)?.id
        return (.init(name: folder.name, mark: mark, artifacts: walked.counted), walked.report)
    }

    private func notHeld(_ denied: DeniedLooks) -> [BilingualText] {
        guard let (number, example) = denied.counts[.attributes].map({ ($0.number, $0.example) }) else { return [] }
        return [
            BilingualText(
                zh: "\(number) 个条目（例如 \(example.description.shown)）的部分扩展属性不在备份中：\(folder.path) 所在的文件系统无法保存；压缩备份可以保存",
                en:
                    "Extended attributes of \(number) entries, such as \(example.description.shown), are not in the backup: the file system of \(folder.path) "
                    + "cannot hold them; a compressed backup does")
        ]
    }

    private func notices(_ report: TreeArchiver.Report) -> [BilingualText] {
        guard let (count, first) = report.foreign else { return [] }
        let user = geteuid()
        return [
            BilingualText(
                zh:
                    "\(count) 个条目（例如 \(first.description.shown)）属于其他用户；所有者已记录在备份中，但由用户 \(user) 恢复时它们会变为属于 \(user)，只有 root 恢复才能还原所有者",
                en:
                    "\(count) entries, such as \(first.description.shown), are another user's. The backup says whose, but what user \(user) restores becomes "
                    + "user \(user)'s; a restore by root gives them back")
        ]
    }

    /// An independent backup carries it over, too: what did not change must not look changed. Of an archive that is damaged
    /// only the date is lost.
    private func carryDate(_ base: ReuseBase?, into dump: FilePath) throws {
        if let base { return try DumpDate.carryOver(from: base.item, into: dump) }
        // Looked up now: the dump may have taken hours, and what a person removed meanwhile is no failure.
        guard let newest = try Catalogue(folder).items().first(where: { $0.isWhole && $0.kind == .compressed }) else {
            return
        }
        do { try DumpDate.carryOver(from: newest, into: dump) } catch let error as CancelledError { throw error } catch
            where error.isDamage || error.isOfNewerFormat || (error as? SystemError)?.isInside(newest.path) == true
        {
            log.warning("the date of the dump is its own", ["name": newest.name, "reason": error.bilingual.english])
        }
    }

    private func writer(to partial: FilePath, _ base: ReuseBase?) throws -> any ArchiveWriter {
        let (previous, hasObjects) = (base?.item.path, !stack.remote.isEmpty)
        return switch options.kind {
        case .compressed:
            try TarGzipWriter(
                creating: partial, previous: previous, level: options.compressionLevel, threads: options.threads,
                hasObjects: hasObjects)
        case .uncompressed: try FolderWriter(creating: partial, previous: previous, hasObjects: hasObjects)
        }
    }

    /// Where nothing at all changed, the new backup becomes another name (a hard link) of the one before, on any file
    /// system and without reading it.
    private func anotherName(
        of base: ReuseBase, _ writer: any ArchiveWriter, _ manifest: Manifest, _ partial: FilePath,
        _ marks: inout HeldMarks
    ) throws -> ArchiveSummary? {
        guard base.says(theSameAs: manifest), let digest = Digest(hex: base.sidecar.sha256),
            try writer.equalsPrevious(),
            let summary = writer.summaryOfPrevious(
                size: base.sidecar.size, digest: digest, indexOffset: base.sidecar.indexOffset,
                indexDigest: base.sidecar.indexSHA256.flatMap { Digest(hex: $0) })
        else { return nil }
        let linked = FilePath(bytes: partial.bytes + Array(".link".utf8))
        do throws(SystemError) {
            try marks.keeping(base.item.path) { () throws(SystemError) in
                try Directory.link(base.item.path, as: linked)
            }
        } catch {
            // A file may have no more names, or the file system knows none: the members are copied then.
            guard error.isWithoutLinks else { throw error }
            return nil
        }
        try marks.keeping(linked) { try Directory.rename(linked, to: partial) }
        return summary
    }

    static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Turns bytes into a fraction between 0.35 and 0.85 of the whole, at most once for each 16 MiB.
private final class ArchiveMeter {
    private let expected: UInt64?
    private let report: ProgressSink
    private var done: UInt64 = 0
    private var nextReport: UInt64 = 16 << 20

    init(expected: UInt64?, _ report: @escaping ProgressSink) {
        self.expected = expected
        self.report = report
    }

    func add(_ bytes: UInt64) {
        done += bytes
        guard done >= nextReport else { return }
        nextReport = done + (16 << 20)
        let fraction = expected.map { 0.35 + 0.5 * min(1, Double(done) / Double(max($0, 1))) }
        report(Progress(.archiving, fraction: fraction, detail: "\(done >> 20) MiB"))
    }
}
