// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// What no backup takes: links that lead out of the artifacts, as people make them for room on another disk, sockets, pipes and
/// devices. A backup says nothing of them, so a restore leaves them where they are: they get another name in the restored tree,
/// where that has the folder they are in, and nothing else of their name. The rest goes aside with what is replaced.
struct OutsideThings {
    private let live: FilePath
    private let restored: FilePath
    private let cancellation: Cancellation

    init(live: FilePath, restored: FilePath, cancellation: Cancellation = Cancellation()) {
        self.live = live
        self.restored = restored
        self.cancellation = cancellation
    }

    /// - Returns: how many are in both trees now.
    func carryOver() throws -> Int {
        guard try FileStatus.ifPresent(live) != nil else { return 0 }
        let root = try OpenFile(live, .directoryThroughLink)
        var (from, into) = (TreeLookup(root), TreeLookup(try OpenFile(restored, .directory)))
        var walk = try TreeWalk(root: root, prefix: nil, ignoring: LiveStack.notArtifacts)
        var carried = 0
        while let step = try walk.next() {
            try cancellation.check()
            guard case .skipped(let path, let reason) = step, reason != .vanished,
                let source = try from.parent(of: path), let folder = try into.parent(of: path)
            else { continue }
            if try carry(path.name, from: source, into: folder) { carried += 1 }
        }
        return carried
    }

    private func carry(_ name: [UInt8], from source: OpenFile, into folder: OpenFile) throws(SystemError) -> Bool {
        // What is made in a folder changes its time, which it was given last.
        let modified = try folder.status().modified
        do throws(SystemError) {
            let isLinked = try link(name, from: source, to: folder)
            let isThere = try isLinked ? true : copy(name, from: source, to: folder)
            guard isThere else { return false }
        } catch {
            // The backup has something of this name, or a folder that lets nobody in; or it has gone.
            if error.exists || error.isNotFound || error.isDenied || error.code == EINVAL { return false }
            throw error
        }
        try folder.setModified(modified)
        return true
    }

    /// - Returns: false where it can have no further name: another's link (protected_hardlinks), or a file system without them.
    private func link(_ name: [UInt8], from source: OpenFile, to folder: OpenFile) throws(SystemError) -> Bool {
        do throws(SystemError) { try source.makeHardLink(name, to: folder, as: name) } catch {
            guard [EPERM, EMLINK, EOPNOTSUPP, ENOSYS, EXDEV].contains(error.code) else { throw error }
            return false
        }
        return true
    }

    private func copy(_ name: [UInt8], from source: OpenFile, to folder: OpenFile) throws(SystemError) -> Bool {
        let status = try source.status(of: name)
        guard status.kind == .symbolicLink else { return false }
        try folder.makeSymbolicLink(name, to: source.linkTarget(of: name), modified: status.modified)
        if ProcessPrivilege.mayGiveAway { try folder.setOwner(ofLink: name, user: status.owner, group: status.group) }
        return true
    }

    /// Whether two trees have the same thing of this kind at a path: one inode, or links to one place.
    static func isSame(_ path: EntryPath, in one: inout TreeLookup, and other: inout TreeLookup) throws -> Bool {
        guard let first = try one.status(of: path), let second = try other.status(of: path) else { return false }
        if first.inode == second.inode, first.device == second.device { return true }
        guard first.kind == .symbolicLink, second.kind == .symbolicLink else { return false }
        return try one.parent(of: path)?.linkTarget(of: path.name) == other.parent(of: path)?.linkTarget(of: path.name)
    }
}
