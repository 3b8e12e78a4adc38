// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What is tried when the rows are there, statement by statement: what the server refuses is left out and told of.
///
/// Some at once: each holds its locks until its transaction ends, the server has room for some thousands, and that room is everybody's.
struct RestoreAfterwards {
    let session: Connection
    let list: RestoreList
    private let situation: RestoreSituation
    let cancellation: Cancellation
    /// Seconds for all fillings of materialized views.
    let fillingTime: Double
    var refused: [BeyondRestore] = []
    /// By the dump's numbers: left out, refused, or in need of what was.
    var notMade: Set<Int>
    /// Whose MLflow's tables are to be; `nil` where that is a superuser.
    private var heirOfTables: String?
    /// By the dump's numbers: what this role keeps, though it might give it to its owner.
    private var kept: Set<Int> = []
    /// And all that its owner does not get.
    private(set) var withheld: Set<Int> = []
    /// Owners, with how many objects were not given to them.
    private var notGiven: [String: Int] = [:]
    /// Filled when it is first asked for; no role comes or goes by what is done here.
    private var rolesHere: Set<String>?
    /// Tables and functions of triggers that are not their owners'.
    private(set) var strangers = Strangers()

    struct Strangers {
        var tables: [String] = []
        var functions: [String] = []
        /// Of which statistics are made with the rights of whoever has them.
        var analyzed: [String] = []
    }

    init(
        _ list: RestoreList, in situation: RestoreSituation, on session: Connection, fillingTime: Double = 1800,
        cancellation: Cancellation
    ) {
        self.fillingTime = fillingTime
        self.session = session
        self.list = list
        self.situation = situation
        self.cancellation = cancellation
        notMade = list.out
    }

    /// - Parameters:
    ///   - owner: whose MLflow's tables were in the dump.
    ///   - schemas: where they are.
    ///   - heir: who gets what was his (`PostgresTools.heir`); `nil` where nobody is known.
    ///   - isDumper: whether he made the dump, or nobody is known to have: what nobody gets of it is this role's, and need not be said.
    ///   - isCertain: whether nobody else can have been MLflow's role (`DumpContents.isCertain`).
    /// - Returns: what was refused, and what is another's.
    /// - Throws: `PostgresError` for what is no refusal (`Connection.attempt`), `CancelledError`.
    mutating func run(
        owner: String?, in schemas: Set<String> = [], heir: String?, isDumper: Bool, isCertain: Bool = false
    ) throws -> [BeyondRestore] {
        // Of what such a one owns only the tables are MLflow's: the rest may be what MLflow is not to have.
        let isSuperusers = try isSuperuser(owner)
        if situation.isSuperuser {
            heirOfTables = heir == situation.role ? nil : heir
        } else {
            heirOfTables = heir ?? owner
        }
        let (afterwards, handedOver) = try handOver(list.afterwards, of: owner, to: heir, isCertain)
        let others = afterwards.filter { !$0.isGrants }
        // Of indices, rows and comments the dump says an owner, too, who cannot be changed.
        let owned = list.owned.compactMap { entry -> DumpEntry? in
            // `public` is its database's owner's already.
            let isPublic = entry.kind == "SCHEMA" && entry.name == "public" && entry.owner == "pg_database_owner"
            if entry.ownerStatements.isEmpty || isPublic { return nil }
            let isMLflows =
                entry.owner == owner
                && (!isSuperusers || schemas.contains(entry.schema) && ["TABLE", "SEQUENCE"].contains(entry.kind))
            if isMLflows, let heir {
                if heir != situation.role { return entry.owned(by: heir) }
                guard situation.isSuperuser, entry.owner != heir else { return nil }
                // What is a superuser's now and was not is told of, and lends nobody his rights.
                kept.insert(entry.id)
                return entry
            }
            // Where nobody is known whom MLflow works as, it is a superuser's, which is told of.
            let isKept = entry.owner == situation.role || isMLflows && isDumper && !situation.isSuperuser
            return isKept ? nil : entry
        }
        let isFilling = Self.isOrNeeds(others.filter { $0.kind == "MATERIALIZED VIEW DATA" })
        // They would meet what follows.
        let isTrigger = Self.isOrNeeds(others.filter { $0.kind == "EVENT TRIGGER" })
        let grants = afterwards.filter(\.isGrants)
        try makeAll(others.filter { !isFilling($0) && !isTrigger($0) })
        try giveAll(RestoredRights.ordered(owned.filter { !isTrigger($0) }, grants))
        try fillAll(others.filter { isFilling($0) && !isTrigger($0) })
        try takeTriggerRights()
        try turnOff(triggers)
        try dropExpressions()
        try makeAll(others.filter(isTrigger))
        try giveAll(RestoredRights.ordered(owned.filter(isTrigger), []))
        try turnOff(eventTriggers)
        return refused + handedOver
            + notGiven.sorted { $0.key < $1.key }.map {
                BeyondRestore(kind: "owner", name: $0.key, fate: .ownerChanges, count: $0.value)
            }
    }

    private static func isOrNeeds(_ entries: [DumpEntry]) -> (DumpEntry) -> Bool {
        let numbers = Set(entries.map(\.id))
        return { numbers.contains($0.id) || !numbers.isDisjoint(with: $0.needs) }
    }

    /// From a superuser nothing need be given.
    private mutating func handOver(
        _ entries: [DumpEntry], of owner: String?, to heir: String?, _ isCertain: Bool
    ) throws -> (entries: [DumpEntry], told: [BeyondRestore]) {
        // Where nobody is known whom MLflow works as here, it is whose its tables become, if the other one is away.
        let isAway = try owner.map { try !isHere($0) } ?? false
        guard let owner, let new = heir ?? (isAway && !situation.isSuperuser ? situation.role : nil), new != owner
        else { return (entries, []) }
        let (wasSuperusers, isSuperusers) = (try isSuperuser(owner), try isSuperuser(new))
        if wasSuperusers, isSuperusers { return (entries, []) }
        var change = HandOver(
            from: owner, isHere: !isAway, isSuperuser: wasSuperusers, to: new, isHeirSuperuser: isSuperusers,
            isCertain: isCertain)
        let changed = entries.map { change.naming($0) }
        return (changed, change.told)
    }

    private mutating func isHere(_ role: String) throws -> Bool {
        let here = try rolesHere ?? session.names("select rolname::text as name from pg_catalog.pg_roles")
        rolesHere = here
        return here.contains(role)
    }

    /// Of those that a statement names one that this server has not: that is why it was refused.
    private mutating func away(of roles: [String]) throws -> String? {
        try roles.first { try !isHere($0) }
    }

    private func isSuperuser(_ role: String?) throws -> Bool {
        guard let role else { return false }
        return try !session.rows("select from pg_catalog.pg_roles where rolsuper and rolname = \(role)").isEmpty
    }

    private mutating func makeAll(_ entries: [DumpEntry]) throws {
        try inParts(entries) { for entry in $1 { try $0.make(entry) } }
    }

    private mutating func giveAll(_ rights: [RestoredRights]) throws {
        try inParts(rights) { try $0.give($1, isWhole: $1.count == 1) }
    }

    private static let atOnce = 100

    /// Each part in a transaction of its own; where the server has no room for so many locks, in smaller ones.
    mutating func inParts<Item>(
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
        let policy = RowPolicy(entry)
        let instead = try policy.flatMap { try makeNarrower($0, refusal) }
        let reasons = [refusal?.refusal, instead].compactMap(\.self)
        let away = refusal == nil ? nil : try away(of: policy?.names ?? [])
        refused.append(
            entry.object.because(reasons.isEmpty ? nil : reasons.joined(separator: "; ")).about(role: away))
        if instead == nil { notMade.insert(entry.id) }
    }

    /// A policy for those of its roles that this server has, where it lacks the others; a restrictive one, which hides rows, for everybody, since
    /// those whom it bound may be here by another role's name. Where that cannot be made either, a restrictive one
    /// shows no row: lacking, it would show all.
    /// - Returns: how it is made now; `nil` where it is not.
    private func makeNarrower(_ policy: RowPolicy, _ refusal: PostgresError?) throws -> String? {
        let known = try session.names("select pg_catalog.quote_ident(rolname) as name from pg_catalog.pg_roles")
        let here = policy.roles.filter { known.contains(String(ofServer: $0)) }
        let isPartly = here.count < policy.roles.count
        if !policy.isRestrictive, here.isEmpty { return nil }
        let bound = policy.isRestrictive && isPartly ? [] : here
        if refusal != nil, isPartly, try attempt(policy.statement(for: bound)) == nil {
            return bound.isEmpty ? "TO PUBLIC" : String(ofServer: RowPolicy.to(bound).dropFirst())
        }
        guard policy.isRestrictive else { return nil }
        if let refusal = try attempt(policy.closed(for: bound)) { throw refusal }
        return BeyondRestore.closedPolicy
    }

    /// Owners and grants, but for those by which this role would have no rights where it had them (what follows reads and locks each table),
    /// or by which others would have this role's.
    /// - Parameter isWhole: whether it is alone in its transaction.
    private mutating func give(_ part: ArraySlice<RestoredRights>, isWhole: Bool) throws {
        let (owned, grants, before) = (part.compactMap(\.owned), part.flatMap(\.grants), self)
        try session.execute("savepoint rights")
        do {
            let notYet = try owned.filter { try !isGiven($0) }
            try giveGrants(grants)
            // Whoever gets something in a schema must be allowed to make things there, which a grant may say.
            let never = try notYet.filter { try !isGiven($0) }
            for entry in never { keep(entry) }
            if !never.contains(where: \.worksForItsOwner), try situation.isSuperuser || stillReadsAll() { return }
        } catch let error as PostgresError {
            // No row depends on it.
            guard case .query("53200", _) = error, isWhole else { throw error }
        }
        try session.execute("rollback to rights")
        self = before
        // One may keep the others from being given. Of large objects, of which there may be any number, each would.
        if part.count > 1, !part.allSatisfy(\.isOfLargeObjects) {
            let half = part.startIndex + part.count / 2
            try give(part[..<half], isWhole: false)
            return try give(part[half...], isWhole: false)
        }
        // What is ours is nobody else's to use who might not before: a function that runs with its owner's rights.
        for statement in grants.flatMap(\.statements) where Self.takesFromAll(statement) { _ = try attempt(statement) }
        refused += grants.map { BeyondRestore(kind: "grants", name: $0.name, fate: .leftOut) }
        for entry in owned where !notMade.contains(entry.id) {
            keep(entry)
            if entry.closing.isEmpty { continue }
            for statement in entry.closing { if let refusal = try attempt(statement) { throw refusal } }
            refused.append(entry.object.because("REVOKE ALL FROM PUBLIC, SECURITY INVOKER"))
        }
    }

    /// What its owner does not get.
    private mutating func keep(_ entry: DumpEntry) {
        notGiven[entry.owner, default: 0] += 1
        withheld.insert(entry.id)
        if entry.owner != heirOfTables, let table = entry.triggerTable { strangers.tables.append(table) }
        if situation.isSuperuser, let name = entry.analyzed { strangers.analyzed.append(name) }
        if entry.worksForItsOwner, let function = entry.triggerFunction { strangers.functions.append(function) }
    }

    private func stillReadsAll() throws -> Bool {
        try session.tablesNotLockable().isEmpty && UnreadableObjects(on: session).isEmpty
    }

    private static func takesFromAll(_ statement: [UInt8]) -> Bool {
        statement.starts(with: "REVOKE ".utf8) && statement.reversed().starts(with: " FROM PUBLIC;".utf8.reversed())
    }

    /// Whether an entry that was made is its owner's now.
    private func isGiven(_ entry: DumpEntry) throws -> Bool {
        if notMade.contains(entry.id) { return true }
        if kept.contains(entry.id) { return false }
        for statement in entry.ownerStatements where try attempt(statement) != nil { return false }
        return true
    }

    private mutating func giveGrants(_ grants: [DumpEntry]) throws {
        for statement in grants.flatMap(\.statements) {
            guard let refusal = try attempt(statement) else { continue }
            let text = String(ofServer: statement.dropLast())
            if text.hasPrefix("SET SESSION") || text.hasPrefix("RESET") { continue }
            let rights = RightsStatement(statement)
            refused.append(
                BeyondRestore(kind: rights.isOfDefaults ? "default privilege" : "grant", name: text, fate: .leftOut)
                    .because(refusal.refusal).about(role: try away(of: rights.roles)))
        }
    }

    /// - Returns: what the server refused it with.
    func attempt(_ script: [UInt8]) throws -> PostgresError? {
        try session.attempt { try session.execute(script: script, cancellation: cancellation) }
    }
}
