// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What is tried when the rows are there, statement by statement: what the server refuses is left out and told of.
struct RestoreAfterwards {
    private let session: Connection
    private let list: RestoreList
    private let role: String
    private let cancellation: Cancellation
    private var refused: [BeyondRestore] = []
    /// By the dump's numbers: refused, or in need of what was.
    private var notMade: Set<Int> = []
    /// Owners, with how many objects were not given to them.
    private var notGiven: [String: Int] = [:]

    init(_ list: RestoreList, role: String, on session: Connection, cancellation: Cancellation) {
        self.session = session
        self.list = list
        self.role = role
        self.cancellation = cancellation
    }

    /// - Parameters:
    ///   - dumper: the role that made the dump: what was its own is now the restoring role's. `nil` where that is not known: then
    ///     all is.
    ///   - heir: who gets in its stead what would be the restoring role's.
    /// - Returns: what was refused.
    /// - Throws: `PostgresError` for what is no refusal (`Connection.attempt`), `CancelledError`.
    mutating func run(dumper: String?, heir: String? = nil) throws -> [BeyondRestore] {
        let rights: Set<String> = ["ACL", "DEFAULT ACL"]
        let others = list.afterwards.filter { !rights.contains($0.kind) }
        let grants = list.afterwards.filter { rights.contains($0.kind) }
        // Of indices, rows and comments the dump says an owner, too, who cannot be changed.
        let owned = list.owned.compactMap { entry -> DumpEntry? in
            guard !entry.ownerStatements.isEmpty, entry.owner != "pg_database_owner" else { return nil }
            if entry.owner == role, dumper != nil { return nil }
            return dumper == nil || entry.owner == dumper ? heir.map { entry.owned(by: $0) } : entry
        }
        if others.isEmpty, grants.isEmpty, owned.isEmpty { return [] }
        try session.execute("begin")
        try session.execute("set local search_path = ''")
        // Event triggers last: they would meet what follows.
        let triggers = Set(others.filter { $0.kind == "EVENT TRIGGER" }.map(\.id))
        let isLast = { (entry: DumpEntry) in triggers.contains(entry.id) || !triggers.isDisjoint(with: entry.needs) }
        for entry in others where !isLast(entry) { try make(entry) }
        let areGiven = try giveBack(owned.filter { !isLast($0) }, grants)
        for entry in others where isLast(entry) { try make(entry) }
        for entry in owned where isLast(entry) && !notMade.contains(entry.id) {
            if try !areGiven || !isGiven(entry) { notGiven[entry.owner, default: 0] += 1 }
        }
        try session.execute("commit")
        return refused
            + notGiven.sorted { $0.key < $1.key }.map {
                BeyondRestore(kind: "owner", name: $0.key, fate: .ownerChanges, count: $0.value)
            }
    }

    private mutating func make(_ entry: DumpEntry) throws {
        if notMade.isDisjoint(with: entry.needs) {
            guard let refusal = try attempt(entry.statementsButOwner) else { return }
            refused.append(entry.object.because(refusal.refusal))
        } else if !entry.isOfAnother {
            refused.append(entry.object)
        }
        notMade.insert(entry.id)
    }

    /// Owners and grants, unless this role would then have no rights where it had them: what follows reads and locks each table.
    /// - Returns: whether they were given.
    private mutating func giveBack(_ owned: [DumpEntry], _ grants: [DumpEntry]) throws -> Bool {
        let before = refused
        try session.execute("savepoint rights")
        do {
            let notYet = try owned.filter { try !isGiven($0) }
            try giveGrants(grants)
            // Whoever gets something in a schema must be allowed to make things there, which a grant may say.
            for entry in notYet where try !isGiven(entry) { notGiven[entry.owner, default: 0] += 1 }
            if try session.tablesNotLockable().isEmpty, try UnreadableObjects(on: session).isEmpty { return true }
        } catch PostgresError.query("53200", _) {
            // More objects than one transaction of this server may lock; no row depends on it.
        }
        try session.execute("rollback to rights")
        refused = before + grants.map { BeyondRestore(kind: "grants", name: $0.name, fate: .leftOut) }
        notGiven = [:]
        for entry in owned where !notMade.contains(entry.id) { notGiven[entry.owner, default: 0] += 1 }
        return false
    }

    /// Whether an entry that was made is its owner's now.
    private func isGiven(_ entry: DumpEntry) throws -> Bool {
        if notMade.contains(entry.id) { return true }
        for statement in entry.ownerStatements where try attempt(statement) != nil { return false }
        return true
    }

    private mutating func giveGrants(_ grants: [DumpEntry]) throws {
        for entry in grants {
            for statement in entry.statements {
                let text = String(statement.dropLast())
                let isSetting = text.hasPrefix("SET SESSION") || text.hasPrefix("RESET")
                if let refusal = try attempt(text), !isSetting {
                    refused.append(
                        BeyondRestore(kind: "grant", name: text, fate: .leftOut).because(refusal.refusal))
                }
            }
        }
    }

    /// - Returns: what the server refused it with.
    private func attempt(_ script: String) throws -> PostgresError? {
        try session.attempt { try session.execute(script: script, cancellation: cancellation) }
    }
}
