// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension KeptParts {
    /// Parts that lie among this stack's artifacts and whose records name another one, with a database of the same name: as
    /// after `pg_upgrade`, or in a copy of another stack's artifacts. They are nobody's to touch before a person says so.
    /// Empty where the server was not asked.
    func recordedElsewhere() throws -> [KeptPart] {
        guard let identity else { return [] }
        return try inFolder().filter { part in
            try part.stack?.database == identity.database && !isOurs(part)
                && FileStatus.ifPresent(folder(of: part.id))?.kind == .directory
        }
    }

    /// Gives this stack those of them that a person's claim is about. Under both locks.
    /// - Parameter claimed: whether what this stack has made is the claiming one's now.
    /// - Returns: their identifiers.
    func takeUp(where claimed: (StackIdentity) -> Bool) throws -> [String] {
        guard let identity else { return [] }
        return try recordedElsewhere().compactMap { part in
            guard let owner = part.stack, claimed(owner) else { return nil }
            var taken = part
            taken.stack = identity
            // It lies in this folder, whatever that was called.
            taken.root = stack.root
            try taken.write(in: state)
            return part.id
        }
    }
}
