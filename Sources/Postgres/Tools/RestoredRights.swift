// SPDX-License-Identifier: Apache-2.0

/// What is given to its owner, and the grants on it: they go together, since one alone may take this role's rights.
struct RestoredRights {
    var owned: DumpEntry?
    var grants: [DumpEntry] = []

    var isOfLargeObjects: Bool { (owned ?? grants[0]).isOfLargeObjects }

    /// What may be made in a schema is granted before the rest, and large objects, of which there may be any number, come last.
    static func ordered(_ owned: [DumpEntry], _ grants: [DumpEntry]) -> [RestoredRights] {
        let numbers = Set(owned.map(\.id))
        let grantsOn = Dictionary(grouping: grants) { $0.needs.first(where: numbers.contains) }
        let loose = (grantsOn[nil] ?? []).map { RestoredRights(grants: [$0]) }
        let isOfSchema = { (rights: RestoredRights) in rights.grants.contains { $0.name.hasPrefix("SCHEMA ") } }
        let given = owned.flatMap { entry -> [RestoredRights] in
            let grants = grantsOn[entry.id] ?? []
            guard entry.ownerStatements.count > 1 else { return [RestoredRights(owned: entry, grants: grants)] }
            // Of large objects one entry may name thousands.
            var parts = entry.ownerStatements.map { statement in
                var one = entry
                one.statements = [statement]
                return RestoredRights(owned: one)
            }
            parts[parts.count - 1].grants = grants
            return parts
        }
        let all = loose.filter(isOfSchema) + given + loose.filter { !isOfSchema($0) }
        return all.filter { !$0.isOfLargeObjects } + all.filter(\.isOfLargeObjects)
    }
}
