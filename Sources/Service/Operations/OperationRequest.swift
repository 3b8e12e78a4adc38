// SPDX-License-Identifier: Apache-2.0

import Backup
import Wording

/// What a task shall do.
public enum OperationRequest: Sendable, Equatable {
    case backup(BackupName.Kind, RetentionRule)
    case restore(String, RestoreMode, force: Bool)
    /// Takes the newest restore back.
    case undo(force: Bool)
    case verify(String)

    var kind: TaskRecord.Kind {
        switch self {
        case .backup: .backup
        case .restore, .undo: .restore
        case .verify: .verify
        }
    }

    /// The backup that must stay while the task is open.
    var backupName: String? {
        switch self {
        case .backup, .undo: nil
        case .restore(let name, _, _), .verify(let name): name
        }
    }

    /// What the API answers when the task has been taken, in the guide's words.
    var accepted: BilingualText {
        switch self {
        case .backup: BilingualText(zh: "备份任务已启动", en: "The backup task has been started")
        case .restore: BilingualText(zh: "恢复任务已启动", en: "The restore task has been started")
        case .undo: BilingualText(zh: "撤销恢复的任务已启动", en: "The undo task has been started")
        case .verify: BilingualText(zh: "校验任务已启动", en: "The verification task has been started")
        }
    }

    var running: BilingualText {
        switch self {
        case .backup: BilingualText(zh: "备份进行中", en: "The backup is running")
        case .restore: BilingualText(zh: "恢复进行中", en: "The restore is running")
        case .undo: BilingualText(zh: "正在撤销恢复", en: "The undo is running")
        case .verify: BilingualText(zh: "校验进行中", en: "The verification is running")
        }
    }

    func failed(_ reason: BilingualText) -> BilingualText {
        let what =
            switch self {
            case .backup: BilingualText(zh: "备份失败：", en: "The backup failed: ")
            case .restore: BilingualText(zh: "恢复失败：", en: "The restore failed: ")
            case .undo: BilingualText(zh: "撤销失败：", en: "The undo failed: ")
            case .verify: BilingualText(zh: "校验失败：", en: "The verification failed: ")
            }
        return what + reason
    }
}

extension TaskStore {
    /// Records a new task for a request.
    public func begin(
        _ request: OperationRequest, origin: TaskRecord.Origin, email: MailAddress?
    ) throws -> TaskRecord {
        try begin(
            request.kind, origin: origin, message: request.accepted, backupName: request.backupName,
            email: email?.description)
    }
}

extension TaskRecord {
    /// A task that no store knows of, where there is no store.
    public init(unrecorded request: OperationRequest, origin: Origin) {
        self.init(
            id: Self.makeID(request.kind, at: .now()), kind: request.kind, origin: origin, message: request.accepted,
            backupName: request.backupName)
    }
}

/// How an operation ended well.
public struct OperationResult: Sendable {
    public let message: BilingualText
    /// One or a few lines with the numbers: `result.stdout` of the API.
    public let output: BilingualText
    public let backupName: String
    public let size: UInt64?
    public let seconds: Double
    public let warnings: [BilingualText]
    /// Names that retention removed.
    public let removed: [String]
    public let sha256: String?
    /// Whether a backup that was made has to be accepted by a person before it counts.
    public var isSuspicious = false
}
