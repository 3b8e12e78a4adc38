// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// What a task shall do.
package enum OperationRequest: Sendable, Equatable {
    case backup(BackupName.Kind, RetentionRule)
    /// - Parameter backupFirst: whether a forced restore first makes a backup of what it overwrites.
    case restore(String, RestoreMode, force: Bool, backupFirst: Bool = true)
    case verify(String)
    /// Brings back what the last restore replaced.
    /// - Parameter bringing: the kept part that was the newest when somebody asked for it; `nil` before that was looked at.
    case undo(force: Bool, backupFirst: Bool = true, bringing: String? = nil)
    /// Takes the backups of another stack over: of the one with this name, or of the only one.
    case claim(String? = nil)
    /// Removes what a restore kept although no backup covers it. The text is the stamp of that restore.
    case forget(String)

    var kind: TaskRecord.Kind {
        switch self {
        case .backup: .backup
        case .restore: .restore
        case .verify: .verify
        case .undo: .undo
        case .claim: .claim
        case .forget: .forget
        }
    }

    /// The backup that must stay while the task is open.
    var backupName: String? {
        switch self {
        case .restore(let name, _, _, _), .verify(let name): name
        case .backup, .undo, .claim, .forget: nil
        }
    }

    /// Whether this one makes no sense while `other` is open.
    func repeats(_ other: OperationRequest) -> Bool {
        // A second undo would take back the first, however it is asked for.
        if case (.undo, .undo) = (self, other) { return true }
        return excludesRepetition && self == other
    }

    /// Whether the very same request makes no sense while this one is open: a second restore would only be a second
    /// outage. A second backup is another moment of the data.
    private var excludesRepetition: Bool {
        if case .backup = self { false } else { true }
    }
}

extension TaskStore {
    /// Records a new task for a request.
    package func begin(
        _ request: OperationRequest, origin: TaskRecord.Origin, email: MailAddress?
    ) throws -> TaskRecord {
        try begin(
            request.kind, origin: origin, message: request.accepted, backupName: request.backupName,
            email: email?.description)
    }
}

extension TaskRecord {
    /// A task that no store knows of, where there is no store.
    package init(unrecorded request: OperationRequest, origin: Origin, email: MailAddress? = nil) {
        self.init(
            id: Self.makeID(request.kind, at: .now()), kind: request.kind, origin: origin, message: request.accepted,
            backupName: request.backupName, email: email?.description)
    }
}
