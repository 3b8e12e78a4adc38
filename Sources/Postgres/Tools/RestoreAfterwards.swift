// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What is tried when the rows are there, statement by statement: what the server refuses is left out and told of.
///
/// Some at once: each holds its locks until its transaction ends, the server has room for some thousands, and that room is everybody's.
struct RestoreAfterwards {
    private let session: Connection
    private let list: RestoreList
    private let situation: RestoreSituation
    private let cancellation: Cancellation
    private var refused: [BeyondRestore] = []
    /// By the dump's numbers: left out, refused, or in need of what was.
    private var notMade: Set<Int>
    /// Owners, with how many objects were not given to them.
    private var notGiven: [String: Int] = [:]

    /// What is given to its owner, and the grants on it: they go together, since one alone may take this role's rights.
    private struct Rights {
        var owned: DumpEntry?
        var grants: [DumpEntry] = []
    }

    init(_ list: RestoreList, in situation: RestoreSituation, on session: Connection, cancellation: Cancellation) {
        self.session = session
        self.list = list
        self.situation = situation
        self.cancellation = cancellation
        notMade = list.out
    }

    /// - Parameters:
    ///   - dumper: the role that made the dump: what was its own is now the restoring role's. `nil` where that is not known: then
    ///     all is.
    ///   - heir: who gets in its stead what would be the restoring role's.
    /// - Returns: what was refused.
    /// - Throws: `PostgresError` for what is no refusal (`Connection.attempt`), `CancelledError`.
    mutating func run(dumper: String?, heir: String? = nil) throws -> [BeyondRestore] {
        let others = list.afterwards.filter { !$0.isGrants }
        // Of indices, rows and comments the dump says an owner, too, who cannot be changed.
        let owned = list.owned.compactMap { entry -> DumpEntry? in
            guard !entry.ownerStatements.isEmpty, entry.owner != "pg_database_owner" else { return nil }
            if entry.owner == situation.role, dumper != nil { return nil }
            guard dumper == nil || entry.owner == dumper else { return entry }
            // Nobody whom MLflow works as is known: it may have no rights on what is a superuser's now.
            if heir == nil, situation.isSuperuser { notGiven[entry.owner, default: 0] += entry.ownerStatements.count }
            return heir.map { entry.owned(by: $0) }
        }
        // Event triggers last: they would meet what follows.
        let triggers = Set(others.filter { $0.kind == "EVENT TRIGGER" }.map(\.id))
        let isLast = { (entry: DumpEntry) in triggers.contains(entry.id) || !triggers.isDisjoint(with: entry.needs) }
        for last in [false, true] {
            try inParts(others.filter { isLast($0) == last }) { for entry in $1 { try $0.make(entry) } }
            let grants = last ? [] : list.afterwards.filter(\.isGrants)
            try inParts(Self.rights(owned.filter { isLast($0) == last }, grants)) { try $0.give($1) }
        }
        return refused
            + notGiven.sorted { $0.key < $1.key }.map {
                BeyondRestore(kind: "owner", name: $0.key, fate: .ownerChanges, count: $0.value)
            }
    }

    /// What may be made in a schema is granted before the rest, and large objects, of which there may be any number, come last.
    private static func rights(_ owned: [DumpEntry], _ grants: [DumpEntry]) -> [Rights] {
        let numbers = Set(owned.map(\.id))
        let grantsOn = Dictionary(grouping: grants) { $0.needs.first(where: numbers.contains) }
        let loose = (grantsOn[nil] ?? []).map { Rights(grants: [$0]) }
        let isOfSchema = { (rights: Rights) in rights.grants.contains { $0.name.hasPrefix("SCHEMA ") } }
        let given = owned.flatMap { entry in
            // Of large objects one entry may name thousands.
            var parts = entry.ownerStatements.map { statement in
                var one = entry
                one.statements = [statement]
                return Rights(owned: one)
            }
            parts[parts.count - 1].grants = grantsOn[entry.id] ?? []
            return parts
        }
        let all = loose.filter(isOfSchema) + given + loose.filter { !isOfSchema($0) }
        let isOfLargeObjects = { (rights: Rights) in (rights.owned ?? rights.grants[0]).isOfLargeObjects }
        return all.filter { !isOfLargeObjects($0) } + all.filter(isOfLargeObjects)
    }

    private static let atOnce = 100

    /// Each part in a transaction of its own; where the server has no room for so many locks, in smaller ones.
    private mutating func inParts<Item>(
        _ items: [Item], _ body: (inout RestoreAfterwards, ArraySlice<Item>) throws -> Void
    ) throws {
        var (rest, most) = (items[...], Self.atOnce)
        while !rest.isEmpty {
            let (part, before) = (rest.prefix(most), self)
            try session.begin(for: list.contents)
            do { try body(&self, part) } catch let error as PostgresError {
                guard case .query("53200", _) = error, part.count > 1 else { throw error }
                try session.execute("rollback")
                (self, most) = (before, part.count / 2)
                continue
            }
            try session.execute("commit")
            rest = rest.dropFirst(part.count)
        }
    }

    private mutating func make(_ entry: DumpEntry) throws {
        var refusal: PostgresError?
        if notMade.isDisjoint(with: entry.needs) {
            refusal = try attempt(entry.statementsButOwner)
            if refusal == nil { return }
        } else if entry.isOfAnother {
            notMade.insert(entry.id)
            return
        }
        let instead = try RowPolicy(entry).flatMap { try makeNarrower($0, refusal) }
        let reasons = [refusal?.refusal, instead].compactMap(\.self)
        refused.append(entry.object.because(reasons.isEmpty ? nil : reasons.joined(separator: "; ")))
        if instead == nil { notMade.insert(entry.id) }
    }

    /// A policy for those of its roles that this server has, where it lacks the others. Where that cannot be made either, a restrictive one
    /// shows no row: lacking, it would show all.
    /// - Returns: how it is made now; `nil` where it is not, and nobody is here whom it would keep from a row.
    private func makeNarrower(_ policy: RowPolicy, _ refusal: PostgresError?) throws -> String? {
        let known = try session.names("select pg_catalog.quote_ident(rolname) as name from pg_catalog.pg_roles")
        let here = policy.roles.filter { known.contains(String(ofServer: $0)) }
        if here.isEmpty, !policy.roles.isEmpty { return nil }
        if refusal != nil, here.count < policy.roles.count, try attempt(policy.statement(for: here)) == nil {
            return String(ofServer: RowPolicy.to(here).dropFirst())
        }
        guard policy.isRestrictive else { return nil }
        if let refusal = try attempt(policy.closed(for: here)) { throw refusal }
        return "USING (false)"
    }

    /// Owners and grants, but for those by which this role would have no rights where it had them: what follows reads and locks each table.
    private mutating func give(_ part: ArraySlice<Rights>) throws {
        let (owned, grants, before) = (part.compactMap(\.owned), part.flatMap(\.grants), self)
        try session.execute("savepoint rights")
        do {
            let notYet = try owned.filter { try !isGiven($0) }
            try giveGrants(grants)
            // Whoever gets something in a schema must be allowed to make things there, which a grant may say.
            for entry in notYet where try !isGiven(entry) { notGiven[entry.owner, default: 0] += 1 }
            if situation.isSuperuser { return }
            if try session.tablesNotLockable().isEmpty, try UnreadableObjects(on: session).isEmpty { return }
        } catch let error as PostgresError {
            // No row depends on it.
            guard case .query("53200", _) = error, part.count == 1 else { throw error }
        }
        try session.execute("rollback to rights")
        self = before
        if part.count > 1 {
            // One may keep the others from being given; only that one is not.
            let half = part.startIndex + part.count / 2
            try give(part[..<half])
            return try give(part[half...])
        }
        // What is ours is nobody else's to use who might not before: a function that runs with its owner's rights.
        for statement in grants.flatMap(\.statements) where Self.takesFromAll(statement) { _ = try attempt(statement) }
        refused += grants.map { BeyondRestore(kind: "grants", name: $0.name, fate: .leftOut) }
        for entry in owned where !notMade.contains(entry.id) { notGiven[entry.owner, default: 0] += 1 }
    }

    private static func takesFromAll(_ statement: [UInt8]) -> Bool {
        statement.starts(with: "REVOKE ".utf8) && statement.reversed().starts(with: " FROM PUBLIC;".utf8.reversed())
    }

    /// Whether an entry that was made is its owner's now.
    private func isGiven(_ entry: DumpEntry) throws -> Bool {
        if notMade.contains(entry.id) { return true }
        for statement in entry.ownerStatements where try attempt(statement) != nil { return false }
        return true
    }

    private mutating func giveGrants(_ grants: [DumpEntry]) throws {
        for statement in grants.flatMap(\.statements) {
            guard let refusal = try attempt(statement) else { continue }
            let text = String(ofServer: statement.dropLast())
            if text.hasPrefix("SET SESSION") || text.hasPrefix("RESET") { continue }
            refused.append(BeyondRestore(kind: "grant", name: text, fate: .leftOut).because(refusal.refusal))
        }
    }

    /// - Returns: what the server refused it with.
    private func attempt(_ script: [UInt8]) throws -> PostgresError? {
        try session.attempt { try session.execute(script: script, cancellation: cancellation) }
    }
}
