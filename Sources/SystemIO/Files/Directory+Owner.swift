// SPDX-License-Identifier: Apache-2.0

import Glibc

extension Directory {
    /// What root makes in a folder of another user's belongs to that user: a service that runs as that user must be able to go on
    /// with it after an administrator ran a command once. Where nobody may give files away it stays root's.
    public static func inheritOwner(_ path: FilePath) throws(SystemError) {
        guard ProcessPrivilege.mayGiveAway else { return }
        let kind = try FileStatus.of(path).kind
        guard kind == .directory || kind == .file else { return }
        try inheritOwner(of: path.parent, by: OpenFile(path, kind == .directory ? .directory : .readNoFollow))
    }

    /// Makes a folder of ours, as `make` does, and gives it to whom the one around it belongs.
    public static func makeInherited(_ path: FilePath, mode: UInt32) throws(SystemError) {
        try make(path, mode: mode)
        try inheritOwner(path)
    }

    /// - Parameter file: one that this process just made. Of another name of it nothing is known.
    static func inheritOwner(of parent: FilePath, by file: OpenFile) throws(SystemError) {
        guard ProcessPrivilege.mayGiveAway else { return }
        let (parent, own) = (try FileStatus.of(parent), try file.status())
        guard parent.owner != own.owner, own.owner == 0, own.kind == .directory || own.linkCount == 1 else { return }
        do throws(SystemError) { try file.setOwner(user: parent.owner, group: parent.group) } catch {
            if !error.isDenied, error.code != EOPNOTSUPP, error.code != EINVAL { throw error }
        }
    }
}
