// SPDX-License-Identifier: Apache-2.0

/// What is tried when the rows are there, statement by statement: what the server refuses is left out and told of.
struct RestoreAfterwards {
    private let session: Connection
    private let list: RestoreList
    private let role: String
    private var refused: [BeyondRestore] = []
    private var notMade: Set<Int> = []

    init(_ list: RestoreList, role: String, on session: Connection) {
        self.session = session
        self.list = list
        self.role = role
    }

    /// - Parameter dumper: the role that made the dump: what was its own is now the restoring role's. `nil` where that is not known:
    ///   then all is.
    /// - Returns: what was refused.
    /// - Throws: `PostgresError` where the session was lost.
    mutating func run(dumper: String?) throws(PostgresError) -> [BeyondRestore] {
        let rights: Set<String> = ["ACL", "DEFAULT ACL"]
        let others = list.afterwards.filter { !rights.contains($0.kind) }
        let grants = list.afterwards.filter { rights.contains($0.kind) }
        let owned = dumper.map { dumper in
            list.owned.filter { ![dumper, role, "pg_database_owner"].contains($0.owner) }
        }
        if others.isEmpty, grants.isEmpty, owned?.isEmpty != false { return [] }
        try session.execute("begin")
        try session.execute("set local search_path = ''")
        // Event triggers last: they would meet what follows.
        let triggers = Set(others.filter { $0.kind == "EVENT TRIGGER" }.map(\.id))
        let isLast = { (entry: DumpEntry) in triggers.contains(entry.id) || !triggers.isDisjoint(with: entry.needs) }
        for entry in others where !isLast(entry) { try make(entry) }
        try giveBack(owned ?? [], grants)
        for entry in others where isLast(entry) { try make(entry) }
        try session.execute("commit")
        return refused
    }

    private mutating func make(_ entry: DumpEntry) throws(PostgresError) {
        // What needs what was refused is not told of beside it.
        if !notMade.isDisjoint(with: entry.needs) { return }
        let lines = entry.statements.split(separator: "\n").filter { !Self.isOwner($0) }
        if try attempt(lines.joined(separator: "\n")) { return }
        notMade.insert(entry.id)
        refused.append(entry.object)
    }

    /// Owners and grants, unless this role would then have no rights where it had them: what follows reads and locks each table.
    private mutating func giveBack(_ owned: [DumpEntry], _ grants: [DumpEntry]) throws(PostgresError) {
        let before = refused
        try session.execute("savepoint rights")
        var notGiven: [String: Int] = [:]
        for entry in owned {
            let line = entry.statements.split(separator: "\n").last(where: Self.isOwner)
            if let line, try !attempt(String(line)) { notGiven[entry.owner, default: 0] += 1 }
        }
        for entry in grants {
            for statement in entry.statements.split(separator: ";\n") {
                let text = statement.trimming("\n ;")
                if text.isEmpty { continue }
                let isSetting = text.hasPrefix("SET SESSION") || text.hasPrefix("RESET")
                if try !attempt(text), !isSetting {
                    refused.append(BeyondRestore(kind: "grant", name: text, fate: .leftOut))
                }
            }
        }
        if try session.tablesNotLockable().isEmpty, try UnreadableObjects(on: session).isEmpty {
            refused += notGiven.sorted { $0.key < $1.key }.map {
                BeyondRestore(kind: "owner", name: $0.key, fate: .ownerChanges, count: $0.value)
            }
            return
        }
        try session.execute("rollback to rights")
        let all = Dictionary(grouping: owned, by: \.owner).mapValues(\.count)
        refused =
            before
            + all.sorted { $0.key < $1.key }.map {
                BeyondRestore(kind: "owner", name: $0.key, fate: .ownerChanges, count: $0.value)
            }
        if !grants.isEmpty {
            refused += grants.map { BeyondRestore(kind: "grants", name: $0.name, fate: .leftOut) }
        }
    }

    /// - Returns: false where the server refused.
    private func attempt(_ script: String) throws(PostgresError) -> Bool {
        try session.execute("savepoint one")
        do throws(PostgresError) {
            try session.execute(script: script)
            try session.execute("release one")
            return true
        } catch {
            if case .connectionLost = error { throw error }
            try session.execute("rollback to one")
            return false
        }
    }

    /// `ALTER TABLE public.runs OWNER TO app;`, a line of its own.
    private static func isOwner(_ line: Substring) -> Bool {
        line.hasPrefix("ALTER ") && line.contains(" OWNER TO ") && line.hasSuffix(";")
    }
}

extension Substring {
    fileprivate func trimming(_ characters: String) -> String {
        var rest = self
        while let first = rest.first, characters.contains(first) { rest = rest.dropFirst() }
        while let last = rest.last, characters.contains(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
