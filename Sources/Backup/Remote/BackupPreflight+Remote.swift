// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import Wording

extension BackupPreflight {
    /// Whether remote roots can be listed, found out by the first page of each.
    func checkRemoteRoots(_ findings: inout Findings) {
        findings.make(.artifacts) { try stack.refuseNestedRemotes() }
        // Who asks every few seconds does not have a bucket listed each time.
        guard !isHasty else { return }
        for root in stack.remote {
            findings.make(.artifacts) { try root.requireListable(workspace.cancellation) }
        }
    }
}

extension RemoteRoot {
    /// - Throws: `ObjectStoreError`, `CancelledError`.
    func requireListable(_ cancellation: Cancellation) throws {
        _ = try open(cancellation: cancellation, patience: Self.brief(patience)).list().next()
    }

    /// For who asks whether it is there. A store that is busy answers within that.
    private static func brief(_ patience: RequestPatience) -> RequestPatience {
        var brief = patience
        brief.retrying = min(patience.retrying, 60)
        brief.stall = min(patience.stall, 20)
        return brief
    }

    /// As a person who asks for all stores is told of it.
    func covered(_ cancellation: Cancellation) -> CoveredStore {
        let name = "\(name)=\(location)"
        do { try requireListable(cancellation) } catch {
            return CoveredStore(
                kind: .artifacts, name: name, facts: .empty, isCovered: false, mend: error.bilingual)
        }
        return CoveredStore(kind: .artifacts, name: name, facts: .empty, isCovered: true, mend: nil)
    }
}
