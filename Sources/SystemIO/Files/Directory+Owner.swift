// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Whom what root makes in a folder of another user's belongs to: that user. A service that runs as that user must be able to go on
/// with it after an administrator ran a command once.
package struct Heir: Sendable {
    private let user: UInt32
    private let group: UInt32

    /// `nil` where it belongs to whoever makes it: nobody may give it away, or who gave it away could not go on with it.
    package init?(of folder: FileStatus) { self.init(user: folder.owner, group: folder.group) }

    package init?(user: UInt32, group: UInt32) {
        guard geteuid() == 0, user != 0, ProcessPrivilege.mayWorkForOthers else { return nil }
        (self.user, self.group) = (user, group)
    }

    /// - Parameter file: one that root has just made there, and nobody else: of what was there before nobody knows whose it should be. Of
    ///   another name of it nothing is known.
    package func take(_ file: OpenFile) throws(SystemError) {
        let own = try file.status()
        guard own.owner == 0, own.kind == .directory || own.linkCount == 1 else { return }
        _ = try file.give(toUser: user, group: group)
    }
}

extension OpenFile {
    /// Gives it away where that may be done: one whose quota is used up ends no operation either.
    /// - Returns: whether it is his.
    package func give(toUser user: UInt32, group: UInt32) throws(SystemError) -> Bool {
        do throws(SystemError) { try setOwner(user: user, group: group) } catch {
            guard error.isDenied || error.isUnknownCall || error.isFull else { throw error }
            return false
        }
        return true
    }

    /// Makes a new file, of whom its folder is. Both by one description of that folder: its user may put another one, or a link, in the place
    /// of the name at any moment, and what lies there is not his.
    package static func makeInherited(_ path: FilePath, mode: UInt32) throws(SystemError) -> OpenFile {
        guard geteuid() == 0, let folder = try? OpenFile(path.parent, .directoryThroughLink) else {
            return try OpenFile(path, .createNew(mode: mode))
        }
        let file = try folder.open(path.lastComponent, .createNew(mode: mode))
        try Heir(of: folder.status())?.take(file)
        return file
    }

    /// Makes a folder inside this one.
    /// - Parameter heir: whose it becomes.
    /// - Returns: `nil` where there is something of that name.
    func makeFolder(_ name: [UInt8], mode: UInt32, for heir: Heir?) throws(SystemError) -> OpenFile? {
        do throws(SystemError) {
            try retryingInterrupts("mkdir", path.appending(name).string) {
                withDescriptor { parent in FilePath(bytes: name).withCString { mkdirat(parent, $0, mode) } }
            }
        } catch {
            if error.exists { return nil }
            throw error
        }
        let made = try open(name, .directory)
        // Of root's, and with something in it: it is not the one that was made.
        if let heir, try Directory.names(in: made).isEmpty { try heir.take(made) }
        return made
    }
}

extension Directory {
    /// Makes a folder of ours, and those above it that are missing, as `make` does; each belongs to whom the one around it belongs. What is
    /// there stays whose it is.
    package static func makeInherited(_ path: FilePath, mode: UInt32) throws(SystemError) {
        guard geteuid() == 0, path.parent != path else { return try make(path, mode: mode) }
        if try FileStatus.ifPresent(path.parent) == nil { try makeInherited(path.parent, mode: mode) }
        try make(path, mode: mode) { (parent) throws(SystemError) in Heir(of: try parent.status()) }
    }

    /// Makes a folder that is not there.
    /// - Returns: `nil` where there is something of that name, and where it is not the one that was made.
    package static func makeOpen(_ path: FilePath, mode: UInt32) throws(SystemError) -> OpenFile? {
        let made = try OpenFile(path.parent, .directoryThroughLink).makeFolder(path.lastComponent, mode: mode, for: nil)
        guard let made, try names(in: made).isEmpty, try made.status().owner == geteuid() else { return nil }
        return made
    }

    /// Makes a folder of ours that belongs to `heir`. What is there stays whose it is.
    package static func make(_ path: FilePath, mode: UInt32, for heir: Heir) throws(SystemError) {
        try make(path, mode: mode) { (_) throws(SystemError) in heir }
    }

    private static func make(
        _ path: FilePath, mode: UInt32, for heir: (OpenFile) throws(SystemError) -> Heir?
    ) throws(SystemError) {
        let parent = try OpenFile(path.parent, .directoryThroughLink)
        if try parent.makeFolder(path.lastComponent, mode: mode, for: heir(parent)) == nil {
            try make(path, mode: mode)
        }
    }
}
