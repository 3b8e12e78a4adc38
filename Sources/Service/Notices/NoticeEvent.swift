// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What a notice tells of: one task that came to its end.
package struct NoticeEvent: Sendable {
    package enum Outcome: Sendable, Equatable {
        case succeeded
        /// The error's explanation, which says what to do as well, and its code.
        case failed(BilingualText, code: String)
        /// A person wanted it to end: no failure, of which only who asked for a mail need hear.
        case cancelled(BilingualText)
    }

    package var taskID: String
    package var kind: TaskRecord.Kind
    package var outcome: Outcome
    package var startedAt: LocalTime
    package var finishedAt: LocalTime
    package var backupName: String?
    /// Of the backup on disk.
    package var sizeBytes: UInt64?
    package var warnings: [BilingualText]
    /// Whether a backup was made that lacks artifacts which its database names.
    package var isPartial = false
    /// Whether nobody but the schedule asked for it.
    package var isScheduled: Bool
    /// The machine that it happened on.
    package var host: String

    package init(
        taskID: String, kind: TaskRecord.Kind, outcome: Outcome, startedAt: LocalTime, finishedAt: LocalTime,
        backupName: String? = nil, sizeBytes: UInt64? = nil, warnings: [BilingualText] = [],
        isScheduled: Bool = false, host: String = HostName.current()
    ) {
        self.taskID = taskID
        self.kind = kind
        self.outcome = outcome
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.backupName = backupName
        self.sizeBytes = sizeBytes
        self.warnings = warnings
        self.isScheduled = isScheduled
        self.host = host
    }

    package var isFailure: Bool { if case .failed = outcome { true } else { false } }
    package var durationSeconds: Double { Double(max(0, finishedAt.epoch.subtracting(clamped: startedAt.epoch))) }
}
