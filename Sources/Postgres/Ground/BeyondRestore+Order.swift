// SPDX-License-Identifier: Apache-2.0

extension BeyondRestore {
    /// In the order in which a person should read them: what has consequences for who uses MLflow before what an administrator misses. Of
    /// several that one role that is away does not get one entry is made: one read-only group can stand in hundreds of grants.
    static func ordered(_ objects: [BeyondRestore]) -> [BeyondRestore] {
        let ranked = condensed(objects).enumerated().sorted {
            ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset)
        }
        return ranked.map(\.element)
    }

    private static func condensed(_ objects: [BeyondRestore]) -> [BeyondRestore] {
        let several = Dictionary(grouping: objects, by: \.group).filter { group, those in
            // Of policies a few are named with their tables.
            those.count > (group?.kind == "policies" ? 3 : 1)
        }
        var seen: Set<Group> = []
        return objects.compactMap { object in
            guard let group = object.group, let those = several[group] else { return object }
            guard seen.insert(group).inserted else { return nil }
            return BeyondRestore(kind: group.kind, name: group.role, fate: group.fate, count: those.count)
                .because(group.instead).about(role: group.role)
        }
    }

    private struct Group: Hashable {
        let kind: String
        let role: String
        let fate: Fate
        let instead: String?
    }

    private var group: Group? {
        guard let role, let kind = Self.ofRoles[kind] else { return nil }
        // What the server said names each; what was done instead is the same of all.
        let instead = kind == "policies" ? Self.instead.first { reason?.hasSuffix($0) == true } : nil
        return Group(kind: kind, role: role, fate: fate, instead: instead)
    }

    private static let ofRoles = ["grant": "grants", "default privilege": "default privileges", "policy": "policies"]
    private static let instead = [closedPolicy, "TO PUBLIC"]
    /// What a policy is that shows no row.
    static let closedPolicy = "USING (false)"

    private var rank: Int {
        switch fate {
        case .rowsLost: 0
        case .shutOut, .mayHide, .passedOver: 1
        case .notHandedOver, .handedOver, .staysFormers: 2
        // An extension, and then what depends on it.
        case .unavailable: 5
        case .ownerChanges: 7
        default:
            switch kind {
            case "trigger", "event trigger": 3
            case "policy", "policies": reason?.hasSuffix(Self.closedPolicy) == true ? 4 : 8
            case "view", "materialized view", "materialized view data": 5
            case "function", "procedure", "aggregate": 6
            case "grants", "grant", "default privileges", "default privilege": 9
            default: 8
            }
        }
    }
}
