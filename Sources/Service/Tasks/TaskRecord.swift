// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// One task as it is kept in the database: what was asked, how far it is, how it ended.
public struct TaskRecord: Sendable, Equatable, Identifiable {
    public enum Kind: String, Sendable, CaseIterable { case backup, restore, verify, undo, claim, forget }

    public enum Status: String, Sendable, CaseIterable {
        case pending, running, completed, failed

        public var isFinished: Bool { self == .completed || self == .failed }
    }

    /// Who asked for it.
    public enum Origin: String, Sendable, CaseIterable { case api, cli, schedule }

    public struct Progress: Sendable, Equatable {
        /// What is being done now, for a person.
        public var phase: BilingualText
        /// 0 to 1; `nil` where the whole is not known.
        public var fraction: Double?
        public var doneBytes: UInt64?
        public var totalBytes: UInt64?

        public init(
            phase: BilingualText, fraction: Double? = nil, doneBytes: UInt64? = nil, totalBytes: UInt64? = nil
        ) {
            self.phase = phase
            self.fraction = fraction
            self.doneBytes = doneBytes
            self.totalBytes = totalBytes
        }
    }

    /// Why a task failed, for programs.
    public struct Failure: Sendable, Equatable {
        /// A `CodedError`'s, as `newer-data`.
        public var code: String
        /// What would have been overwritten, one by one; empty for most failures.
        public var findings: [BilingualText]

        public init(code: String, findings: [BilingualText] = []) {
            self.code = code
            self.findings = findings
        }
    }

    /// `backup_20240730_143000_12345`.
    public let id: String
    public let kind: Kind
    public let origin: Origin
    public let createdAt: LocalTime
    /// The process that does the work. A task whose owner is gone will never finish.
    public let owner: ProcessIdentity
    public var status: Status
    public var message: BilingualText
    public var startedAt: LocalTime?
    public var completedAt: LocalTime?
    public var backupName: String?
    /// What the API shows as `result.stdout`.
    public var output: BilingualText?
    public var backupDirectory: String?
    /// Only of a task that failed; records of 0.1.0 have none.
    public var failure: Failure?
    public var progress: Progress?
    public var warningCount: Int?
    /// What became of the e-mail: "sent to …" or "not sent: …".
    public var notice: BilingualText?
    /// The address that the request asked to be told.
    public var email: String?

    public init(
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
    public static func makeID(_ kind: Kind, at time: LocalTime) -> String {
        "\(kind.rawValue)_\(time.stamp)_\(Int.random(in: 10_000...99_999))"
    }
}

/// How many tasks there are in each state.
public struct TaskCounts: Sendable, Equatable {
    public var pending = 0
    public var running = 0
    public var completed = 0
    public var failed = 0

    public init() {}

    public var total: Int { pending + running + completed + failed }
}
