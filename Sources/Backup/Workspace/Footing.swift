// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What an operation stands on from its first look to its last step: the folders, and what is mounted in them. Disks go and come
/// back while it works, and what is found at the same path then may be an empty mount point, or another disk.
struct Footing {
    private struct Place: Equatable {
        var identity: Ground.Identity?
        /// Of the mount that the folder lies in, and of those in it. A disk that came back has another one.
        var mounts: [UInt64] = []
    }

    private let places: [(path: FilePath, place: Place)]
    /// Numbers of inodes on FUSE stay as long as somebody has them open.
    private let opened: [OpenFile]

    /// - Throws: `SystemError` where a folder cannot be looked at; one that is not there yet is none.
    init(_ workspace: Workspace) throws {
        let folders = workspace.stack.folders + [workspace.folder.path]
        var opened: [OpenFile] = []
        for folder in folders where try FileStatus.ifPresent(folder) != nil {
            opened.append(try OpenFile(folder, .directoryThroughLink))
        }
        self.opened = opened
        places = try folders.map { ($0, try Self.look(at: $0)) }
    }

    /// - Returns: the first folder that is another one now.
    func moved() throws -> FilePath? {
        try places.first { try Self.look(at: $0.path) != $0.place }?.path
    }

    private static func look(at folder: FilePath) throws -> Place {
        var place = Place()
        do throws(SystemError) {
            place.identity = .init(of: try OpenFile(folder, .directoryThroughLink).status())
        } catch {
            if error.isNotFound { return place }
            throw error
        }
        let inner = try MountTable.mounts(below: folder).map(\.id)
        place.mounts = (MountTable.holding(folder).map { [$0.id] } ?? []) + inner
        return place
    }
}

extension Hold {
    /// - Throws: `BackupError.groundMoved` where a folder is another one than at the beginning, `.lockLost` where another service
    ///   may have worked on the stack since.
    func refuseMoved() throws {
        if let path = try footing?.moved() { throw BackupError.groundMoved(path: path.string) }
        if !isHeld { throw BackupError.lockLost }
    }

    /// What fails in a folder that is another one by now fails of that.
    func cause(of error: any Error) -> any Error {
        guard let path = (try? footing?.moved()) ?? nil else { return error }
        return BackupError.groundMoved(path: path.string)
    }

    /// After a folder was made that the operation found missing.
    func standAnew(_ workspace: Workspace) throws { footing = try Footing(workspace) }
}
