// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The other stacks that have backups in a folder. Names of one stack whose artifacts folder was not known each time are one.
struct ForeignStacks {
    private struct Stack {
        var identities: [StackIdentity]
        var backups = 0
        /// Of its newest backup.
        var newest: LocalTime

        /// `mlflow@7434012345678901234`.
        var name: String { identities[0].description }
        /// With what tells it from another of the same name.
        var fullName: String { name + (identities.lazy.compactMap(\.artifacts).first.map { "/" + $0.prefix(8) } ?? "") }
    }

    private var stacks: [Stack] = []

    /// - Parameter items: the whole catalogue, newest first.
    init(_ items: [CatalogueItem], _ ownership: Ownership) {
        for item in items {
            guard case .foreign = ownership.owner(of: item), let stack = item.sidecar?.stack else { continue }
            let place =
                stacks.firstIndex { $0.identities.contains { $0.isSameStack(as: stack) } }
                ?? {
                    stacks.append(Stack(identities: [], newest: item.created))
                    return stacks.count - 1
                }()
            if !stacks[place].identities.contains(stack) { stacks[place].identities.append(stack) }
            stacks[place].backups += 1
        }
    }

    /// - Parameter name: `nil` where there is nothing to choose.
    /// - Throws: `BackupError.severalStacks`, `.noSuchStack`.
    func chosen(_ name: String?) throws -> [StackIdentity] {
        guard let name else {
            guard stacks.count < 2 else { throw BackupError.severalStacks(listed) }
            return stacks.first?.identities ?? []
        }
        let matching = stacks.filter {
            $0.name == name || $0.fullName == name
                || $0.identities.contains { identity in
                    "\(identity)/\(identity.artifacts ?? "")" == name
                }
        }
        guard let found = matching.first else { throw BackupError.noSuchStack(name: name, stacks: listed) }
        guard matching.count == 1 else { throw BackupError.severalStacks(listed) }
        return found.identities
    }

    private var listed: [String] {
        stacks.map { stack in
            let isAmbiguous = stacks.count { $0.name == stack.name } > 1
            return "\(isAmbiguous ? stack.fullName : stack.name) (\(stack.backups), \(stack.newest.iso))"
        }
    }
}
