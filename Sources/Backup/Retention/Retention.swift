// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Removes backups that a rule lets go. Call it under the operation lock, after a new backup is verified.
public struct Retention: Sendable {
    private let folder: BackupFolder
    private let log: Log

    public init(_ folder: BackupFolder, log: Log) {
        self.folder = folder
        self.log = log
    }

    /// What `apply` would remove.
    public func expired(by rule: RetentionRule) throws -> [CatalogueItem] {
        // Unverified, corrupt and hand-placed ones are nobody's to remove, and cannot stand in for a good one.
        let good = try Catalogue(folder).items().filter { $0.status == .completed && $0.sidecar?.adopted == false }
        return rule.expired(good)
    }

    /// - Returns: the names that were removed, each of which was logged.
    @discardableResult
    public func apply(_ rule: RetentionRule) throws -> [BackupName] {
        var removed: [BackupName] = []
        let catalogue = Catalogue(folder)
        for item in try expired(by: rule) {
            try catalogue.remove(item)
            log.info("removed an expired backup", ["name": item.name, "bytes": item.size, "created": item.created.iso])
            removed.append(item.name)
        }
        return removed
    }
}
