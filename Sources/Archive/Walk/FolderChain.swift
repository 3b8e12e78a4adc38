// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Opens files below a folder again by their path, one component at a time, without following links.
///
/// A walk cannot keep the folder of every entry open: a pack may hold entries of a thousand folders.
final class FolderChain {
    private let root: OpenFile
    /// The folders open at the moment, one for each component of the last path.
    private var open: [(name: [UInt8], folder: OpenFile)] = []

    init(root: OpenFile) { self.root = root }

    /// - Parameter path: relative to the root.
    func parent(of path: EntryPath) throws(SystemError) -> (folder: OpenFile, name: [UInt8]) {
        let components = path.components.map(Array.init)
        var depth = 0
        while depth < min(components.count - 1, open.count), components[depth] == open[depth].name { depth += 1 }
        open.removeLast(open.count - depth)
        for name in components.dropLast().dropFirst(depth) {
            open.append((name, try (open.last?.folder ?? root).open(name, .directory)))
        }
        return (open.last?.folder ?? root, components[components.count - 1])
    }
}
