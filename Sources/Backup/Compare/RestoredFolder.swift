// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// Opens the restored folder that belongs to a path of the live tree, one component at a time and without following
/// links. Keeps one chain of open folders, as the walk of the live tree does.
struct RestoredFolder {
    private let root: OpenFile
    /// `nil` where the restored tree has no such folder; nothing below it is looked for then.
    private var chain: [(name: [UInt8], folder: OpenFile?)] = []

    init(_ root: OpenFile) { self.root = root }

    /// - Returns: `nil` where it is not there, or is no folder.
    mutating func parent(of path: EntryPath) throws(SystemError) -> OpenFile? {
        let components = path.components.dropLast()
        var depth = 0
        while depth < min(components.count, chain.count), components[depth].elementsEqual(chain[depth].name) {
            depth += 1
        }
        chain.removeLast(chain.count - depth)
        for component in components.dropFirst(depth) {
            let name = Array(component)
            let parent = chain.isEmpty ? root : chain[chain.count - 1].folder
            chain.append((name, try Self.open(name, in: parent)))
        }
        return chain.isEmpty ? root : chain[chain.count - 1].folder
    }

    private static func open(_ name: [UInt8], in parent: OpenFile?) throws(SystemError) -> OpenFile? {
        guard let parent else { return nil }
        // Asked first: what is no folder is no error here, whatever opening it would say.
        do throws(SystemError) {
            guard try parent.status(of: name).kind == .directory else { return nil }
            return try parent.open(name, .directory)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
