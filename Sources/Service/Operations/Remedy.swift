// SPDX-License-Identifier: Apache-2.0

import Backup
import Wording

/// What a person can do about an error by this program's own means. The engines know of none of them; the API and the
/// command line each put them into their own words, all of them.
package enum Remedy: Sendable, Equatable {
    case listBackups
    case listContents(backup: String)
    case listTasks
    /// For the task that is at work.
    case waitLonger
    /// Go on all the same.
    case force
    /// What is forced goes on without a backup first.
    case skipBackup
    case verify(backup: String)
    /// The same is asked for already, by this task.
    case follow(task: String)

    /// - Parameters:
    ///   - code: a `CodedError`'s.
    ///   - backup: the backup that the error or the task is about.
    ///   - task: the task that the error names.
    /// - Returns: `nil` where the error's own words are all there is to say.
    package init?(_ code: String, backup: String? = nil, task: String? = nil) {
        switch (code, backup, task) {
        case ("no-such-backup", _, _): self = .listBackups
        case ("no-such-entry", let backup?, _): self = .listContents(backup: backup)
        case ("no-such-task", _, _): self = .listTasks
        case ("busy", _, _): self = .waitLonger
        case ("newer-data", _, _), ("schema-older", _, _), ("schema-differs", _, _), ("kept-files-partly-gone", _, _),
            ("kept-fragment", _, _):
            self = .force
        case ("no-place-for-backup", _, _): self = .skipBackup
        case ("marked-corrupt", let backup?, _), ("nothing-to-accept", let backup?, _): self = .verify(backup: backup)
        case ("already-requested", _, let task?): self = .follow(task: task)
        default: return nil
        }
    }

    package init?(_ error: any Error) {
        var (backup, task): (String?, String?)
        switch error {
        case BackupError.noSuchEntry(let name, _), BackupError.markedCorrupt(let name, _),
            BackupError.nothingToAccept(let name):
            backup = name
        case ServiceError.alreadyRequested(let id): task = id
        default: break
        }
        self.init(error.stableCode, backup: backup, task: task)
    }
}
