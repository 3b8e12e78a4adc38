// SPDX-License-Identifier: Apache-2.0

/// Something in a database that a restore does not bring back as it was.
package struct BeyondRestore: Sendable, Hashable, Codable {
    package enum Fate: String, Sendable, Codable, CaseIterable {
        /// A restore by this role leaves it out: to make it takes a superuser, or it depends on what does.
        case leftOut = "left-out"
        /// An extension that cannot be made in this server by anybody, or what depends on that: a restore leaves it out, and fails
        /// where it is a table.
        case unavailable
        /// What was put into a table of an extension that is left out: it is left out with that.
        case rowsLost = "rows-lost"
        /// A table that depends on what this role may not make: a restore by this role fails.
        case fails
        /// It is not in a dump, or would begin to replicate: a person makes it again.
        case never
        /// A standby has not the rows of an unlogged table, and so this backup has not.
        case notInBackup = "not-in-backup"
        /// It belongs to the database that a restore puts aside.
        case staysBehind = "stays-behind"
        /// It is brought back and belongs to the restoring role.
        case ownerChanges = "owner-changes"
        /// It is brought back, elsewhere.
        case moves
        /// A role that cannot do with MLflow's tables what it could, or what MLflow does.
        case shutOut = "shut-out"
        /// A row policy that may hide rows from MLflow's role of here, since it asks who reads.
        case mayHide = "may-hide"
        /// A role that may be MLflow's here as well as the one that has its tables now.
        case passedOver = "passed-over"
        /// What the backup gives to MLflow's role of there is given to that of here.
        case handedOver = "handed-over"
        /// It is still that role's, of which it is not certain that it is MLflow's.
        case notHandedOver = "not-handed-over"
        /// It is still that role's, though that role is not MLflow's here.
        case staysFormers = "stays-formers"
    }

    /// PostgreSQL's word, as `pg_identify_object` and `pg_restore --list` have it: `extension`, `view`, `event trigger`.
    package var kind: String
    /// As PostgreSQL writes it, with its schema.
    package var name: String
    package var fate: Fate
    /// Of an owner or a tablespace: how many objects it is about.
    package var count: Int?
    /// Why, in the server's words; `nil` for a right that this role lacks.
    package private(set) var reason: String?
    /// Of what says something of a role: which one is away; of what is handed over, who has it.
    package private(set) var role: String?

    package init(kind: String, name: String, fate: Fate, count: Int? = nil) {
        self.kind = kind
        self.name = name
        self.fate = fate
        self.count = count
    }

    /// `view public.seen`.
    package var description: String { "\(kind) \(name)" }

    /// What was put into a table.
    static func rows(of table: String) -> BeyondRestore {
        BeyondRestore(kind: "rows of table", name: table, fate: .rowsLost)
    }

    /// - Parameter reason: in the server's words.
    func because(_ reason: String?) -> BeyondRestore {
        var object = self
        object.reason = reason
        return object
    }

    func about(role: String?) -> BeyondRestore {
        var object = self
        object.role = role
        return object
    }
}
