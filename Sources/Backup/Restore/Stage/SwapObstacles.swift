// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// What would make the swap impossible at its end, found out before anything slow is done.
struct SwapObstacles {
    private let workspace: Workspace
    private let session: any StoreSession

    init(_ workspace: Workspace, _ session: any StoreSession) {
        self.workspace = workspace
        self.session = session
    }

    /// Who asks, and what he may do meanwhile.
    enum Asker {
        /// Under the stack's lock: what the file system can do is found by doing it.
        case job
        /// Beside whatever is at work: nothing is tried but where the type tells nothing, and no live folder is touched.
        case request
    }

    /// - Parameters:
    ///   - kept: the database that is to become live again, where it is one that was kept.
    ///   - tree: the folder of what is to become live again, where that was kept.
    /// - Throws: what `StoreSession.checkSwap` throws; `BackupError.mountInside`, `.notOurs` and `.notMovable` for folders that cannot be moved.
    func check(_ mode: RestoreMode, for asker: Asker = .job, bringing kept: String? = nil, from tree: FilePath? = nil)
        throws
    {
        if mode.includesDatabase {
            let isAsked = if case .request = asker { true } else { false }
            try session.checkSwap(bringing: kept, isAsked: isAsked)
        }
        if mode.includesArtifacts {
            try checkFolders()
            if let tree, try FileStatus.ifPresent(tree) != nil { try MovableChildren(of: tree).check() }
            switch asker {
            case .job: try Self.checkAbilities(workspace)
            case .request: if let unfit = try Self.unfit(workspace.stack.artifacts) { throw unfit }
            }
        }
    }

    /// An undo makes its mark in the part's own folder.
    /// - Throws: `BackupError.notMovable`, before anything in it is looked at, which may be closed, too.
    static func refuseUnwritable(_ folder: FilePath) throws {
        guard try FileStatus.ifPresent(folder) != nil, let refused = Directory.writeRefusal(folder) else { return }
        guard [EACCES, EPERM].contains(refused.code) else { throw refused }
        throw BackupError.notMovable(
            path: folder.string, count: 1, reason: .keptNotWritable(user: geteuid(), group: getegid()))
    }

    private func checkFolders() throws {
        guard try FileStatus.ifPresent(workspace.stack.artifacts) != nil else { return }
        try Self.refuseMounts(inside: workspace.stack.artifacts)
        try MovableChildren(of: workspace.stack.artifacts).check()
    }

    /// A mount point cannot be renamed, and one deeper down would move out of sight, to be emptied with what is kept.
    /// - Throws: `BackupError.mountInside`.
    static func refuseMounts(inside folder: FilePath) throws {
        let mounts = try MountTable.fixedPoints(below: folder)
        if let first = mounts.first { throw BackupError.mountInside(path: first.string, count: mounts.count) }
    }
}
