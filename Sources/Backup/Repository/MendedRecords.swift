// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Writes sidecars and sealed records again in which a bit had flipped, before a second one does. Under the folder's lock.
struct MendedRecords {
    private let workspace: Workspace

    init(_ workspace: Workspace) { self.workspace = workspace }

    /// What cannot be written now can be mended another time.
    func write() {
        do {
            let state = workspace.state
            let kept = try KeptPart.ids(in: state).map { KeptPart.path(of: $0, in: state) }
            let isFrozen = workspace.folder.writeProtection != nil
            for path in kept + [Claims.path(in: workspace.folder)]
            where try !state.isFrozen(path) && SealedRecord.mend(path) {
                workspace.log.warning("a flipped bit in a record has been put right", ["path": path])
            }
            // What is write-protected is read as what it was, each time.
            guard !isFrozen else { return }
            for item in try Catalogue(workspace.folder).items() where item.sidecarFault == .mended {
                try item.sidecar?.write(in: workspace.folder)
                workspace.log.warning("a flipped bit in a sidecar has been put right", ["name": item.name.sidecar])
            }
        } catch {
            workspace.log.warning("records could not be put right", ["reason": error.bilingual[.english]])
        }
    }
}
