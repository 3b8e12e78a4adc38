// SPDX-License-Identifier: Apache-2.0

/// What of a dump this role loads into this server, what it tries afterwards, and what it leaves out: decided once, by the
/// numbers of the dump's entries, with all that needs what is left out.
///
/// pg_restore ends at the first error, because a part of a database is no restore. So what it is given must be what it can make. What
/// nothing depends on (publications, event triggers, grants, owners, comments on what is not ours, fillings of materialized views) is
/// tried one by one when the rows are there: whether the server lets this role do it, it says itself.
struct RestoreList {
    /// For `pg_restore --use-list`; `nil` where it is given all.
    let text: [UInt8]?
    let contents: DumpContents
    /// In the order of the dump; not those that say something of another.
    let leftOut: [BeyondRestore]
    /// Entries of rows that are left out with their table, which an extension makes and the dump does not.
    let rowsLeftOut: [DumpEntry]
    /// With restrictive row policies that are left out: without them rows would be shown.
    let afterwards: [DumpEntry]
    /// By the dump's numbers.
    let out: Set<Int>
    /// Of the entries that are made, those of others.
    let owned: [DumpEntry]
    /// Whether each tablespace that the dump names is there and may be used.
    let keepsTablespaces: Bool
    let moved: [BeyondRestore]

    /// - Parameter situation: of the new database.
    /// - Throws: `extensionsUnavailable`, `needsSuperuser` where tables would be left out: their rows would be lost.
    init(_ contents: DumpContents, in situation: RestoreSituation) throws(PostgresError) {
        var out: Set<Int> = []
        var later: Set<Int> = []
        self.contents = contents
        var unavailable: Set<Int> = []
        for entry in contents.made {
            // Not one that only needs another which takes a superuser.
            if situation.isUnavailable(entry), entry.needs.allSatisfy({ !out.contains($0) || unavailable.contains($0) })
            {
                unavailable.insert(entry.id)
            }
            if situation.mayNotMake(entry) {
                out.insert(entry.id)
            } else if Self.isTriedAfterwards(entry) {
                later.insert(entry.id)
            }
        }
        for entry in contents.ofExtensions {
            // Where none is known pg_restore will say.
            guard let names = entry.content?.names, situation.namesOfExtensions?.isDisjoint(with: names) == true else {
                continue
            }
            out.insert(entry.id)
        }
        Self.close(&out, over: contents)
        Self.close(&later, over: contents)
        let extensions = contents.made.filter { unavailable.contains($0.id) }
        Self.close(&unavailable, over: contents)
        try Self.refuseLostTables(contents, out, extensions, situation)
        later.subtract(out)
        let made = contents.made
        let guards = Set(made.filter { out.contains($0.id) && RowPolicy($0)?.isRestrictive == true }.map(\.id))
        self.out = out
        leftOut = made.filter { out.contains($0.id) && !$0.isOfAnother && !guards.contains($0.id) }.map { entry in
            var object = entry.object
            if entry.kind == "SUBSCRIPTION" { object.fate = .never }
            if unavailable.contains(entry.id) { object.fate = .unavailable }
            return object.because(situation.reason(entry))
        }
        let entriesLeftOut = contents.lines.compactMap(\.id).filter(out.contains).compactMap { contents.entries[$0] }
        rowsLeftOut = entriesLeftOut.filter { $0.content?.isRows == true }
        afterwards = made.filter { later.contains($0.id) || guards.contains($0.id) }
        owned = made.filter { !out.contains($0.id) && !$0.owner.isEmpty }
        let kept = contents.lines.filter { $0.id.map { !out.contains($0) && !later.contains($0) } ?? true }
        text =
            kept.count == contents.lines.count ? nil : Array(kept.map(\.text).joined(separator: [UInt8(ascii: "\n")]))
        let missing = owned.compactMap(\.tablespace).filter { !situation.tablespaces.contains($0) }
        keepsTablespaces = missing.isEmpty
        moved = Dictionary(grouping: missing) { $0 }.sorted { $0.key < $1.key }.map {
            BeyondRestore(kind: "tablespace", name: $0.key, fate: .moves, count: $0.value.count)
        }
    }

    private static func refuseLostTables(
        _ contents: DumpContents, _ out: Set<Int>, _ unavailable: [DumpEntry], _ situation: RestoreSituation
    ) throws(PostgresError) {
        let lost = contents.made.filter { $0.kind == "TABLE" && out.contains($0.id) }
        if lost.isEmpty { return }
        var (extensions, tables): ([String], Set<Int>) = ([], [])
        for entry in unavailable {
            var withIt: Set<Int> = [entry.id]
            close(&withIt, over: contents)
            let those = lost.map(\.id).filter(withIt.contains)
            tables.formUnion(those)
            if those.isEmpty { continue }
            extensions.append("\(entry.name) (\(situation.reason(entry) ?? ""))")
        }
        if tables.isEmpty { throw .needsSuperuser(user: situation.role, tables: lost.map(\.object.name)) }
        throw .extensionsUnavailable(
            extensions: extensions, tables: lost.filter { tables.contains($0.id) }.map(\.object.name))
    }

    private static func close(_ numbers: inout Set<Int>, over contents: DumpContents) {
        var grew = true
        while grew {
            grew = false
            for entry in contents.entries.values
            where !numbers.contains(entry.id) && entry.needs.contains(where: { numbers.contains($0) }) {
                numbers.insert(entry.id)
                grew = true
            }
        }
    }

    private static func isTriedAfterwards(_ entry: DumpEntry) -> Bool {
        switch entry.kind {
        case "ACL", "DEFAULT ACL", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA",
            "MATERIALIZED VIEW DATA", "SECURITY LABEL", "USER MAPPING", "EVENT TRIGGER":
            true
        // It names roles, which this server need not have (`RowPolicy`).
        case "POLICY": true
        // Of what a new database has already, and which need not be ours.
        case "COMMENT": entry.name.hasPrefix("EXTENSION ") || entry.name == "SCHEMA public"
        default: false
        }
    }
}
