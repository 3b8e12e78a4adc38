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
    /// In the order of the dump.
    let leftOut: [DumpEntry]
    let afterwards: [DumpEntry]
    /// Of the entries that are made, those of others.
    let owned: [DumpEntry]
    /// Whether each tablespace that the dump names is there and may be used.
    let keepsTablespaces: Bool
    let moved: [BeyondRestore]

    /// - Parameter situation: of the new database.
    init(_ contents: DumpContents, in situation: RestoreSituation) {
        var out: Set<Int> = []
        var later: Set<Int> = []
        for entry in contents.made {
            if situation.mayNotMake(entry) {
                out.insert(entry.id)
            } else if Self.isTriedAfterwards(entry) {
                later.insert(entry.id)
            }
        }
        Self.close(&out, over: contents)
        Self.close(&later, over: contents)
        later.subtract(out)
        let made = contents.made
        leftOut = made.filter { out.contains($0.id) }
        afterwards = made.filter { later.contains($0.id) }
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

    /// Tables that would be left out: their rows would be lost.
    var lostTables: [BeyondRestore] { leftOut.filter { $0.kind == "TABLE" }.map(\.object) }

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
        // Of what a new database has already, and which need not be ours.
        case "COMMENT": entry.name.hasPrefix("EXTENSION ") || entry.name == "SCHEMA public"
        default: false
        }
    }
}
