// SPDX-License-Identifier: Apache-2.0

/// What became of the database that a kept part names. Its oid tells, whatever it is called by now.
enum KeptDatabase: Equatable {
    /// The part has none, or what it had is live again.
    case none
    case present(name: String)
    /// Its oid is there under a name that no restore gave it: somebody renamed it, and whether it is still what was put aside
    /// is for that person to say, who can rename it back. It is neither brought back nor dropped.
    case renamed(name: String)
    /// A DROP of it was cut short: nobody can connect to it any more, and all that can be done is to drop it again
    /// (PostgreSQL 15.4, `datconnlimit` -2).
    case invalid(name: String)
    /// Dropped by somebody, or of another cluster.
    case gone

    /// Whether its oid is there and is not the live one, whatever it is called.
    var isThere: Bool {
        switch self {
        case .present, .renamed, .invalid: true
        case .none, .gone: false
        }
    }

    var isByHand: Bool {
        switch self {
        case .renamed, .gone: true
        case .none, .present, .invalid: false
        }
    }
}

extension KeptParts {
    /// The database of a part, by what does not change. Oids are given out again by other clusters, so one under another
    /// name is only told of where the cluster is the same and the role has it.
    func state(of part: KeptPart, on databases: any DatabaseSet) throws -> KeptDatabase {
        guard let oid = part.databaseOID else { return .none }
        let live = stack.database.name
        guard let found = try databases.found(oid) else { return .gone }
        if found.name == live { return .none }
        let given = [part.database, RestoreJournal.databaseName(live, "before", part.id)]
        if given.contains(found.name) {
            return found.isInvalid ? .invalid(name: found.name) : .present(name: found.name)
        }
        let system = try databases.systemIdentifier()
        guard found.isOurs, !found.isInvalid, part.stack?.system == nil || system == nil || part.stack?.system == system
        else { return .gone }
        return .renamed(name: found.name)
    }

    /// Its name, where it is there and can be used.
    func database(of part: KeptPart, on databases: any DatabaseSet) throws -> String? {
        guard case .present(let name) = try state(of: part, on: databases) else { return nil }
        return name
    }
}
