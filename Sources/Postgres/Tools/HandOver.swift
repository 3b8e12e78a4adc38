// SPDX-License-Identifier: Apache-2.0

/// Where the tables of the dump's MLflow are another role's here, as after a refresh of staging from production, what is granted to the
/// one that had them, its policies and its default privileges are the heir's instead: with the tables alone MLflow could not write, or would see no row.
/// No right is given beyond what that role had, and it has none of them in this database.
struct HandOver {
    let role: String
    let heir: String
    /// Whether this server has the role, too.
    let isHere: Bool
    private var grants = 0
    private var defaults = 0
    private var policies = 0

    init(from role: String, isHere: Bool, to heir: String) {
        (self.role, self.isHere, self.heir) = (role, isHere, heir)
    }

    /// - Returns: the entry as it is to be made.
    mutating func naming(_ entry: DumpEntry) -> DumpEntry {
        var other = entry
        if entry.isGrants {
            other.statements = entry.statements.map { statement in
                let rights = RightsStatement(statement)
                guard rights.roles.contains(role) else { return statement }
                // What it lacks of its own tables is no gift.
                if rights.isOfDefaults { defaults += 1 } else if rights.gives { grants += 1 }
                return rights.naming(heir, insteadOf: role)
            }
        } else if let policy = RowPolicy(entry), policy.names.contains(role) {
            // One that hides rows hides them from both: the other one may read there by a group's grant.
            let stays = isHere && policy.isRestrictive
            other.statements[0] = policy.naming(heir, insteadOf: stays ? nil : role)
            policies += 1
        }
        return other
    }

    /// What was handed over.
    /// - Parameter fate: whether it was.
    func told(_ fate: BeyondRestore.Fate) -> [BeyondRestore] {
        [("grants", grants), ("default privileges", defaults), ("policies", policies)].filter { $0.1 > 0 }.map {
            BeyondRestore(kind: $0.0, name: role, fate: fate, count: $0.1).about(role: heir)
        }
    }
}
