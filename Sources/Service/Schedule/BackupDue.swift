// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO

/// Since when a scheduled backup may be missed.
struct BackupDue: Sendable {
    /// A clock that is set back by less repeats no run (as in Debian's cron); what was written later than that by a clock that was ahead
    /// says nothing. Seconds.
    static let tolerance: Int64 = 3 * 3600

    private let catalogue: Catalogue
    private let stack: LiveStack
    private var folder: BackupFolder { catalogue.folder }

    init(_ operations: Operations) {
        catalogue = operations.catalogue
        stack = operations.stack
    }

    /// When the newest good backup was made of this stack; before the first one, when this folder was first used: a machine that
    /// is off each night must get its first backup too. `nil` where neither can be told.
    /// - Parameter items: what the catalogue lists, where that is known.
    func reference(now: LocalTime = .now(), among items: [CatalogueItem]? = nil) -> LocalTime? {
        if let items = try? items ?? catalogue.items(),
            let newest = catalogue.newestMade(
                of: stack, among: items, now: LocalTime(epoch: now.epoch.adding(clamped: Self.tolerance)))
        {
            return newest.created
        }
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
}
