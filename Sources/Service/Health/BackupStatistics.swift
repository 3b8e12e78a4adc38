// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO

/// The numbers of `GET /stats`.
public struct BackupStatistics: Sendable {
    public let backupCount: Int
    /// Bytes.
    public let totalSize: UInt64
    public let oldest: LocalTime?
    public let latest: LocalTime?
    public let disk: DiskSpace
    public let tasks: TaskCounts

    public init(_ backups: StackStatus.Backups, _ counts: TaskCounts) {
        let items = backups.items
        backupCount = items.count
        // Sizes of folders are what their sidecars say, and anybody may have written those.
        totalSize = items.reduce(0) { $0.adding(clamped: $1.size) }
        oldest = items.last?.created
        latest = items.first?.created
        disk = backups.disk
        tasks = counts
    }
}
