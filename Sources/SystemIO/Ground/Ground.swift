// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a folder stands on: where it really is, and on which file system. The folder need not be there yet: then it is what it
/// would be made on.
package struct Ground: Sendable {
    /// What a file is, whatever its name: only as long as the file system is mounted.
    package struct Identity: Sendable, Hashable {
        package let device: UInt64
        package let inode: UInt64

        init(device: UInt64, inode: UInt64) { (self.device, self.inode) = (device, inode) }

        package init(of status: FileStatus) { self.init(device: status.device, inode: status.inode) }
    }

    /// Without links.
    package let path: FilePath
    package let isThere: Bool
    /// Device and inode of the folder and of each folder above it, the nearest first; of what is there.
    package let identities: [Identity]
    /// `nil` where this process cannot see its mounts.
    package let mount: MountTable.Mount?

    init(path: FilePath, isThere: Bool, identities: [Identity], mount: MountTable.Mount?) {
        (self.path, self.isThere, self.identities, self.mount) = (path, isThere, identities, mount)
    }

    /// - Throws: ENOENT for a link that leads nowhere, ELOOP, EACCES.
    package init(_ folder: FilePath) throws(SystemError) {
        path = try folder.resolvedAsFarAsThere()
        var (nearest, found): (FilePath?, [Identity]) = (nil, [])
        var each = path
        while true {
            // What may not be looked at does not tell who it is; the paths are compared all the same.
            if let status = try? FileStatus.ifPresent(each) {
                found.append(Identity(of: status))
                if nearest == nil { nearest = each }
            }
            if each.parent == each { break }
            each = each.parent
        }
        identities = found
        isThere = nearest == path
        mount = nearest.flatMap { MountTable.holding($0) }
    }

    /// As `df -T` would name its type: `ext4`, `xfs`, `nfs4`, `fuse.sshfs`.
    package var type: String { mount?.type ?? ((try? FileSystem.type(holding: path)) ?? "?") }

    private var place: (device: String, path: FilePath)? {
        mount.flatMap { mount in mount.place(of: path).map { (mount.device, $0) } }
    }

    /// How this folder lies to another one. Links and bind mounts are no disguise: folders are compared by their paths, by what
    /// they are in the file system, and by the place they have in it.
    package func relation(to other: Ground) -> FolderRelation {
        let (isIn, isAround) = (lies(in: other), other.lies(in: self))
        return isIn ? (isAround ? .same : .inside) : isAround ? .around : .apart
    }

    /// The names that lead from another folder to this one, where it lies in it: by their paths, by what they are, or by the places
    /// that they have in their file system.
    package func names(below other: Ground) -> [[UInt8]]? {
        if path.isIn(other.path) { return Self.names(of: path, after: other.path) }
        if other.isThere, let theirs = other.identities.first {
            var each = path
            while each.parent != each {
                if let status = try? FileStatus.ifPresent(each), Identity(of: status) == theirs {
                    return Self.names(of: path, after: each)
                }
                each = each.parent
            }
        }
        guard let place, let theirs = other.place, place.device == theirs.device, place.path.isIn(theirs.path) else {
            return nil
        }
        return Self.names(of: place.path, after: theirs.path)
    }

    private static func names(of path: FilePath, after folder: FilePath) -> [[UInt8]] {
        path.bytes.dropFirst(folder.bytes.count).split(separator: UInt8(ascii: "/")).map(Array.init)
    }

    /// Whether it is the other one, or below it.
    private func lies(in other: Ground) -> Bool {
        if path.isIn(other.path) { return true }
        if other.isThere, let theirs = other.identities.first, identities.contains(theirs) { return true }
        // A part of the other one, mounted elsewhere, has none of its identities above it.
        guard let place, let theirs = other.place, place.device == theirs.device, place.path.isIn(theirs.path) else {
            return false
        }
        // Were it the very same folder, it would be the same inode.
        return place.path != theirs.path || !isThere || !other.isThere || identities.first == other.identities.first
    }
}

/// How one folder lies to another.
package enum FolderRelation: Sendable, Equatable {
    case apart
    case same
    /// The first lies in the second.
    case inside
    /// The second lies in the first.
    case around
}
