// SPDX-License-Identifier: Apache-2.0

import Wording

/// Writes sidecars again in which a bit had flipped, before a second one does. Under the folder's lock.
struct MendedSidecars {
    private let workspace: Workspace

    init(_ workspace: Workspace) { self.workspace = workspace }

    /// What cannot be written now can be mended another time.
    func write() {
        do {
            for item in try Catalogue(workspace.folder).items() where item.sidecarFault == .mended {
                try item.sidecar?.write(in: workspace.folder)
                workspace.log.warning("a flipped bit in a sidecar has been put right", ["name": item.name.sidecar])
            }
        } catch {
            workspace.log.warning("sidecars could not be put right", ["reason": error.bilingual[.english]])
        }
    }
}
