// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import MLflowStore
import SystemIO
import Wording

/// Makes one backup: snapshot, dump, artifacts, manifest, index, verification, publication, retention, in this order.
///
/// The database is dumped first and the artifacts are walked after it: MLflow writes a file before it refers to it
/// anywhere, so the files are a superset of what the dump refers to.
package struct BackupJob: Sendable {
    package struct Options: Sendable {
        package var kind: BackupName.Kind
        package var retention: RetentionRule
        /// ISA-L's level, 0 to 3.
        package var compressionLevel: UInt32
        package var threads: Int
        /// Every so many backups one takes nothing over from the one before. One: all of them. It is cut below what
        /// retention keeps.
        package var fullEvery: Int
        /// How long old copies are read after the backup, in seconds at most; zero for not at all.
        package var scrubSeconds: Double

        package init(
            kind: BackupName.Kind = .compressed, retention: RetentionRule = .default, compressionLevel: UInt32 = 2,
            threads: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), fullEvery: Int = 7,
            scrubSeconds: Double = 1800
        ) {
            self.scrubSeconds = scrubSeconds
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
    package init(_ workspace: Workspace, options: Options, version: String) {
        self.workspace = workspace
        self.options = options
        self.version = version
    }

    /// - Throws: `BackupError`, `PostgresError`, `ArchiveError`, `SystemError`, `CancelledError`. After a throw nothing
    ///   is listed that was not listed before, unless `workspace.published` was told of it: where the very last write
    ///   failed, it is read and listed by the next operation; where it turned out damaged, it is listed as that.
    package func run() throws -> BackupOutcome { try workspace.holdingStack("backup", for: .writing, make) }

    /// Makes the backup under locks that the caller has.
    func make(_ hold: Hold) throws -> BackupOutcome {
        let start = MonotonicTime.nanoseconds()
        progress(Progress(.checking, fraction: 0))
        let items = try Catalogue(folder).items()
        let findings = preflight.run(beside: items, holding: hold.session)
        try findings.throwFirst()
        let identity = try hold.markingArtifacts(workspace)
        try hold.markFurther(workspace, among: items)
        // Who took this stack's backups over has to leave them alone from now on, whatever becomes of what is made now.
        try Claims.end(on: identity, in: folder)
        var copies = try Copies(self, identity, items)
        let (base, note) = try copies.base()
        var made = try makeOne(hold, &copies, base, note)
        // What is in the folder is looked at anew at the end.
        var told = findings.noticesBesideGaps(but: [.keptParts, .ownBackups]) + made.warnings
        // What is due to be read is read before anything goes, and what turns out damaged is made good first: a good old
        // copy must not go because of a newer one that nobody has read for days.
        var removed: [BackupName] = []
        var seconds = options.scrubSeconds
        // Who cancels it now has a backup all the same, and the rest is for the next run.
        for attempt in 1...3 where attempt == 1 || !cancellation.isCancelled {
            told += scrub(copies, &seconds)
            if attempt < 3, try needsWhole(&copies, made) {
                made = try makeWhole(hold, &copies, instead: made, &told)
                continue
            }
            let retention = prune(copies, made, stopsAtDamage: attempt < 3)
            removed += retention.removed
            told += retention.warnings
            let isShort = try needsWhole(&copies, made)
            guard attempt < 3, !retention.damaged.isEmpty else { break }
            if isShort { made = try makeWhole(hold, &copies, instead: made, &told) }
        }
        return outcome(made, try unchanged(made, copies), removed, told + copies.warnings() + stuckLeftovers(), start)
    }

    /// - Parameter seconds: what is left of the time for it.
    private func scrub(_ copies: Copies, _ seconds: inout Double) -> [BilingualText] {
        guard seconds > 0 else { return [] }
        progress(Progress(.verifying, fraction: 0.98))
        let start = MonotonicTime.nanoseconds()
        defer { seconds -= MonotonicTime.seconds(since: start) }
        return Scrub(workspace, copies, atMost: seconds).run()
    }

    /// - Returns: `nil` where this run read the bytes.
    private func unchanged(_ made: Made, _ copies: Copies) throws -> BackupOutcome.Unchanged? {
        guard let same = made.written.same else { return nil }
        // Another reading of the file is noted beside each of its names.
        let now = try copies.item(named: made.name)
        guard now.sidecar?.verifiedAt == same.sidecar.verifiedAt else { return nil }
        return .init(since: same.item.name, lastRead: now.lastRead(.now()).map { LocalTime(epoch: $0) })
    }

    private func outcome(
        _ made: Made, _ unchanged: BackupOutcome.Unchanged?, _ removed: [BackupName], _ warnings: [BilingualText],
        _ start: UInt64
    ) -> BackupOutcome {
        let (summary, manifest) = (made.written.summary, made.written.manifest)
        let seconds = MonotonicTime.seconds(since: start)
        log.info(
            "backup completed",
            [
                "name": made.name, "bytes": summary.size, "sha256": summary.digest, "files": manifest.content.files,
                "cloned_bytes": summary.sharing.cloned, "copied_bytes": summary.sharing.copied,
                "generation": summary.sharing.generation, "skipped": manifest.skippedCount,
                "unchanged_since": unchanged?.since.string ?? "no",
                "suspicious": made.suspicion?.text.english ?? "no",
                "lacks": manifest.lack.map { $0.names.joined(separator: " ") } ?? "?",
                "seconds": (seconds * 10).rounded() / 10,
            ])
        let suspicious = made.suspicion.map { Self.suspicious(made.name, $0) }
        return BackupOutcome(
            name: made.name, path: folder.path.appending(made.name.string), size: summary.size, digest: summary.digest,
            sharing: summary.sharing, manifest: manifest, seconds: seconds, removed: removed,
            warnings: (suspicious.map { [$0] } ?? []) + self.warnings(manifest) + made.written.notices + warnings,
            suspicious: suspicious,
            unchanged: unchanged)
    }

    /// Looks at the folder again. Whether nothing but a backup wholly from the live data makes up for what turned out damaged
    /// since it was looked at last.
    private func needsWhole(_ copies: inout Copies, _ made: Made) throws -> Bool {
        let found = try copies.lookForDamage()
        if try copies.item(named: made.name).status == .corrupt { return true }
        // What is suspicious counts as no copy, and neither would the next one.
        return found && made.suspicion == nil && copies.goodCopies(beside: made.name) < copies.wantedCopies
    }

    private func makeWhole(
        _ hold: Hold, _ copies: inout Copies, instead made: Made, _ told: inout [BilingualText]
    ) throws -> Made {
        log.warning("a whole new backup is made, because a copy turned out damaged", ["instead_of": made.name])
        do {
            try copies.look()
            let whole = try makeOne(hold, &copies)
            told += whole.warnings
            return whole
        } catch {
            // Also where it was cancelled: what was made is published and listed, and good unless it is the damaged one itself.
            guard try Catalogue(folder).item(named: made.name.string).isWhole else { throw error }
            told.append(
                BilingualText(zh: "未能重新做一个完整备份：", en: "A whole new backup could not be made: ") + error.bilingual)
            return made
        }
    }

    /// What can be known before anything is written.
    package var preflight: BackupPreflight { BackupPreflight(workspace, options: options, isFollowed: true) }

    /// A name nobody has. Within one second only one backup can have it, so the second one waits for the next.
    func freeName() throws -> BackupName {
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

    private func warnings(_ manifest: Manifest) -> [BilingualText] {
        // What is told is what was noted: another look may see other things.
        var warnings = manifest.elsewhere?.gaps(.backup, artifacts: stack.artifacts) ?? []
        if let lack = manifest.lack, !lack.isNothing, warnings.isEmpty { warnings.append(lack.sentence) }
        if !manifest.skipped.isEmpty {
            let first = manifest.skipped[0]
            warnings.append(
                BilingualText(
                    zh:
                        "跳过了 \(manifest.skippedCount) 个条目，例如 \(first.path.shown)（\(SkipReason(rawValue: first.reason)?.text.chinese ?? first.reason)）",
                    en:
                        "\(manifest.skippedCount) \(manifest.skippedCount == 1 ? "entry was" : "entries were") skipped, such as \(first.path.shown) (\(first.reason))"
                ))
        }
        if let first = manifest.changedWhileRead.first {
            warnings.append(
                BilingualText(
                    zh: "\(manifest.changedCount) 个文件在读取时被写入，例如 \(first.shown)",
                    en:
                        "\(manifest.changedCount) files were written to while they were read, such as \(first.shown)"
                ))
        }
        return warnings
    }

    /// What cannot be removed stops nobody, and is told each time.
    private func stuckLeftovers() -> [BilingualText] {
        // A folder that cannot be listed was just written to; the next run finds out more.
        guard let left = try? folder.leftInStaging(), !left.isEmpty else { return [] }
        let names = left.prefix(3).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
        return [
            BilingualText(
                zh: "\(folder.staging) 中有 \(left.count) 个遗留项无法删除（\(names)）。请检查其权限和属性（lsattr）后手动删除。",
                en:
                    "\(left.count) leftovers in \(folder.staging) cannot be removed (\(names)). Check their permissions and "
                    + "attributes (lsattr), then remove them.")
        ]
    }

    private static func suspicious(_ name: BackupName, _ suspicion: Suspicion) -> BilingualText {
        BilingualText(
            zh: "备份 \(name) 可疑：", en: "The backup \(name) is suspicious: ") + suspicion.text
            + BilingualText(
                zh: "。请检查数据库和 artifacts 目录是否是原来的；它不会挤掉旧备份。确认无误后运行 mlflow-backup accept \(name)。",
                en:
                    ". Check that database and artifacts folder are the right ones; it pushes no other backup out. If it is "
                    + "right, run `mlflow-backup accept \(name)`.")
    }
}

extension BackupName.Kind {
    static let all: [BackupName.Kind] = [.compressed, .uncompressed]
}
