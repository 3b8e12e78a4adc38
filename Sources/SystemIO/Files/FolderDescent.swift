// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The folders on the way from a root down to where a walk is. Only the deepest few are open, so that a tree may be deeper than
/// a process may have descriptors.
///
/// Each is opened relative to the one above it and without following links. One that was closed meanwhile is opened again by its
/// child's `..`, or by its names, and believed only if it is the same inode.
package struct FolderDescent {
    private struct Level {
        let name: [UInt8]
        let device: UInt64
        let inode: UInt64
        var folder: OpenFile?
    }

    private let root: OpenFile
    private var levels: [Level] = []
    private let limit: Int

    /// Descriptors that one walk holds besides its root's.
    package static let usualLimit = 8

    /// - Parameter limit: how many folders below the root may be open at once; one at least.
    package init(root: OpenFile, limit: Int = Self.usualLimit) {
        self.root = root
        self.limit = max(limit, 1)
    }

    /// How many folders below the root it is at.
    package var depth: Int { levels.count }
    /// The name of the folder it is at; `nil` at the root.
    package var name: [UInt8]? { levels.last?.name }

    /// The folder it is at. It is always open.
    package var folder: OpenFile { levels.last?.folder ?? root }

    /// Goes into a folder that was opened in the one it is at.
    package mutating func enter(_ name: [UInt8], _ opened: OpenFile) throws(SystemError) {
        let status = try opened.status()
        levels.append(Level(name: name, device: status.device, inode: status.inode, folder: opened))
        if levels.count > limit { levels[levels.count - 1 - limit].folder = nil }
    }

    /// Goes up.
    /// - Parameter depth: of the folder to go to, no deeper than it is now.
    /// - Throws: ENOENT where that is not there any more; it is then at its root.
    package mutating func leave(to depth: Int) throws(SystemError) {
        guard depth < levels.count else { return }
        let child = depth + 1 == levels.count ? levels[depth].folder : nil
        levels.removeLast(levels.count - depth)
        guard depth > 0, levels[depth - 1].folder == nil else { return }
        do throws(SystemError) {
            // A child that may not be entered (any more) does not tell its parent; the names do.
            if let parent = try? child?.openParent(), try isSame(parent, levels[depth - 1]) {
                levels[depth - 1].folder = parent
                return
            }
            levels[depth - 1].folder = try reopened(depth)
        } catch {
            levels.removeAll()
            throw error
        }
    }

    /// Goes to a folder by the names that lead to it from the root.
    /// - Parameter open: opens the folder of a name in another.
    package mutating func go(
        to names: ArraySlice<ArraySlice<UInt8>>, _ open: (OpenFile, [UInt8]) throws(SystemError) -> OpenFile
    ) throws(SystemError) -> OpenFile {
        let shared = zip(names, levels).prefix { $0.elementsEqual($1.name) }.count
        try leave(to: shared)
        for component in names.dropFirst(shared) {
            let name = Array(component)
            try enter(name, open(folder, name))
        }
        return folder
    }

    private func reopened(_ depth: Int) throws(SystemError) -> OpenFile {
        var folder = root
        for level in levels[..<depth] { folder = try folder.open(level.name, .directory) }
        guard try isSame(folder, levels[depth - 1]) else {
            throw SystemError("open", path: folder.path.string, code: ENOENT)
        }
        return folder
    }

    private func isSame(_ folder: OpenFile, _ level: Level) throws(SystemError) -> Bool {
        let status = try folder.status()
        return status.device == level.device && status.inode == level.inode
    }
}

extension OpenFile {
    /// The folder that this one is in now, wherever it was moved; its path is what it was called.
    fileprivate func openParent() throws(SystemError) -> OpenFile {
        let opened = try retryingInterrupts("open", path.parent.string) {
            clinux_open(descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        return OpenFile(adopting: opened, path: path.parent)
    }
}
