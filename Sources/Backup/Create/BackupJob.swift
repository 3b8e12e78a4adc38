// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import MLflowStore
import Postgres
import SystemIO
import Wording

/// Makes one backup: snapshot, dump, artifacts, manifest, index, verification, publication, retention, in this order.
///
/// The database is dumped first and the artifacts are walked after it: MLflow writes a file before it refers to it
/// anywhere, so the files are a superset of what the dump refers to.
public struct BackupJob: Sendable {
    public struct Options: Sendable {
        public var kind: BackupName.Kind
        public var retention: RetentionRule
        /// ISA-L's level, 0 to 3.
        public var compressionLevel: UInt32
        public var threads: Int
        /// Every so many backups one takes nothing over from the one before. One: all of them.
        public var fullEvery: Int

        public init(
            kind: BackupName.Kind = .compressed, retention: RetentionRule = .default, compressionLevel: UInt32 = 2,
            threads: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), fullEvery: Int = 7
        ) {
            self.fullEvery = max(fullEvery, 1)
            self.kind = kind
            self.retention = retention
            self.compressionLevel = compressionLevel
            self.threads = threads
        }
    }

    let workspace: Workspace
    let options: Options
    let version: String

    var stack: LiveStack { workspace.stack }
    var folder: BackupFolder { workspace.folder }
    var log: Log { workspace.log }
    var cancellation: Cancellation { workspace.cancellation }
    var progress: ProgressSink { workspace.progress }

    /// - Parameter version: of this program, for the manifest.
    public init(_ workspace: Workspace, options: Options, version: String) {
        self.workspace = workspace
        self.options = options
        self.version = version
    }

    /// - Throws: `BackupError`, `PostgresError`, `ArchiveError`, `SystemError`, `CancelledError`. After a throw nothing
    ///   is listed that was not listed before.
    public func run() throws -> BackupOutcome { try workspace.holdingStack("backup", make) }

    /// Makes the backup under locks that the caller has.
    func make(_ hold: Hold) throws -> BackupOutcome {
        let start = MonotonicTime.nanoseconds()
        progress(Progress(.checking, fraction: 0))
        try preflight()
        let identity = try hold.markingArtifacts(workspace)
        let name = try freeName()
        log.info("backup started", ["name": name, "type": options.kind.rawValue])
        let partial = folder.staging.appending(name.string + DurableFile.partialSuffix)
        let dump = folder.staging.appending("dump-" + name.string)
        do {
            let written = try writeReusing(name, to: partial, dump: dump, identity)
            let (summary, manifest) = (written.summary, written.manifest)
            try Directory.removeTree(dump)
            try publish(name, partial, written, seconds: MonotonicTime.seconds(since: start))
            let (removed, pruneWarnings) = prune()
            let seconds = MonotonicTime.seconds(since: start)
            log.info(
                "backup completed",
                [
                    "name": name, "bytes": summary.size, "sha256": summary.digest, "files": manifest.artifacts.files,
                    "cloned_bytes": summary.sharing.cloned, "copied_bytes": summary.sharing.copied,
                    "generation": summary.sharing.generation, "skipped": manifest.skipped.count,
                    "seconds": (seconds * 10).rounded() / 10,
                ])
            return BackupOutcome(
                name: name, path: folder.path.appending(name.string), size: summary.size, digest: summary.digest,
                sharing: summary.sharing, manifest: manifest, seconds: seconds, removed: removed,
                warnings: warnings(manifest) + pruneWarnings)
        } catch {
            removeAfterFailure(partial)
            removeAfterFailure(dump)
            throw error
        }
    }

    /// Takes unchanged members over from the backup before. If that one turns out to be damaged, it is marked so, and
    /// the new backup is made wholly from the live data.
    private func writeReusing(
        _ name: BackupName, to partial: FilePath, dump: FilePath, _ identity: StackIdentity
    ) throws -> Written {
        let base = try ReuseBase.choose(options.kind, in: folder, fullEvery: options.fullEvery)
        do { return try writeVerified(name, to: partial, dump: dump, identity, base: base) } catch let error
            as ArchiveError
        {
            guard let base, error.mayBeOfPrevious else { throw error }
            log.error("the backup before cannot be used again", ["name": base.item.name, "reason": error.description])
            // It says what is wrong itself, in the log and in the catalogue.
            do { try Verification(folder, log: log, cancellation: cancellation).run(base.item) } catch is ArchiveError {
            }
            try Directory.removeTree(partial)
            try Directory.removeTree(dump)
            return try writeVerified(name, to: partial, dump: dump, identity, base: nil)
        }
    }

    /// An archive is read back by its writer. A folder is compared with its index here.
    private func writeVerified(
        _ name: BackupName, to partial: FilePath, dump: FilePath, _ identity: StackIdentity, base: ReuseBase?
    ) throws -> Written {
        var written = try write(name, to: partial, dump: dump, identity, base: base)
        // An archive does not know how many names it got meanwhile; the catalogue does.
        written.summary.sharing.generation = base?.generation ?? 0
        if options.kind == .uncompressed {
            _ = try ContentVerifier().verify(FolderReader(partial, observer: ReadObserver(cancellation: cancellation)))
        }
        return written
    }

    /// What can be known before anything is written.
    public func preflight() throws {
        try stack.checkArtifactsFolder()
        let connection = try Connection(stack.database)
        try stack.tools.check(serverVersion: connection.serverVersion)
        let databaseSize = try connection.rows("SELECT pg_database_size(current_database())").first?.int64(0) ?? 0
        let previous = try Catalogue(folder).items().first { $0.status == .completed && $0.kind == options.kind }
        // The dump lies in the staging folder uncompressed while the archive grows beside it.
        let needed = UInt64(max(0, databaseSize)) + (previous?.size ?? 0)
        let space = try DiskSpace.at(folder.path)
        guard space.available > needed else {
            throw BackupError.notEnoughRoom(path: folder.path.string, needed: needed, available: space.available)
        }
    }

    /// A name nobody has. Within one second only one backup can have it, so the second one waits for the next.
    private func freeName() throws -> BackupName {
        while true {
            try cancellation.check()
            let now = LocalTime.now()
            let taken = try BackupName.Kind.all.contains { kind in
                try FileStatus.ifPresent(folder.path.appending(BackupName(at: now, kind).string)) != nil
            }
            if !taken { return BackupName(at: now, options.kind) }
            usleep(100_000)
        }
    }

    private func publish(_ name: BackupName, _ partial: FilePath, _ written: Written, seconds: Double) throws {
        let summary = written.summary
        // Until the sidecar stands beside it, it is listed as unverified.
        try DurableFile.publish(partial, as: folder.path.appending(name.string))
        try Sidecar(
            name: name.string, type: options.kind, status: .completed, reason: nil, size: summary.size,
            sha256: summary.digest.hex, indexOffset: summary.indexOffset, createdAt: written.manifest.created,
            // Another name of a verified archive was not read again: it is as good as it was then.
            verifiedAt: written.same?.sidecar.verifiedAt ?? LocalTime.now().epoch, adopted: false,
            durationSeconds: seconds, summary: written.manifest.summary, indexSHA256: summary.indexDigest?.hex,
            generation: summary.sharing.generation, clonedBytes: summary.sharing.cloned,
            copiedBytes: summary.sharing.copied, stack: written.manifest.stack
        ).write(in: folder)
    }

    /// The new backup is good whether or not an old one can be removed: that is a warning, told to everybody.
    private func prune() -> ([BackupName], [BilingualText]) {
        progress(Progress(.pruning, fraction: 0.98))
        do { return (try Retention(folder, log: log).apply(options.retention), []) } catch {
            let reason = error.bilingual
            log.error("expired backups could not be removed", ["reason": reason[.english]])
            return ([], [BilingualText(zh: "过期备份未能删除：", en: "Expired backups could not be removed: ") + reason])
        }
    }

    private func warnings(_ manifest: Manifest) -> [BilingualText] {
        var warnings: [BilingualText] = []
        if !manifest.skipped.isEmpty {
            let first = manifest.skipped[0]
            warnings.append(
                BilingualText(
                    zh: "跳过了 \(manifest.skipped.count) 个条目，例如 \(first.path)（\(first.reason)）",
                    en: "\(manifest.skipped.count) entries were skipped, such as \(first.path) (\(first.reason))"))
        }
        if let first = manifest.changedWhileRead.first {
            warnings.append(
                BilingualText(
                    zh: "\(manifest.changedWhileRead.count) 个文件在读取时被写入，例如 \(first)",
                    en:
                        "\(manifest.changedWhileRead.count) files were written to while they were read, such as \(first)"
                ))
        }
        return warnings
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
        case .previousDamaged, .damaged, .truncated: true
        default: false
        }
    }
}

extension BackupName.Kind {
    static let all: [BackupName.Kind] = [.compressed, .uncompressed]
}
