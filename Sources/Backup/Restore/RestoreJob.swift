// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

/// Brings a backup back, beside the live data first and in its place last.
///
/// Verify, unpack, load, compare, and only then swap. Until the swap nothing live is touched; from its first rename
/// on, the journal can finish it or undo it.
package struct RestoreJob: Sendable {
    package struct Options: Sendable {
        package var mode: RestoreMode
        /// Overwrite data that is newer than the backup, or of an older schema revision.
        package var force: Bool
        package var threads: Int
        /// A backup of the live stack that a forced restore makes before anything else; `nil` for none.
        package var backupFirst: BackupFirst?

        /// What a person runs after a restore of an older schema; `nil` where nobody said how MLflow runs here.
        package var upgradeCommand: String?
        /// What the restore itself runs, so that nobody has to.
        package var upgrade: Upgrade?

        /// Whether objects of stores are brought back, too. No setting says so yet: what a reader found of it is open (docs/stores.md, 5).
        package var bringsObjects = false

        package struct BackupFirst: Sendable {
            package var options: BackupJob.Options
            /// Of this program, for the manifest.
            package var version: String

            package init(options: BackupJob.Options, version: String) {
                self.options = options
                // What is about to be restored must not be pushed out by this one.
                self.options.retention = .count(.max)
                self.version = version
            }
        }

        package init(
            mode: RestoreMode = .full, force: Bool = false,
            threads: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), backupFirst: BackupFirst? = nil,
            upgradeCommand: String? = nil, upgrade: Upgrade? = nil
        ) {
            self.backupFirst = backupFirst
            self.upgrade = upgrade
            self.upgradeCommand = upgradeCommand
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

    package init(_ workspace: Workspace, options: Options) {
        self.workspace = workspace
        self.options = options
    }

    /// What can be said before a task is made of it: is there such a backup, is it good as far as anyone knows, and
    /// would it overwrite newer data, as far as a second's look can tell?
    /// - Throws: `BackupError` and `PostgresError`.
    package func preflight(_ item: CatalogueItem) throws {
        try refuseWithoutPlace { try stack.database.session().databases.exists(stack.database.name) }
        try RestorePreflight(workspace, options: options).run(item, .request(newerWithin: 1)).throwFirst()
    }

    /// - Throws: `BackupError`, `ArchiveError`, `PostgresError`, `SystemError`, `CancelledError`. After a throw the
    ///   live data is what it was, unless the error is `BackupError.needsRecovery`.
    package func run(_ name: String) throws -> RestoreOutcome {
        try workspace.holdingStack("restore of \(name)", for: .reading) { hold in try restore(name, hold) }
    }

    /// In the staging folder.
    static let dumpName = "restore-dump"

    private func restore(_ name: String, _ hold: Hold) throws -> RestoreOutcome {
        let start = MonotonicTime.nanoseconds()
        try hold.refuseWhileUnfinished()
        try refuseWithoutPlace { try hold.databases.exists(stack.database.name) }
        let item = try Catalogue(folder).item(named: name)
        try refuseArtifactsAway(hold.identity, on: hold.databases)
        log.info("restore started", ["name": item.name, "mode": options.mode.rawValue, "force": options.force])
        // What is known before minutes of reading.
        let findings = RestorePreflight(workspace, options: options).run(item, .job, holding: hold.session)
        for other in findings.obstacles.dropFirst() {
            log.warning("the restore would fail for this, too", ["reason": other.bilingual[.english]])
        }
        try findings.throwFirst()
        try verify(item)
        let manifest = try manifest(of: item)
        try refuseRemote(manifest, item)
        let others = try beside(manifest)
        try RestoreBeside.refuseAway(others, hold.identity, on: hold.databases)
        let upgrade = try checkSchema(manifest, item)
        try SwapObstacles(workspace, hold.session).check(options.mode)
        for other in others { try SwapObstacles(other.job.workspace, hold.session).check(.artifacts) }
        let remotes = try besideRemote(manifest, item)
        if !options.force {
            try check(manifest, item)
            for other in others { try other.check(item) }
            try refuseNewer(remotes, item)
        }
        try checkRoom(manifest, item, hold)
        for other in others { try other.job.checkRoom(other.manifest, item, hold) }
        let before = try backupFirst(hold)
        try hold.refuseMoved()

        // Of a machine that has none yet. Later it would be made in the place of one that went away.
        for job in [self] + others.map(\.job) { try job.provideArtifactsFolder(like: item) }
        try hold.standAnew(workspace)
        var journal = try journal(for: item, hold)
        try journal.lead(others.map(\.job.workspace))
        if remotes.contains(where: { $0.needsJournal(force: options.force) }) { journal.leadStores() }
        try journal.write(in: workspace.state)
        var staged: Staged
        var following: [StagedBeside] = []
        var stores: [RemoteFollowing] = []
        do {
            staged = try stage(item, manifest, &journal, hold)
            staged.cover = before.map { .init(backup: $0.name.string, until: $0.manifest.database.oldestUnseen) }
            for other in others { try other.stage(item, behind: journal, hold, into: &following) }
            try prepare(remotes, behind: journal, hold, into: &stores)
            progress(Progress(.comparing, fraction: 0.85))
            let newer = try following.reduce(staged.comparison.first(progress)) {
                $0 + (try $1.comparison.first(progress)).inRoot($1.name)
            }
            if !options.force, !newer.isEmpty {
                throw BackupError.newerData(backup: item.name.string, newer: newer)
            }
        } catch {
            let cause = hold.cause(of: error)
            // The deciding one goes last.
            let areGone = following.reduce(stores.abandon(because: cause)) { $1.abandon(hold, because: cause) && $0 }
            if areGone { swap(hold).abandon(journal, because: cause) }
            throw cause
        }
        let unpacked = journal.swap.new
        var dataSwap = swap(hold)
        dataSwap.shared = staged.unchanged.inodes
        dataSwap.following = following.map { $0.swap(hold, force: options.force) }
        dataSwap.stores = stores
        let committed = try dataSwap.run(
            &journal, staged.comparison, cover: staged.cover, broughtIn: staged.broughtIn
        ) {
            guard options.mode.includesArtifacts else { return }
            try staged.unchanged.check(in: unpacked, KeptParts(workspace), cancellation: cancellation)
        }
        let claimed = noteClaim(on: manifest.stack, following.map(\.name), hold)
        let files = following.reduce(staged.files) { $0.adding(clamped: $1.files) }
        let unchanged = following.reduce(staged.unchanged.count) { $0.adding(clamped: $1.unchanged) }
        let seconds = MonotonicTime.seconds(since: start)
        log.info(
            "restore completed",
            [
                "name": item.name, "mode": options.mode.rawValue, "files": files, "unchanged": unchanged,
                "kept": committed.kept?.id ?? "none",
                "replaced": committed.replaced.total, "seconds": (seconds * 10).rounded() / 10,
            ])
        return RestoreOutcome(
            backup: item.name, mode: options.mode, manifest: manifest, files: files, unchanged: unchanged,
            kept: committed.kept, replaced: committed.replaced,
            backupBefore: before?.name, seconds: seconds,
            warnings: [upgrade, before?.suspicious, partial(before)].compactMap { $0 } + elsewhere(manifest)
                + staged.warnings + following.flatMap(\.warnings) + besideBackup(manifest)
                + remoteLeft(manifest, item) + remotes.flatMap(\.warnings) + committed.notes + claimed
                + hold.afterSwap(workspace))
    }

    /// That a reading cannot be written down is no reason not to restore: the folder may be write-protected.
    private func verify(_ item: CatalogueItem) throws {
        do {
            try Verification(folder, log: log, cancellation: cancellation) { [progress] in
                progress(Progress(.verifying, fraction: ($0.fraction ?? 0) * 0.2, detail: $0.detail))
            }.run(item)
        } catch let error as Verification.NotRecorded {
            log.warning("it is good, and that is not noted", ["name": item.name, "reason": error.reason.reason])
        }
    }

    /// The artifacts folder is from now on one that is backed up here, and another stack's backups are ours to go on with.
    private func noteClaim(on other: StackIdentity?, _ restored: [String], _ hold: Hold) -> [BilingualText] {
        // Nothing is backed up to write-protected media, and nothing there is used again or pruned.
        guard folder.writeProtection == nil else { return [] }
        do {
            let identity = try hold.markingArtifacts(workspace, claiming: options.mode.includesArtifacts)
            // Those that were restored, and no others: what else is in the place of a folder may be an empty mount point.
            try hold.markFurther(
                workspace, among: Catalogue(folder).items(), claiming: true, only: Set(restored))
            try workspace.noteClaim(on: other, by: identity)
            return []
        } catch {
            let reason = error.bilingual
            log.warning("the backups taken over could not be noted", ["reason": reason[.english]])
            return [
                BilingualText(
                    zh: "未能记录对原有备份的接管，请运行 mlflow-backup claim：",
                    en: "Run `mlflow-backup claim`: it could not be noted that the backups are this stack's now: ")
                    + reason
            ]
        }
    }

    private func swap(_ hold: Hold) -> DataSwap {
        DataSwap(workspace: workspace, hold: hold, force: options.force)
    }

    func checkSchema(_ manifest: Manifest, _ item: CatalogueItem) throws -> BilingualText? {
        guard options.mode.includesDatabase else { return nil }
        return try schemaCheck(for: options.upgrade).run(manifest, backup: item.name.string)
    }

    func schemaCheck(for upgrade: Options.Upgrade?) -> SchemaCheck {
        SchemaCheck(
            stack: stack, force: options.force, upgradeCommand: options.upgradeCommand, upgrade: upgrade)
    }

    private func check(_ manifest: Manifest, _ item: CatalogueItem) throws {
        try cancellation.check()
        progress(Progress(.checking, fraction: 0.2))
        try QuickCheck(stack, cancellation: cancellation).run(against: manifest, item, mode: options.mode)
    }

    /// What force is about to replace is in a verified backup before anything is touched.
    private func backupFirst(_ hold: Hold) throws -> BackupOutcome? {
        guard let first = options.backupFirst,
            try makesBackupFirst({ try hold.databases.exists(stack.database.name) })
        else { return nil }
        return try BackupJob(workspace, options: first.options, version: first.version).make(hold)
    }

    private func partial(_ before: BackupOutcome?) -> BilingualText? {
        before.flatMap { $0.lack.isNothing ? nil : $0.name.partial($0.lack) }
    }

    private func makesBackupFirst(_ hasDatabase: () throws -> Bool) throws -> Bool {
        guard options.force, options.backupFirst != nil else { return false }
        return try hasDatabase() && FileStatus.ifPresent(stack.artifacts) != nil
    }

    /// - Throws: `BackupError.noPlaceForBackup`, before anything else is done.
    private func refuseWithoutPlace(_ hasDatabase: () throws -> Bool) throws {
        guard let protection = folder.writeProtection, try makesBackupFirst(hasDatabase) else { return }
        throw BackupError.noPlaceForBackup(path: folder.path.string, reason: protection.reason)
    }

    /// - Parameter leader: the journal of the first folder and the database, of one beside it.
    func journal(
        for item: CatalogueItem, _ hold: Hold, behind leader: RestoreJournal? = nil
    ) throws -> RestoreJournal {
        let live = stack.database.name
        let oid = options.mode.includesDatabase ? try hold.databases.numbered(live) : nil
        let id = RestoreJournal.newID()
        var journal = RestoreJournal(
            format: RestoreJournal.plainFormat, id: id, kind: .restore, stack: try hold.identity(in: workspace),
            task: workspace.task, backup: item.name.string, mode: options.mode, stage: .preparing, liveDatabase: live,
            newDatabase: RestoreJournal.databaseName(live, "restore", leader?.id ?? id),
            oldDatabase: RestoreJournal.databaseName(live, "before", id), newOID: nil, oldOID: oid,
            hadDatabase: oid != nil, artifacts: stack.artifacts.bytes,
            rootIdentity: try RestoreJournal.identity(of: stack.artifacts))
        if let leader { journal.follow(leader, as: stack.root) }
        return journal
    }
}

extension RestoreJournal {
    /// `20261125_021500_7f3a9c01`: a name that no other restore has, nor could be guessed.
    static func newID() -> String {
        let nonce = String(UInt32.random(in: .min ... .max), radix: 16)
        return "\(LocalTime.now().stamp)_" + String(repeating: "0", count: 8 - nonce.count) + nonce
    }

    /// PostgreSQL cuts names at 63 bytes; ours must not become equal by that.
    static func databaseName(_ live: String, _ word: String, _ id: String) -> String {
        "\(String(decoding: Array(live.utf8.prefix(28)), as: UTF8.self))_\(word)_\(id)"
    }
}
