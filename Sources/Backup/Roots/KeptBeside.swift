// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension Workspace {
    /// What a person has to decide on, of all folders.
    func keptWarnings(of identity: StackIdentity) throws -> [BilingualText] {
        try all.flatMap { try KeptParts($0, of: identity.seen(in: $0.stack)).warnings() }
    }

    /// The same for who asks the server by himself whose they are.
    package func keptWarnings() throws -> [BilingualText] {
        try all.flatMap { try KeptParts($0).identified().warnings() }
    }

    /// What restores have kept in all folders, the newest first, each with the bytes that it holds alone.
    /// - Throws: as `KeptParts.listing`.
    package func keptListing() throws -> [(part: KeptPart, bytes: UInt64)] {
        try all.flatMap { try KeptParts($0).listing() }
            .sorted { ($0.part.sequence ?? 0, $0.part.id) > ($1.part.sequence ?? 0, $1.part.id) }
    }

    /// The view in which a part of this name lies; the first folder's where there is none.
    func keeping(_ id: String) throws -> Workspace {
        for view in views {
            if try KeptPart.readIfSound(id, in: view.state)?.root == view.stack.root { return view }
            // Of a damaged record the folder tells.
            if try FileStatus.ifPresent(KeptParts(view).folder(of: id)) != nil { return view }
        }
        return self
    }

    /// The parts of the folders beside the first that go with one. A record that cannot be read is another's trouble.
    func following(_ part: KeptPart) throws -> [(view: Workspace, part: KeptPart)] {
        try views.flatMap { view in
            try KeptPart.ids(in: view.state).compactMap { id -> (view: Workspace, part: KeptPart)? in
                guard let other = try KeptPart.readIfSound(id, in: view.state), other.follows == part.id, !other.isLate,
                    other.root == view.stack.root
                else { return nil }
                return (view, other)
            }
        }
    }
}

extension KeptPart {
    /// - Returns: `nil`, too, for a record that cannot be read, of which others tell.
    static func readIfSound(_ id: String, in state: RestoreState) throws -> KeptPart? {
        do { return try read(id, in: state) } catch BackupError.keptRecordDamaged { return nil }
    }
}

extension Hold {
    /// After a restore or an undo has made kept parts.
    func afterSwap(_ workspace: Workspace) -> [BilingualText] {
        workspace.all.flatMap { KeptExpiry($0, self).afterSwap() }
    }
}
