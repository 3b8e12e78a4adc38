// SPDX-License-Identifier: Apache-2.0

import Postgres

/// Databases of one server; a number is an oid.
extension Databases: DatabaseSet {
    package func numbered(_ name: String) throws -> UInt32? { try oid(of: name) }

    package func found(_ number: UInt32) throws -> FoundDatabase? {
        try identity(of: number).map { FoundDatabase(name: $0.name, isOurs: $0.isOurs, isInvalid: $0.isInvalid) }
    }

    package func swap(live: String, replacement: String, keepingOldAs old: String) throws {
        try swap(
            live: live, replacement: replacement, keepingOldAs: old, sparing: [],
            leave: { () throws(PostgresError) in })
    }

    /// Names are all that a swap changes.
    package func removeCopy(ofLive live: String, called name: String, isElsewhere: Bool) -> Bool { false }

    /// A database is made whole or not at all, and its name is in a journal before.
    package func removeLeftovers() {}
}

extension PostgresError: TrackingStoreError {
    var fullDisk: String? { if case .diskFull(let reason) = self { reason } else { nil } }
    var isMissing: Bool { if case .databaseMissing = self { true } else { false } }
}
