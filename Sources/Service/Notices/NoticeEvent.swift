// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What a notice tells of: one task that came to its end.
public struct NoticeEvent: Sendable {
    public enum Outcome: Sendable, Equatable {
        case succeeded
        /// The error's explanation, which says what to do as well, and its code.
        case failed(BilingualText, code: String)
    }

    public var taskID: String
    public var kind: TaskRecord.Kind
    public var outcome: Outcome
    public var startedAt: LocalTime
    public var finishedAt: LocalTime
    public var backupName: String?
    /// Of the backup on disk.
    public var sizeBytes: UInt64?
    public var warnings: [BilingualText]
    /// The machine that it happened on.
    public var host: String

    public init(
        taskID: String, kind: TaskRecord.Kind, outcome: Outcome, startedAt: LocalTime, finishedAt: LocalTime,
        backupName: String? = nil, sizeBytes: UInt64? = nil, warnings: [BilingualText] = [],
        host: String = HostName.current()
    ) {
        self.taskID = taskID
        self.kind = kind
        self.outcome = outcome
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.backupName = backupName
        self.sizeBytes = sizeBytes
        self.warnings = warnings
        self.host = host
    }

    public var isFailure: Bool { outcome != .succeeded }
    public var durationSeconds: Double { Double(max(0, finishedAt.epoch.subtracting(clamped: startedAt.epoch))) }
}
