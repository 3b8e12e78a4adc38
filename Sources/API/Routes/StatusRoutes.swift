// SPDX-License-Identifier: Apache-2.0

import Backup
import HTTPServer
import Service
import SystemIO
import Wording

/// Health and numbers.
struct StatusRoutes: Sendable {
    let service: StackService
    private let healthAnswer = SeenAnswer()
    private let statisticsAnswer = SeenAnswer()

    init(service: StackService) { self.service = service }

    var routes: [Route] { [Route("GET", "/health", health), Route("GET", "/stats", statistics)] }

    @Sendable private func health(_ request: RouteRequest) throws -> HTTPResponse {
        guard let seen = service.status.health() else { throw ServiceError.notSeenYet }
        // Made anew each second, as the age that it tells of changes.
        let age = Int(nearest: seen.age.rounded(.down))
        guard request.isAuthorized else {
            // Its findings name paths, hosts and roles.
            let isHealthy = seen.value.isHealthy && seen.age <= StackStatus.oldAfter
            return .json(["status": isHealthy ? "healthy" : "unhealthy"], status: isHealthy ? 200 : 503)
        }
        return healthAnswer.response(seen.number << 20 | UInt64(min(age, 1 << 20 - 1)), request.language) {
            let health = seen.value
            let isOld = seen.age > StackStatus.oldAfter
            let findings = isOld ? [StackStatus.silenceText(age)] + health.findings : health.findings
            let isHealthy = health.isHealthy && !isOld
            let body = HealthBody(
                status: isHealthy ? "healthy" : "unhealthy",
                checks: Dictionary(health.checks.map { ($0.name, $0.isGood) }, uniquingKeysWith: { $0 && $1 }),
                findings: findings.map { $0[request.language] },
                notices: health.notices.map { $0[request.language] },
                storage: health.storage.map { storage in
                    HealthBody.Storage(
                        file_system: storage.fileSystem, shares_blocks: storage.sharesBlocks,
                        advice: storage.advice[request.language])
                }, version: ServiceVersion.current, timestamp: LocalTime.now().iso, looked_at: seen.at.iso,
                age_seconds: age)
            return .json(body, status: isHealthy ? 200 : 503)
        }
    }

    @Sendable private func statistics(_ request: RouteRequest) throws -> HTTPResponse {
        let (backups, tasks) = (try service.status.backups(), try service.status.tasks())
        return statisticsAnswer.response(backups.number << 32 ^ tasks.number) {
            let numbers = BackupStatistics(backups.value, tasks.value.counts)
            return .json(
                StatisticsBody(
                    backup_count: numbers.backupCount, total_size: numbers.totalSize,
                    oldest_backup: numbers.oldest?.iso, latest_backup: numbers.latest?.iso,
                    disk_usage: .init(
                        total: HumanUnits.diskSize(numbers.disk.total), used: HumanUnits.diskSize(numbers.disk.used),
                        available: HumanUnits.diskSize(numbers.disk.available),
                        use_percentage: "\(numbers.disk.usePercentage)%"),
                    task_stats: .init(
                        total: numbers.tasks.total, pending: numbers.tasks.pending, running: numbers.tasks.running,
                        completed: numbers.tasks.completed, failed: numbers.tasks.failed)))
        }
    }

    private struct HealthBody: Encodable {
        struct Storage: Encodable {
            let file_system: String
            let shares_blocks: Bool
            let advice: String
        }

        let status: String
        let checks: [String: Bool]
        let findings: [String]
        let notices: [String]
        /// Which type of backup saves room on the backup folder's file system.
        let storage: Storage?
        let version: String
        let timestamp: String
        /// When the checks began.
        let looked_at: String
        let age_seconds: Int
    }

    private struct StatisticsBody: Encodable {
        struct Disk: Encodable {
            let total: String
            let used: String
            let available: String
            let use_percentage: String
        }

        struct Tasks: Encodable {
            let total: Int
            let pending: Int
            let running: Int
            let completed: Int
            let failed: Int
        }

        let backup_count: Int
        let total_size: UInt64
        let oldest_backup: String?
        let latest_backup: String?
        let disk_usage: Disk
        let task_stats: Tasks
    }
}
