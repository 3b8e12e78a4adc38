// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// Opens the restored folder that belongs to a path of the live tree, one component at a time and without following
/// links. Keeps one chain of open folders, as the walk of the live tree does.
struct RestoredFolder {
    private var descent: FolderDescent
    /// A folder that the restored tree does not have; nothing below it is looked for.
    private var missing: [ArraySlice<UInt8>]?

    init(_ root: OpenFile) { descent = FolderDescent(root: root) }

    /// - Returns: `nil` where it is not there, or is no folder.
    mutating func parent(of path: EntryPath) throws(SystemError) -> OpenFile? {
        let names = path.components.dropLast()
        if let missing, names.starts(with: missing) { return nil }
        missing = nil
        do throws(SystemError) {
            return try descent.go(to: names) { folder, name throws(SystemError) in
                // Asked first: what is no folder is no error here, whatever opening it would say.
                guard try folder.status(of: name).kind == .directory else {
                    throw SystemError("open", path: folder.path.appending(name).string, code: ENOTDIR)
                }
                return try folder.open(name, .directory)
            }
        } catch {
            guard error.isNotFound else { throw error }
            missing = Array(names.prefix(descent.depth + 1))
            return nil
        }
    }
}
