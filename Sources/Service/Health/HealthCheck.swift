// SPDX-License-Identifier: Apache-2.0

import Backup
import Glibc
import Postgres
import SystemIO
import Wording

/// Whether a backup could be made now, and whether the last one is recent.
public struct Health: Sendable {
    /// In the order they are shown.
    public let checks: [(name: String, isGood: Bool)]
    public let isHealthy: Bool
    /// One sentence for each check that is not good, with what to do.
    public let findings: [BilingualText]
}

public struct HealthCheck: Sendable {
    private let service: StackService

    public init(_ service: StackService) { self.service = service }

    /// Without these a backup or a restore cannot be made at all.
    private static let essential: Set<String> = [
        "backup_directory", "backup_script", "restore_script", "database", "artifacts", "pg_dump", "restore_settled",
    ]
    /// A day and two hours: the daily backup may take its time.
    private static let lateAfterSeconds: Int64 = 26 * 3600
    private static let scarceBelowBytes: UInt64 = 256 << 20

    public func run() -> Health {
        var checks: [(name: String, isGood: Bool)] = []
        var findings: [BilingualText] = []
        func add(_ name: String, _ finding: BilingualText?) {
            checks.append((name, finding == nil))
            if let finding { findings.append(finding) }
        }
        let (database, tools) = databaseFindings()
        add("backup_directory", backupDirectoryFinding())
        add("backup_script", scriptFinding("backup_mlflow.sh"))
        add("restore_script", scriptFinding("restore_mlflow_backup.sh"))
        // Not a finding: without Docker nothing is lost but the guide's container commands.
        checks.append(("docker", isDockerReachable()))
        add("database", database)
        add("pg_dump", tools)
        add("artifacts", artifactsFinding())
        add("disk_space", diskSpaceFinding())
        add("last_backup_age", lastBackupFinding())
        add("restore_settled", unsettledRestoreFinding())
        let isHealthy = checks.allSatisfy { $0.isGood || !Self.essential.contains($0.name) }
        return Health(checks: checks, isHealthy: isHealthy, findings: findings)
    }

    private var folder: BackupFolder { service.operations.folder }

    private func backupDirectoryFinding() -> BilingualText? {
        folder.unusableReason.map { BackupError.folderNotUsable(path: folder.path.string, reason: $0).explanation }
    }

    private func scriptFinding(_ name: String) -> BilingualText? {
        let path = service.settings.scriptsDirectory.appending(name)
        if path.withCString({ access($0, X_OK) }) == 0 { return nil }
        return BilingualText(
            zh: "脚本 \(path) 不存在或不可执行。请检查 BACKUP_SCRIPTS_DIR。",
            en: "The script \(path) is missing or not executable. Check BACKUP_SCRIPTS_DIR.")
    }

    private func databaseFindings() -> (database: BilingualText?, tools: BilingualText?) {
        let stack = service.operations.stack
        do {
            let connection = try Connection(stack.database)
            do { try stack.tools.check(serverVersion: connection.serverVersion) } catch {
                return (nil, error.bilingual)
            }
            return (nil, nil)
        } catch {
            // Which tool is needed is not known without the server; that it is there at all is.
            do { _ = try stack.tools.version(of: .dump) } catch let missing {
                return (error.bilingual, missing.bilingual)
            }
            return (error.bilingual, nil)
        }
    }

    private func artifactsFinding() -> BilingualText? {
        let path = service.operations.stack.artifacts
        if (try? Directory.names(in: path)) != nil { return nil }
        return BackupError.artifactsMissing(path: path.string).explanation
    }

    private func diskSpaceFinding() -> BilingualText? {
        guard let space = try? DiskSpace.at(folder.path) else { return backupDirectoryFinding() }
        let needed = max(Self.scarceBelowBytes, service.newestGoodBackup()?.size ?? 0)
        if space.available >= needed { return nil }
        return BackupError.notEnoughRoom(path: folder.path.string, needed: needed, available: space.available)
            .explanation
    }

    /// No backup at all is not late: the first night is still to come.
    private func lastBackupFinding() -> BilingualText? {
        guard service.settings.schedule != nil, let newest = service.newestGoodBackup() else { return nil }
        let age = LocalTime.now().epoch - newest.created.epoch
        if age <= Self.lateAfterSeconds { return nil }
        return BilingualText(
            zh: "最近一次可用备份是 \(newest.created.iso)，已超过 26 小时。请查看 GET /tasks 中失败的任务。",
            en:
                "The last good backup is of \(newest.created.iso), more than 26 hours ago. See the failed tasks in GET /tasks."
        )
    }

    private func unsettledRestoreFinding() -> BilingualText? {
        guard (try? FileStatus.ifPresent(folder.restoreJournal)) ?? nil != nil else { return nil }
        // While a restore runs its journal is meant to be there.
        if let lock = try? AdvisoryLock.tryLock(folder.lock, note: "health check") {
            withExtendedLifetime(lock) {}
            return BackupError.needsRecovery(reason: folder.restoreJournal.string).explanation
        }
        return nil
    }

    private func isDockerReachable() -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "/var/run/docker.sock".utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
