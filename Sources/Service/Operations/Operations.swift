// SPDX-License-Identifier: Apache-2.0

import Archive
import Backup
import Glibc
import SystemIO
import Wording

/// Carries requests out with the engines. It keeps no record: `TaskRunner` and the command line do.
public struct Operations: Sendable {
    public let stack: LiveStack
    public let folder: BackupFolder
    public let log: Log
    /// Slows verification down; `nil` for no limit.
    public var readRate: ReadRate?
    /// What restores go by beside their request.
    public var restoring = RestoreSettings()
    /// Told how a restore ended that an earlier process left unfinished; whoever keeps records sets it.
    public var settled: @Sendable (RestoreRecovery.Outcome) -> Void = { _ in }
    private let compressionLevel: UInt32
    private let fullEvery: Int
    private let scrubs: Bool

    /// - Parameters:
    ///   - compressionLevel: ISA-L's, 0 to 3.
    ///   - fullEvery: every so many backups one takes nothing over from the one before.
    ///   - scrubs: whether a backup reads old copies again.
    public init(
        _ stack: LiveStack, _ folder: BackupFolder, compressionLevel: Int = 2, fullEvery: Int = 7, scrubs: Bool = true,
        log: Log
    ) {
        self.scrubs = scrubs
        self.stack = stack
        self.compressionLevel = UInt32(max(compressionLevel, 0))
        self.fullEvery = fullEvery
        self.folder = folder
        self.log = log
    }

    private func backupOptions(_ kind: BackupName.Kind, _ retention: RetentionRule) -> BackupJob.Options {
        .init(
            kind: kind, retention: retention, compressionLevel: compressionLevel, fullEvery: fullEvery,
            scrubSeconds: scrubs ? 1800 : 0)
    }

    /// What a forced restore makes of the live stack before it begins.
    private var backupFirst: RestoreJob.Options.BackupFirst {
        .init(options: backupOptions(.compressed, .default), version: ServiceVersion.current)
    }

    public var catalogue: Catalogue { Catalogue(folder, usedBy: stack.artifacts) }

    /// What a job of the engine is made of.
    public var workspace: Workspace { workspace(on: stack) }

    /// The same for a stack that was looked at anew.
    func workspace(on stack: LiveStack) -> Workspace {
        var workspace = Workspace(stack, folder, log: log)
        workspace.settled = settled
        workspace.keepSeconds = restoring.undoKeepSeconds
        workspace.keepBytes = restoring.undoKeepBytes
        return workspace
    }

    /// - Parameters:
    ///   - waitSeconds: how long to wait for another process's operation.
    ///   - published: told of each backup that is made on the way.
    /// - Throws: what the engines throw.
    public func perform(
        _ request: OperationRequest, task: String? = nil, waitSeconds: Double, cancellation: Cancellation,
        published: @escaping @Sendable (BackupName) -> Void = { _ in }, progress: @escaping ProgressSink
    ) throws -> OperationResult {
        var workspace = workspace
        workspace.waitSeconds = waitSeconds
        workspace.cancellation = cancellation
        workspace.progress = progress
        workspace.published = published
        workspace.task = task
        switch request {
        case .backup(let kind, let retention):
            return backupResult(
                try BackupJob(
                    workspace, options: backupOptions(kind, retention), version: ServiceVersion.current
                ).run())
        case .restore(let name, let mode, let force, let backupFirst):
            let options = RestoreJob.Options(
                mode: mode, force: force, backupFirst: force && backupFirst ? self.backupFirst : nil,
                upgradeCommand: restoring.upgradeCommand)
            return restoreResult(try RestoreJob(workspace, options: options).run(name))
        case .undo(let force, let first):
            let job = UndoJob(workspace, force: force, backupFirst: force && first ? backupFirst : nil)
            return undoResult(try job.run())
        case .claim(let name): return claimResult(try ClaimJob(workspace, of: name).run())
        case .forget(let id): return forgetResult(try ForgetJob(workspace).run(id))
        case .verify(let name):
            let start = MonotonicTime.nanoseconds()
            let outcome = try VerifyJob(workspace, rate: readRate).run(name)
            return verifyResult(outcome, seconds: MonotonicTime.seconds(since: start))
        }
    }

    /// Makes the backup folder where it may be made: before anything is recorded in it.
    ///
    /// An empty folder in the place of one that was used is refused, but by the operation through which a person says that
    /// this is right.
    /// - Throws: `BackupError.folderVanished`, `.folderNotUsable`.
    public func prepareFolder(for request: OperationRequest) throws {
        if case .claim = request { return try workspace.folder.prepare() }
        try workspace.prepareFolder()
    }

    /// Refuses at once what would fail anyway, so that a caller hears of it in the answer and not in a task.
    public func preflight(_ request: OperationRequest) throws {
        try prepareFolder(for: request)
        switch request {
        case .backup(let kind, let retention):
            try BackupJob(
                workspace, options: backupOptions(kind, retention), version: ServiceVersion.current
            ).preflight()
        case .restore(let name, let mode, let force, _):
            try RestoreJob(
                workspace, options: .init(mode: mode, force: force, upgradeCommand: restoring.upgradeCommand)
            ).preflight(
                try catalogue.item(named: name))
        case .undo: _ = try UndoJob(workspace, force: false).preflight()
        case .verify(let name): _ = try catalogue.item(named: name)
        case .claim: break
        case .forget(let id): try ForgetJob(workspace).preflight(id)
        }
    }

    private func backupResult(_ outcome: BackupOutcome) -> OperationResult {
        let size = HumanUnits.size(outcome.size)
        let duration = HumanUnits.duration(seconds: outcome.seconds)
        let warnings = outcome.warnings
        return OperationResult(
            message: outcome.suspicious == nil
                ? BilingualText(zh: "备份成功完成", en: "The backup has been completed")
                : BilingualText(
                    zh: "备份已完成，但可疑，需要人工确认", en: "The backup was made, and is suspicious: somebody has to accept it"),
            output: lines(
                [
                    BilingualText(zh: "备份完成，位置: \(outcome.path)", en: "Backup completed: \(outcome.path)"),
                    BilingualText(
                        zh: "大小 \(size)，\(outcome.manifest.artifacts.files) 个文件，用时 \(duration)，",
                        en: "\(size), \(outcome.manifest.artifacts.files) files, \(duration), ")
                        + UnchangedText.of(outcome.unchanged),
                ] + warnings
                    + outcome.removed.map { BilingualText(zh: "已删除过期备份 \($0)", en: "Removed the expired backup \($0)") }
            ),
            backupName: outcome.name.string, size: outcome.size, seconds: outcome.seconds, warnings: warnings,
            removed: outcome.removed.map(\.string), sha256: outcome.digest.hex,
            isSuspicious: outcome.suspicious != nil, isVerified: outcome.unchanged == nil, unchanged: outcome.unchanged)
    }

    private func restoreResult(_ outcome: RestoreOutcome) -> OperationResult {
        let duration = HumanUnits.duration(seconds: outcome.seconds)
        var parts: [BilingualText] = [
            BilingualText(
                zh: "已从 \(outcome.backup) 恢复（\(outcome.mode.rawValue)），用时 \(duration)",
                en: "Restored from \(outcome.backup) (\(outcome.mode.rawValue)), \(duration)")
        ]
        if outcome.mode != .artifacts {
            let runs = outcome.manifest.summary.runs ?? 0
            parts.append(
                BilingualText(zh: "数据库行数与备份一致，\(runs) 个运行", en: "Row counts agree with the backup; \(runs) runs"))
        }
        if outcome.mode != .database {
            let same = outcome.unchanged
            parts.append(
                BilingualText(
                    zh: "恢复了 \(outcome.files) 个 artifact 文件" + (same > 0 ? "（其中 \(same) 个本已正确，未重写）" : ""),
                    en: "\(outcome.files) artifact files" + (same > 0 ? ", \(same) of them right already" : "")))
        }
        if let before = outcome.backupBefore {
            parts.append(
                BilingualText(zh: "恢复前已备份现有数据: \(before)", en: "What was live is in the backup \(before), made before"))
        }
        parts += KeptText.lines(outcome.kept, replaced: outcome.replaced)
        return OperationResult(
            message: BilingualText(zh: "恢复成功完成", en: "The restore has been completed"),
            output: lines(parts + outcome.warnings), backupName: outcome.backup.string, size: nil,
            seconds: outcome.seconds, warnings: outcome.warnings, removed: [], sha256: nil)
    }

    private func claimResult(_ outcome: ClaimJob.Outcome) -> OperationResult {
        var texts: [BilingualText] = []
        if !outcome.stacks.isEmpty {
            let names = outcome.stacks.map(\.description)
            texts.append(
                BilingualText(
                    zh: "已接管 \(names.count) 套 MLflow 的备份：\(names.joined(separator: "、"))",
                    en: "Took over the backups of \(names.count) stacks: \(names.joined(separator: ", "))"))
        }
        if !outcome.kept.isEmpty {
            texts.append(
                BilingualText(
                    zh: "已重新登记恢复所保留的数据 \(outcome.kept.count) 份：\(outcome.kept.joined(separator: "、"))",
                    en: "Took up again what restores had kept, \(outcome.kept.count) in all: "
                        + outcome.kept.joined(separator: ", ")))
        }
        if texts.isEmpty {
            texts = [BilingualText(zh: "没有需要接管的备份。", en: "There was nothing to take over.")]
        }
        let message =
            outcome.stacks.isEmpty
            ? BilingualText(zh: "接管完成", en: "The claim has been completed")
            : BilingualText(zh: "接管完成", en: "The backups are this stack's now")
        return OperationResult(
            message: message, output: lines(texts), backupName: "", size: nil, seconds: 0, warnings: [], removed: [],
            sha256: nil)
    }

    private func forgetResult(_ part: KeptPart) -> OperationResult {
        OperationResult(
            message: BilingualText(zh: "保留数据已删除", en: "What the restore had kept is removed"),
            output: BilingualText(
                zh: "已删除\(part.restoreText.chinese)所保留的数据 \(part.id)",
                en: "Removed what \(part.restoreText.english) had kept as \(part.id)"),
            backupName: part.backup, size: nil, seconds: 0, warnings: [], removed: [], sha256: nil)
    }

    private func undoResult(_ outcome: UndoOutcome) -> OperationResult {
        let restore = outcome.undone.restoreText
        let undone = BilingualText(
            zh: "已撤销\(restore.chinese)，恢复前的数据重新生效",
            en: restore.english.prefix(1).uppercased() + restore.english.dropFirst()
                + " is taken back: what was live before is live again")
        return OperationResult(
            message: BilingualText(zh: "撤销成功完成", en: "The undo has been completed"),
            output: lines([undone] + KeptText.lines(outcome.kept, replaced: outcome.replaced) + outcome.warnings),
            backupName: outcome.undone.backup, size: nil, seconds: outcome.seconds, warnings: outcome.warnings,
            removed: [], sha256: nil)
    }

    private func verifyResult(_ outcome: VerifyJob.Outcome, seconds: Double) -> OperationResult {
        let item = outcome.item
        let digest = item.sidecar?.sha256 ?? ""
        return OperationResult(
            message: BilingualText(zh: "校验通过", en: "The backup is good"),
            output: lines(
                [
                    BilingualText(
                        zh: "\(item.name) 校验通过：\(HumanUnits.size(item.size))，SHA-256 \(digest)",
                        en: "\(item.name) is good: \(HumanUnits.size(item.size)), SHA-256 \(digest)")
                ] + outcome.notes),
            backupName: item.name.string, size: item.size, seconds: seconds, warnings: outcome.notes, removed: [],
            sha256: digest, isVerified: true)
    }

    private func lines(_ texts: [BilingualText]) -> BilingualText {
        BilingualText(
            zh: texts.map { $0[.chinese] }.joined(separator: "\n"),
            en: texts.map { $0[.english] }.joined(separator: "\n"))
    }
}
