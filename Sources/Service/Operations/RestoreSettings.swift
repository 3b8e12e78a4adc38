// SPDX-License-Identifier: Apache-2.0

/// What restores go by beside their request. See docs/restore.md.
public struct RestoreSettings: Sendable, Equatable {
    /// Seconds for which what a restore replaced can be brought back; 0: it is not kept longer than it must be.
    public var undoKeepSeconds: Int64
    /// Bytes that everything kept may hold together before the oldest goes; `nil` for no bound.
    public var undoKeepBytes: UInt64?
    /// Whether MLflow is stopped before the last look, where it can be.
    public var stopsMLflow: Bool
    /// What a person runs after a restore of an older schema; `nil` where nobody said how MLflow runs here.
    public var upgradeCommand: String?

    public init(
        undoKeepSeconds: Int64 = 24 * 3600, undoKeepBytes: UInt64? = nil, stopsMLflow: Bool = false,
        upgradeCommand: String? = nil
    ) {
        self.undoKeepSeconds = undoKeepSeconds
        self.undoKeepBytes = undoKeepBytes
        self.stopsMLflow = stopsMLflow
        self.upgradeCommand = upgradeCommand
    }
}
