// SPDX-License-Identifier: Apache-2.0

import Backup
import Glibc
import SystemIO
import Wording

/// Whether a backup could be made now, and whether the last one is recent.
public struct Health: Sendable {
    /// In the order they are shown.
    public let checks: [(name: String, isGood: Bool)]
    public let isHealthy: Bool
    /// One sentence for each check that is not good, with what to do.
    public let findings: [BilingualText]
    /// What the next backup would leave out, and other things to know that are no fault.
    public let notices: [BilingualText]
    /// Which type of backup saves room on the backup folder's file system; `nil` where the folder is not there, which its own check says.
    public let storage: FolderStorage?
}

/// Looks at everything that a backup needs. It may take seconds: those who ask often get what it last found (`StackStatus`).
struct HealthCheck: Sendable {
    let settings: Settings
    let operations: Operations
    let tasks: TaskStore
    /// Why task records end with this process; `nil` where they are kept.
    let recordsFinding: BilingualText?

    /// Without these a backup or a restore cannot be made at all.
    private static let essential: Set<String> = [
        "backup_directory", "backup_script", "restore_script", "database", "artifacts", "pg_dump", "restore_settled",
    ]
    /// Of these a notice is a finding: it stays until a person has done something.
    private static let toBeKnown: [Finding.Check] = [.keptParts, .ownBackups]
    private static let lateAfterSeconds: Int64 = 2 * 3600
    private static let scarceBelowBytes: UInt64 = 256 << 20

    func run() -> Health {
        var checks: [(name: String, isGood: Bool)] = []
        var findings: [BilingualText] = []
        func add(_ name: String, _ finding: BilingualText?) {
            checks.append((name, finding == nil))
            if let finding { findings.append(finding) }
        }
        let preflight = preflight()
        // Whatever else is asked of that folder would wait, too.
        if let silent = preflight.silence {
            return Health(
                checks: [(silent.check.rawValue, false)], isHealthy: false, findings: [silent.text], notices: [],
                storage: nil)
        }
        let items = try? operations.catalogue.items()
        func add(_ check: Finding.Check) { add(check.rawValue, preflight.first(check)?.text) }
        add(.backupFolder)
        add("backup_script", scriptFinding("backup_mlflow.sh"))
        add("restore_script", scriptFinding("restore_mlflow_backup.sh"))
        // Not a finding: without Docker nothing is lost but the guide's container commands.
        checks.append(("docker", settings.docker.isReachable))
        add(.database)
        add(.tools)
        add(.artifacts)
        add("disk_space", preflight.first(.room)?.text ?? scarceRoomFinding())
        add("last_backup_age", lastBackupFinding())
        add("last_backup", failedBackupFinding(items ?? []))
        add(.settled)
        for check in Self.toBeKnown { add(check.rawValue, preflight.notices(of: check).first) }
        add("task_records", recordsFinding)
        // Little room is to be known; too little for the next backup refuses it.
        let isHealthy =
            checks.allSatisfy { $0.isGood || !Self.essential.contains($0.name) } && preflight.first(.room) == nil
        let notices = preflight.notices(but: Set(Self.toBeKnown))
        return Health(
            checks: checks, isHealthy: isHealthy, findings: findings, notices: notices,
            storage: try? FolderStorage(folder))
    }

    private var folder: BackupFolder { operations.folder }

    /// What the next backup by the schedule would meet.
    private func preflight() -> Findings {
        operations.backupPreflight(
            settings.compress ? .compressed : .uncompressed, settings.retention, patience: 1
        ).run()
    }

    private func scriptFinding(_ name: String) -> BilingualText? {
        let path = settings.scriptsDirectory.appending(name)
        if path.withCString({ access($0, X_OK) }) == 0 { return nil }
        return BilingualText(
            zh: "脚本 \(path) 不存在或不可执行。请检查 BACKUP_SCRIPTS_DIR。",
            en: "The script \(path) is missing or not executable. Check BACKUP_SCRIPTS_DIR.")
    }

    /// Room for the next backup may be there, and soon not be any more.
    private func scarceRoomFinding() -> BilingualText? {
        // A folder that does not answer is another check's finding.
        guard let space = try? DiskSpace.at(folder.path) else { return nil }
        let needed = Self.scarceBelowBytes
        if space.available >= needed { return nil }
        return BackupError.notEnoughRoom(path: folder.path.string, needed: needed, available: space.available)
            .explanation
    }

    /// Late is what has not come two hours after its time: a big backup may take a while.
    private func lastBackupFinding() -> BilingualText? {
        guard let schedule = settings.schedule, let first = BackupDue(operations.folder).reference(),
            let due = schedule.next(after: first),
            LocalTime.now().epoch.subtracting(clamped: due.epoch) > Self.lateAfterSeconds
        else { return nil }
        return BilingualText(
            zh: "\(due.iso) 应有的备份没有完成（最近: \(first.iso)）。请查看失败的任务。",
            en: "The backup due at \(due.iso) was not made (the last one: \(first.iso)). See the failed tasks."
        )
    }

    private func failedBackupFinding(_ items: [CatalogueItem]) -> BilingualText? {
        let now = LocalTime.now()
        // What is dated in the future was made by a clock that was ahead, and hides no other.
        if let newest = items.first(where: { $0.created <= now }), newest.status == .suspicious {
            return BilingualText(
                zh:
                    "最近的备份 \(newest.name) 可疑：\(newest.sidecar?.suspicion?.text.chinese ?? "")。确认无误后运行 mlflow-backup accept \(newest.name)。",
                en:
                    "The last backup, \(newest.name), is suspicious: \(newest.sidecar?.suspicion?.text.english ?? ""). If it is right, "
                    + "run `mlflow-backup accept \(newest.name)`.")
        }
        guard let newest = try? tasks.newestEndedBackup(now), newest.status == .failed else { return nil }
        return BilingualText(zh: "最近一次备份失败：", en: "The last backup failed: ") + newest.message
    }
}
