// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Whom what root makes in a folder of another user's belongs to: that user. A service that runs as that user must be able to go on
/// with it after an administrator ran a command once.
public struct Heir: Sendable {
    private let user: UInt32
    private let group: UInt32

    /// `nil` where it belongs to whoever makes it: nobody may give it away, or who gave it away could not go on with it.
    public init?(of folder: FileStatus) { self.init(user: folder.owner, group: folder.group) }

    public init?(user: UInt32, group: UInt32) {
        guard geteuid() == 0, user != 0, ProcessPrivilege.mayWorkForOthers else { return nil }
        (self.user, self.group) = (user, group)
    }

    /// - Parameter file: one that root made there. Of another name of it nothing is known.
    public func take(_ file: OpenFile) throws(SystemError) {
        let own = try file.status()
        guard own.owner == 0, own.kind == .directory || own.linkCount == 1 else { return }
        do throws(SystemError) { try file.setOwner(user: user, group: group) } catch {
            guard error.isDenied || error.isUnknownCall else { throw error }
        }
    }
}

extension Directory {
    /// Gives a file or folder of root's to the heir of the folder that it is in; a link stays as it is.
    public static func inheritOwner(_ path: FilePath) throws(SystemError) {
        guard geteuid() == 0 else { return }
        let kind = try FileStatus.of(path).kind
        guard kind == .directory || kind == .file else { return }
        try inheritOwner(OpenFile(path, kind == .directory ? .directory : .readNoFollow))
    }

    public static func inheritOwner(_ file: OpenFile) throws(SystemError) {
        guard geteuid() == 0 else { return }
        try Heir(of: OpenFile(file.path.parent, .directoryThroughLink).status())?.take(file)
    }

    /// Makes a folder of ours, and those above it that are missing, as `make` does, and gives each to whom the one around it belongs.
    public static func makeInherited(_ path: FilePath, mode: UInt32) throws(SystemError) {
        if path.parent != path, try FileStatus.ifPresent(path.parent) == nil {
            try makeInherited(path.parent, mode: mode)
        }
        try make(path, mode: mode)
        try inheritOwner(path)
    }
}
