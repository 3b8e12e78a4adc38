// SPDX-License-Identifier: Apache-2.0

/// What of a dump the server does not let this role make, found by making it, with all that it needs, in transactions of which nothing
/// stays: managed servers let roles make more than the catalogue says, and what takes a superuser may be one word of a function.
struct RestoreTrial {
    /// By the dump's numbers, with what the server says.
    private(set) var refused: [Int: PostgresError] = [:]
    /// Names of tables and sequences that the extensions make which can be made; `nil` where that is not known.
    private(set) var namesOfExtensions: Set<String>?

    /// - Parameter session: in the new database, which is as it was made.
    /// - Throws: `PostgresError`.
    init(_ contents: DumpContents, isSuperuser: Bool, on session: Connection) throws {
        let extensions = contents.made.filter { $0.kind == "EXTENSION" }
        if extensions.isEmpty { namesOfExtensions = [] }
        var others = isSuperuser ? [] : contents.made.filter { Self.mayTakeSuperuser.contains($0.kind) }[...]
        if extensions.isEmpty, others.isEmpty { return }
        try session.begin(for: contents)
        try session.execute("set local check_function_bodies = off")
        // Once alone: some refuse to be made a second time in a session.
        let needed = contents.needed(by: extensions)
        if let missing = try make(needed, of: contents, on: session) {
            if !extensions.isEmpty { namesOfExtensions = try Self.namesOfExtensions(on: session) }
            // Where even the look had no room, nothing more can be tried in this transaction.
            while !others.isEmpty, namesOfExtensions != nil {
                try session.execute("savepoint hundred")
                let tried = contents.needed(by: Array(others.prefix(Self.atOnce))).subtracting(needed)
                _ = try make(tried, besides: missing, of: contents, on: session)
                try session.execute("rollback to hundred")
                others = others.dropFirst(Self.atOnce)
            }
        }
        try session.execute("rollback")
    }

    /// What is made holds locks until its savepoint is rolled back (PostgreSQL manual, 13.3), and the server's room for them is
    /// everybody's.
    private static let atOnce = 100

    /// - Parameter besides: what could not be made before.
    /// - Returns: what cannot be made, these too. `nil` where they are more than one transaction of this server may lock (53200): pg_restore,
    ///   which makes them one by one, will say.
    private mutating func make(
        _ tried: Set<Int>, besides: Set<Int> = [], of contents: DumpContents, on session: Connection
    ) throws -> Set<Int>? {
        var missing = besides
        for entry in contents.made where tried.contains(entry.id) {
            guard missing.isDisjoint(with: entry.needs) else {
                missing.insert(entry.id)
                continue
            }
            let refusal: PostgresError?
            do {
                refusal = try session.attempt { try session.execute(script: entry.statementsButOwner) }
            } catch PostgresError.query("53200", _) {
                return nil
            }
            guard let refusal else { continue }
            missing.insert(entry.id)
            let isForSuperusers = Self.mayTakeSuperuser.contains(entry.kind) && Self.isForSuperusers(refusal)
            if entry.kind == "EXTENSION" || isForSuperusers { refused[entry.id] = refusal }
        }
        return missing
    }

    /// - Returns: `nil` where the extensions have taken all the room for locks.
    private static func namesOfExtensions(on session: Connection) throws(PostgresError) -> Set<String>? {
        do {
            return try session.names(
                """
                select c.relname::text as name from pg_catalog.pg_class c
                join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  and d.objid = c.oid
                where d.deptype = 'e'
                """)
        } catch {
            guard case .query("53200", _) = error else { throw error }
            return nil
        }
    }

    /// What one may make of one's own, but for some of them: a cast between types of the server, what is leakproof or sets what a superuser
    /// sets, an aggregate over `internal`.
    private static let mayTakeSuperuser: Set<String> = [
        "FUNCTION", "PROCEDURE", "AGGREGATE", "CAST", "OPERATOR", "CONVERSION", "TRANSFORM",
    ]

    /// That another thing is missing here, which pg_restore makes, is for it to say.
    private static func isForSuperusers(_ refusal: PostgresError) -> Bool {
        switch refusal {
        case .insufficientPrivilege: true
        // "aggregate transition data type cannot be internal".
        case .query("42P13", _): true
        default: false
        }
    }
}

extension DumpContents {
    /// These, and all that is made before them because they need it.
    fileprivate func needed(by entries: [DumpEntry]) -> Set<Int> {
        var found: Set<Int> = []
        var open = entries.map(\.id)
        while let id = open.popLast() {
            if found.insert(id).inserted { open += self.entries[id]?.needs ?? [] }
        }
        return found
    }
}

extension Connection {
    /// - Parameter query: with one column, `name`.
    func names(_ query: SQL) throws(PostgresError) -> Set<String> {
        var names: Set<String> = []
        for row in try rows(query) { names.insert(try row.string("name")) }
        return names
    }
}
