// SPDX-License-Identifier: Apache-2.0

/// Where the tables of the dump's MLflow are another role's here, as after a refresh of staging from production, what is granted to the
/// one that had them, its policies and its default privileges are the heir's instead: with the tables alone MLflow could not write, or would see no row.
/// No right is given beyond what that role had, and it has none of them in this database. A user mapping stays that role's.
struct HandOver {
    let role: String
    let heir: String
    /// Whether this server has the role, too.
    let isHere: Bool
    /// Whether nobody else can have been MLflow's role. Else only what it might with its own is the heir's, whose that is now: with those grants
    /// it would read and write there still.
    let isCertain: Bool
    /// What such a one makes is not all MLflow's.
    let isHeirSuperuser: Bool
    /// What such a one owned beside the tables is not the heir's.
    let isSuperuser: Bool
    private var grants = 0
    private var defaults = 0
    private var policies = 0
    private var mappings: [String] = []

    init(
        from role: String, isHere: Bool, isSuperuser: Bool, to heir: String, isHeirSuperuser: Bool, isCertain: Bool
    ) {
        (self.role, self.isHere, self.isSuperuser) = (role, isHere, isSuperuser)
        (self.heir, self.isHeirSuperuser, self.isCertain) = (heir, isHeirSuperuser, isCertain && !isSuperuser)
    }

    /// - Returns: the entry as it is to be made.
    mutating func naming(_ entry: DumpEntry) -> DumpEntry {
        var other = entry
        if entry.isGrants {
            if isHeirSuperuser, entry.kind == "DEFAULT ACL", entry.owner == role { return entry }
            let isOwn = !isSuperuser && entry.kind == "ACL" && entry.owner == role
            other.statements = entry.statements.map { statement in
                let rights = RightsStatement(statement)
                guard rights.roles.contains(role) else { return statement }
                // What it lacks of its own tables is no gift.
                if rights.isOfDefaults { defaults += 1 } else if rights.gives, isCertain || !isOwn { grants += 1 }
                return isCertain || isOwn ? rights.naming(heir, insteadOf: role) : statement
            }
        } else if let policy = RowPolicy(entry), policy.names.contains(role) {
            policies += 1
            guard isCertain else { return entry }
            // One that hides rows hides them from both: the other one may read there by a group's grant.
            let stays = isHere && policy.isRestrictive
            other.statements[0] = policy.naming(heir, insteadOf: stays ? nil : role)
        } else if isHere, let mapping = entry.userMapping, mapping.user == role {
            mappings.append(mapping.text)
        }
        return other
    }

    /// What was handed over, or was not.
    var told: [BeyondRestore] {
        let fate: BeyondRestore.Fate = isCertain ? .handedOver : .notHandedOver
        return [("grants", grants), ("default privileges", defaults), ("policies", policies)].filter { $0.1 > 0 }.map {
            BeyondRestore(kind: $0.0, name: role, fate: fate, count: $0.1).about(role: heir)
        }
            + mappings.map { BeyondRestore(kind: "user mapping", name: $0, fate: .staysFormers).about(role: heir) }
    }
}
