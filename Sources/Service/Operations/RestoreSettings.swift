// SPDX-License-Identifier: Apache-2.0

import Backup

/// What restores go by beside their request. See docs/restore.md.
package struct RestoreSettings: Sendable, Equatable {
    /// Seconds for which what a restore replaced can be brought back; 0: it is not kept longer than it must be.
    package var undoKeepSeconds: Int64
    /// Bytes that everything kept may hold together before the oldest goes; `nil` for no bound.
    package var undoKeepBytes: UInt64?
    /// Whether MLflow is stopped before the last look, where it can be.
    package var stopsMLflow: Bool
    /// What a person runs after a restore of an older schema; `nil` where nobody said how MLflow runs here.
    package var upgradeCommand: String?
    /// What a restore runs on the restored database instead.
    package var upgrade: RestoreJob.Options.Upgrade?

    package init(
        undoKeepSeconds: Int64 = 24 * 3600, undoKeepBytes: UInt64? = nil, stopsMLflow: Bool = false,
        upgradeCommand: String? = nil, upgrade: RestoreJob.Options.Upgrade? = nil
    ) {
        self.upgrade = upgrade
        self.undoKeepSeconds = undoKeepSeconds
        self.undoKeepBytes = undoKeepBytes
        self.stopsMLflow = stopsMLflow
        self.upgradeCommand = upgradeCommand
    }
}
