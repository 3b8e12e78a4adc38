// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO

/// Whether a scheduled backup should have been made and was not.
public struct BackupDue: Sendable {
    private let folder: BackupFolder

    public init(_ folder: BackupFolder) { self.folder = folder }

    /// When the newest good backup was made; before the first one, when this folder was first used: a machine that
    /// is off each night must get its first backup too. `nil` where neither can be told.
    public func reference(now: LocalTime = .now()) -> LocalTime? {
        if let newest = try? Catalogue(folder).newestGood(now: now) { return newest.created }
        let marker = folder.state.appending("first-use")
        do {
            if let status = try FileStatus.ifPresent(marker) {
                let since = LocalTime(epoch: status.modified.seconds)
                // A clock that was ahead made one of the future: until that day nothing would be missed.
                if since <= now { return since }
            }
            try DurableFile.replace(marker, with: [])
            return now
        } catch {
            return nil
        }
    }

    /// The due time that passed without a backup; `nil` where all is as it should be.
    public func missed(_ schedule: CronExpression, now: LocalTime = .now()) -> LocalTime? {
        guard let reference = reference(now: now), let due = schedule.next(after: reference), due <= now else {
            return nil
        }
        return due
    }
}
