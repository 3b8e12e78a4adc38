// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO

/// The numbers of `GET /stats`.
package struct BackupStatistics: Sendable {
    package let backupCount: Int
    /// Bytes.
    package let totalSize: UInt64
    package let oldest: LocalTime?
    package let latest: LocalTime?
    package let disk: DiskSpace
    package let tasks: TaskCounts

    package init(_ backups: StackStatus.Backups, _ counts: TaskCounts) {
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
