// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import Wording

/// Brings a backup back, beside the live data first and in its place last.
///
/// Verify, unpack, load, compare, and only then swap. Until the swap nothing live is touched; from its first rename
/// on, the journal can finish it or undo it.
public struct RestoreJob: Sendable {
    public struct Options: Sendable {
        public var mode: RestoreMode
        /// Overwrite data that is newer than the backup, or of another schema revision.
        public var force: Bool
        public var threads: Int

        public init(
            mode: RestoreMode = .full, force: Bool = false,
            threads: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        ) {
            self.mode = mode
            self.force = force
            self.threads = threads
        }
    }

    let workspace: Workspace
    let options: Options

    var stack: LiveStack { workspace.stack }
    var folder: BackupFolder { workspace.folder }
    var log: Log { workspace.log }
    var cancellation: Cancellation { workspace.cancellation }
    var progress: ProgressSink { workspace.progress }

    public init(_ workspace: Workspace, options: Options) {
        self.workspace = workspace
        self.options = options
    }

    /// What can be said before a task is made of it: is there such a backup, is it good as far as anyone knows, and
    /// would it overwrite newer data?
    /// - Throws: `BackupError` and `PostgresError`.
    public func preflight(_ item: CatalogueItem) throws {
        if item.status == .corrupt {
            throw BackupError.markedCorrupt(name: item.name.string, reason: item.reason ?? "")
        }
        // Only our own archives can show their manifest at once; others are read in the job.
        guard !options.force, let manifest = try quickManifest(item) else { return }
        try NewerDataCheck(stack).run(against: manifest, backup: item.name.string, mode: options.mode)
    }

    /// - Throws: `BackupError`, `ArchiveError`, `PostgresError`, `SystemError`, `CancelledError`. After a throw the
    ///   live data is what it was, unless the error is `BackupError.needsRecovery`.
    public func run(_ name: String) throws -> RestoreOutcome {
        try workspace.holdingStack("restore of \(name)") { hold in try restore(name, hold) }
    }

    private func restore(_ name: String, _ hold: Hold) throws -> RestoreOutcome {
        let start = MonotonicTime.nanoseconds()
        let item = try Catalogue(folder).item(named: name)
        log.info("restore started", ["name": item.name, "mode": options.mode.rawValue, "force": options.force])
        try Verification(folder, log: log, cancellation: cancellation) { [progress] in
            progress(Progress(.verifying, fraction: ($0.fraction ?? 0) * 0.2, detail: $0.detail))
        }.run(item)
        let manifest = try manifest(of: item)
        try check(manifest, item)

        var journal = try journal(for: item)
        try journal.write(in: folder)
        let prepared: Prepared
        do {
            prepared = try prepare(item, manifest, journal)
            try check(manifest, item)
            journal.plan = options.mode.includesArtifacts ? try journal.swap.plan() : nil
        } catch {
            undo(journal, because: error)
            throw error
        }
        let notes = try commit(&journal, prepared.kept)
        let seconds = MonotonicTime.seconds(since: start)
        log.info(
            "restore completed",
            [
                "name": item.name, "mode": options.mode.rawValue, "files": prepared.files,
                "kept": prepared.kept.count,
                "seconds": (seconds * 10).rounded() / 10,
            ])
        return RestoreOutcome(
            backup: item.name, mode: options.mode, manifest: manifest, files: prepared.files,
            kept: prepared.kept.count, seconds: seconds, warnings: prepared.warnings + notes)
    }

    private func check(_ manifest: Manifest, _ item: CatalogueItem) throws {
        try cancellation.check()
        guard !options.force else { return }
        progress(Progress(.checking, fraction: 0.2))
        try NewerDataCheck(stack, cancellation: cancellation).run(
            against: manifest, backup: item.name.string, mode: options.mode)
    }

    func journal(for item: CatalogueItem) throws -> RestoreJournal {
        let live = stack.database.database
        let stamp = LocalTime.now().stamp
        // PostgreSQL cuts names at 63 bytes; ours must not become equal by that.
        let base = String(decoding: Array(live.utf8.prefix(30)), as: UTF8.self)
        return RestoreJournal(
            backup: item.name.string, mode: options.mode, stage: .preparing, liveDatabase: live,
            newDatabase: "\(base)_restore_\(stamp)", oldDatabase: "\(base)_before_\(stamp)",
            hadDatabase: options.mode.includesDatabase ? try Databases(stack.database).exists(live) : false,
            artifacts: stack.artifacts.bytes, plan: nil)
    }

    func undo(_ journal: RestoreJournal, because cause: any Error) {
        log.error("restore failed, undoing", ["name": journal.backup, "reason": cause.bilingual[.english]])
        do { try RestoreCleanup(stack, folder).dropPrepared(journal) } catch {
            // The live data was not touched. The journal stays, and the next run clears up.
            log.error("could not remove what was prepared", ["reason": error.bilingual[.english]])
        }
    }
}
