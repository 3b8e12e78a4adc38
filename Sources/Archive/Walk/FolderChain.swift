// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Opens files below a folder again by their path, one component at a time, without following links.
///
/// A walk cannot keep the folder of every entry open: a pack may hold entries of a thousand folders.
final class FolderChain {
    private var descent: FolderDescent

    init(root: OpenFile) { descent = FolderDescent(root: root) }

    /// - Parameter path: relative to the root.
    func parent(of path: EntryPath) throws(SystemError) -> (folder: OpenFile, name: [UInt8]) {
        let components = path.components
        let folder = try descent.go(to: components.dropLast()) { folder, name throws(SystemError) in
            try folder.open(name, .directory)
        }
        return (folder, Array(components[components.count - 1]))
    }
}
