// SPDX-License-Identifier: Apache-2.0

import Backup
import HTTPServer
import Service
import SystemIO
import Wording

/// Health and numbers.
struct StatusRoutes: Sendable {
    let service: StackService

    var routes: [Route] { [Route("GET", "/health", health), Route("GET", "/stats", statistics)] }

    @Sendable private func health(_ request: RouteRequest) throws -> HTTPResponse {
        let health = HealthCheck(service).run()
        let body = HealthBody(
            status: health.isHealthy ? "healthy" : "unhealthy",
            checks: Dictionary(health.checks.map { ($0.name, $0.isGood) }, uniquingKeysWith: { $0 && $1 }),
            findings: health.findings.map { $0[request.language] },
            notices: health.notices.map { $0[request.language] }, storage: storage(request.language),
            version: ServiceVersion.current,
            timestamp: LocalTime.now().iso)
        return .json(body, status: health.isHealthy ? 200 : 503)
    }

    /// Left out where the folder is not there: its own check says so.
    private func storage(_ language: Language) -> HealthBody.Storage? {
        guard let storage = try? FolderStorage(service.operations.folder) else { return nil }
        return .init(
            file_system: storage.fileSystem, shares_blocks: storage.sharesBlocks, advice: storage.advice[language])
    }

    @Sendable private func statistics(_ request: RouteRequest) throws -> HTTPResponse {
        let numbers = try BackupStatistics(service)
        return .json(
            StatisticsBody(
                backup_count: numbers.backupCount, total_size: numbers.totalSize, oldest_backup: numbers.oldest?.iso,
                latest_backup: numbers.latest?.iso,
                disk_usage: .init(
                    total: HumanUnits.diskSize(numbers.disk.total), used: HumanUnits.diskSize(numbers.disk.used),
                    available: HumanUnits.diskSize(numbers.disk.available),
                    use_percentage: "\(numbers.disk.usePercentage)%"),
                task_stats: .init(
                    total: numbers.tasks.total, pending: numbers.tasks.pending, running: numbers.tasks.running,
                    completed: numbers.tasks.completed, failed: numbers.tasks.failed)))
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
