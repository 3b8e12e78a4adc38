// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// One task as it is kept in the database: what was asked, how far it is, how it ended.
package struct TaskRecord: Sendable, Equatable, Identifiable {
    package enum Kind: String, Sendable, CaseIterable { case backup, restore, verify, undo, claim, forget }

    package enum Status: String, Sendable, CaseIterable {
        case pending, running, completed, failed

        package var isFinished: Bool { self == .completed || self == .failed }
    }

    /// Who asked for it.
    package enum Origin: String, Sendable, CaseIterable { case api, cli, schedule }

    package struct Progress: Sendable, Equatable {
        /// What is being done now, for a person.
        package var phase: BilingualText
        /// 0 to 1; `nil` where the whole is not known.
        package var fraction: Double?
        package var doneBytes: UInt64?
        package var totalBytes: UInt64?

        package init(
            phase: BilingualText, fraction: Double? = nil, doneBytes: UInt64? = nil, totalBytes: UInt64? = nil
        ) {
            self.phase = phase
            self.fraction = fraction
            self.doneBytes = doneBytes
            self.totalBytes = totalBytes
        }
    }

    /// Why a task failed, for programs.
    package struct Failure: Sendable, Equatable {
        /// A `CodedError`'s, as `newer-data`.
        package var code: String
        /// What would have been overwritten, one by one; empty for most failures.
        package var findings: [BilingualText]

        package init(code: String, findings: [BilingualText] = []) {
            self.code = code
            self.findings = findings
        }
    }

    /// `backup_20240730_143000_12345`.
    package let id: String
    package let kind: Kind
    package let origin: Origin
    package let createdAt: LocalTime
    /// The process that does the work. A task whose owner is gone will never finish.
    package let owner: ProcessIdentity
    package var status: Status
    package var message: BilingualText
    package var startedAt: LocalTime?
    package var completedAt: LocalTime?
    package var backupName: String?
    /// What the API shows as `result.stdout`.
    package var output: BilingualText?
    package var backupDirectory: String?
    /// Only of a task that failed; records of 0.1.0 have none.
    package var failure: Failure?
    package var progress: Progress?
    package var warningCount: Int?
    /// What became of the e-mail: "sent to …" or "not sent: …".
    package var notice: BilingualText?
    /// The address that the request asked to be told.
    package var email: String?

    package init(
        id: String, kind: Kind, origin: Origin, message: BilingualText, createdAt: LocalTime = .now(),
        owner: ProcessIdentity = .current(), status: Status = .pending, backupName: String? = nil, email: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.origin = origin
        self.message = message
        self.createdAt = createdAt
        self.owner = owner
        self.status = status
        self.backupName = backupName
        self.email = email
    }

    /// A new name: kind, second, five random digits. Random, so that a name cannot be guessed from the last one
    /// and two processes need not agree.
    package static func makeID(_ kind: Kind, at time: LocalTime) -> String {
        "\(kind.rawValue)_\(time.stamp)_\(Int.random(in: 10_000...99_999))"
    }
}

/// How many tasks there are in each state.
package struct TaskCounts: Sendable, Equatable {
    package var pending = 0
    package var running = 0
    package var completed = 0
    package var failed = 0

    package init() {}

    package var total: Int { pending + running + completed + failed }
}
