// SPDX-License-Identifier: Apache-2.0

import Backup
import Glibc
import SystemIO
import Wording

/// Whether a backup could be made now, and whether the last one is recent.
package struct Health: Sendable {
    /// In the order they are shown.
    package let checks: [(name: String, isGood: Bool)]
    package let isHealthy: Bool
    /// One for each check that is not good but `docker`, in the order of the checks.
    package let faults: [Fault]
    /// What the next backup would leave out, and other things to know that are no fault.
    package let notices: [BilingualText]
    /// Which type of backup saves room on the backup folder's file system; `nil` where the folder is not there, which its own check says.
    package let storage: FolderStorage?

    /// Checks of which something could not be asked.
    var unseen: Set<String> = []

    /// What is not well: a sentence, with what to do.
    package struct Fault: Sendable, Equatable {
        package let check: String
        package let text: BilingualText
        /// Whether who is to be told of it was told already, by the notice of a task.
        package let isTold: Bool

        package init(_ check: String, _ text: BilingualText, isTold: Bool = false) {
            (self.check, self.text, self.isTold) = (check, text, isTold)
        }
    }

    package var findings: [BilingualText] { faults.map(\.text) }

    /// Checks whose answer is one.
    var looked: Set<String> { Set(checks.map(\.name)).subtracting(unseen) }
}

/// Looks at everything that a backup needs. It may take seconds: those who ask often get what it last found (`StackStatus`).
struct HealthCheck: Sendable {
    let settings: Settings
    let operations: Operations
    let tasks: TaskBook
    /// Looks of other parts of the service: the check's name, and what is not well.
    var others: [(name: String, look: @Sendable () -> BilingualText?)] = []

    /// Without these a backup or a restore cannot be made at all.
    private static let essential: Set<String> = [
        "backup_directory", "backup_script", "restore_script", "database", "artifacts", "pg_dump", "restore_settled",
    ]
    /// Of these a notice is a finding: it stays until a person has done something.
    private static let toBeKnown: [Finding.Check] = [.keptParts, .ownBackups]
    private static let lateAfterSeconds: Int64 = 2 * 3600
    private static let scarceBelowBytes: UInt64 = 256 << 20
    private static let idleAfterSeconds: Int64 = 7 * 86_400

    func run() -> Health {
        var checks: [(name: String, isGood: Bool)] = []
        var faults: [Health.Fault] = []
        func add(_ name: String, _ finding: BilingualText?, isTold: Bool = false) {
            checks.append((name, finding == nil))
            if let finding { faults.append(.init(name, finding, isTold: isTold)) }
        }
        let preflight = preflight()
        // Whatever else is asked of that folder would wait, too.
        if let silent = preflight.silence {
            return Health(
                checks: [(silent.check.rawValue, false)], isHealthy: false,
                faults: [.init(silent.check.rawValue, silent.text)], notices: [],
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
        add("last_backup_age", lastBackupFinding(items))
        var unseen = unseen(preflight, isListed: items != nil)
        var ended: TaskRecord?
        do { ended = try tasks.newestEndedBackup(.now()) } catch { unseen.insert("last_backup") }
        // That a partial one is the newest is told beside what came after it.
        let partial = partialBackupFinding(items ?? [])
        func besidePartial(_ finding: BilingualText) -> BilingualText {
            partial.map { finding + BilingualText(zh: " ", en: " ") + $0 } ?? finding
        }
        if let suspicious = suspiciousBackupFinding(items ?? []) {
            add("last_backup", besidePartial(suspicious))
        } else if let failed = failedBackupFinding(ended) {
            // Its task has told of it, if it came to its end.
            let isTold = ![TaskStore.interruptedCode, "stopping"].contains(ended?.failure?.code)
            add("last_backup", besidePartial(failed), isTold: isTold)
        } else {
            add("last_backup", partial)
        }
        add(.settled)
        for check in Self.toBeKnown { add(check.rawValue, preflight.notices(of: check).first) }
        add("task_records", tasks.finding)
        add("schedule", idleFinding(items))
        add("damaged_backups", damagedFinding(items ?? []))
        for (name, look) in others { add(name, look()) }
        // Little room is to be known; too little for the next backup refuses it.
        let isHealthy =
            checks.allSatisfy { $0.isGood || !Self.essential.contains($0.name) } && preflight.first(.room) == nil
        let notices = preflight.notices(but: Set(Self.toBeKnown))
        return Health(
            checks: checks, isHealthy: isHealthy, faults: faults, notices: notices,
            storage: try? FolderStorage(folder), unseen: unseen)
    }

    /// - Parameter reason: why mails are not taken.
    static func untold(_ reason: BilingualText) -> BilingualText {
        BilingualText(zh: "通知邮件发不出去，失败时可能无人知晓：", en: "Mails are not taken, so nobody may hear of a failure: ") + reason
    }

    private var folder: BackupFolder { operations.folder }

    /// Of what these tell where nobody could look nobody is told that it is well again.
    private static let inFolder: Set<String> = [
        "last_backup", "last_backup_age", "damaged_backups", "schedule", "notices",
    ]

    /// Checks that need what is away.
    private func unseen(_ preflight: Findings, isListed: Bool) -> Set<String> {
        var unseen: Set<String> = []
        if !isListed || preflight.first(.backupFolder) != nil {
            unseen = Self.inFolder.union([.room, .settled, .keptParts, .ownBackups].names)
        }
        if preflight.first(.artifacts) != nil { unseen.formUnion([.settled, .keptParts, .ownBackups].names) }
        if preflight.first(.database) != nil { unseen.formUnion([.room, .ownBackups].names) }
        return unseen
    }

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
    private func lastBackupFinding(_ items: [CatalogueItem]?) -> BilingualText? {
        guard let schedule = settings.schedule, let first = BackupDue(operations).reference(among: items),
            let due = schedule.next(after: first),
            LocalTime.now().epoch.subtracting(clamped: due.epoch) > Self.lateAfterSeconds
        else { return nil }
        return BilingualText(
            zh: "\(due.iso) 应有的备份没有完成（最近: \(first.iso)）。请查看失败的任务。",
            en: "The backup due at \(due.iso) was not made (the last one: \(first.iso)). See the failed tasks."
        )
    }

    /// Without a schedule nobody else says that no backups are made.
    private func idleFinding(_ items: [CatalogueItem]?) -> BilingualText? {
        guard settings.schedule == nil, let last = BackupDue(operations).reference(among: items) else { return nil }
        let idle = LocalTime.now().epoch.subtracting(clamped: last.epoch)
        guard idle > Self.idleAfterSeconds else { return nil }
        return BilingualText(
            zh: "BACKUP_SCHEDULE=off，且已有 \(idle / 86_400) 天没有完好的备份（最近: \(last.iso)）。请设置 BACKUP_SCHEDULE，或用自己的方式定期备份。",
            en:
                "BACKUP_SCHEDULE is off, and for \(idle / 86_400) days no good backup was made (the last one: \(last.iso)). Set "
                + "BACKUP_SCHEDULE, or make backups by a schedule of your own.")
    }

    private func suspiciousBackupFinding(_ items: [CatalogueItem]) -> BilingualText? {
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
        return nil
    }

    /// Told until it is over: nobody else would notice before the day on which the files are needed.
    private func partialBackupFinding(_ items: [CatalogueItem]) -> BilingualText? {
        let now = LocalTime.now()
        guard let newest = items.first(where: { $0.created <= now && $0.isWhole }), newest.isPartial else { return nil }
        return newest.name.partial(newest.lack)
    }

    /// Found by a backup that read its predecessor, by `verify` or by a scrub: that night's own backup is well, and would hide it.
    private func damagedFinding(_ items: [CatalogueItem]) -> BilingualText? {
        let damaged = items.filter { $0.status == .corrupt }
        guard let newest = damaged.first else { return nil }
        let others = damaged.count - 1
        return BilingualText(
            zh:
                "备份 \(newest.name)\(others > 0 ? " 等 \(damaged.count) 个备份" : "")已损坏，不能依赖。请检查磁盘，用 mlflow-backup verify --all 校验其余备份；"
                + "不再需要时删除已损坏的备份。",
            en:
                "The backup \(newest.name)\(others > 0 ? " and \(others) more are" : " is") damaged and cannot be relied upon. Check the "
                + "disk, verify the others (mlflow-backup verify --all), and delete the damaged ones when they are of no use."
        )
    }

    private func failedBackupFinding(_ endedBackup: TaskRecord?) -> BilingualText? {
        guard let newest = endedBackup, newest.status == .failed else { return nil }
        return BilingualText(zh: "最近一次备份失败：", en: "The last backup failed: ") + newest.message
    }
}

extension [Finding.Check] {
    fileprivate var names: [String] { map(\.rawValue) }
}
