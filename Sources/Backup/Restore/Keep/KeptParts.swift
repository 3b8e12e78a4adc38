// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// What restores replaced and left in place, to be brought back or, later, to go. It reads what is there each time.
package struct KeptParts: Sendable {
    let stack: LiveStack
    let backups: BackupFolder
    var state: RestoreState { RestoreState(backups, artifacts: stack.artifacts) }
    /// Of the stack's first folder.
    var firstState: RestoreState { RestoreState(backups, artifacts: stack.first ?? stack.artifacts) }
    /// Bytes that all of them together may hold; `nil` for no bound.
    let bound: UInt64?
    /// Whose parts these are; `nil` where the server was not asked. Nothing is brought back or removed without it.
    let identity: StackIdentity?

    package init(
        _ stack: LiveStack, _ folder: BackupFolder, of identity: StackIdentity? = nil, bound: UInt64? = nil
    ) {
        self.stack = stack
        backups = folder
        self.identity = identity
        self.bound = bound
    }

    /// - Parameter identity: as the stack's own server says.
    package init(_ workspace: Workspace, of identity: StackIdentity? = nil) {
        self.init(workspace.stack, workspace.folder, of: identity, bound: workspace.keepBytes)
    }

    /// The same, asking the server whose they are. Where it does not answer, what the artifacts folder says has to do.
    package func identified() throws -> KeptParts {
        do {
            let identity = try StackIdentity(of: stack, on: stack.database.session().databases)
            return KeptParts(stack, backups, of: identity, bound: bound)
        } catch is any TrackingStoreError { return self }
    }

    var folder: FilePath { stack.artifacts.appending(ArtifactSwap.folderName) }

    func folder(of id: String) -> FilePath { folder.appending(KeptPart.prefix + id) }
    func tree(of part: KeptPart) -> FilePath { folder(of: part.id).appending("old") }

    /// This stack's, newest first, whatever somebody took of them by hand.
    /// - Throws: also where a record cannot be read: what it pins is not known then.
    package func all() throws -> [KeptPart] {
        let parts = try inFolder().filter(isOurs)
        return parts.sorted { ($0.sequence ?? 0, $0.replacedAt, $0.id) > ($1.sequence ?? 0, $1.replacedAt, $1.id) }
    }

    /// Kept folders of which this backup folder knows nothing, by their identifiers: as after its loss. Clients of MLflow
    /// can make folders here, too, but not with these permissions.
    func foldersWithoutRecord() throws -> [String] {
        guard let parent = try FileStatus.ifPresent(folder), parent.kind == .directory, parent.mode & 0o777 == 0o700
        else {
            return []
        }
        let known = Set(try KeptPart.ids(in: state))
        return try Directory.names(in: folder).compactMap { bytes in
            let name = String(decoding: bytes, as: UTF8.self)
            let id = String(name.dropFirst(KeptPart.prefix.count))
            guard name.hasPrefix(KeptPart.prefix), KeptPart.isID(id), !known.contains(id),
                let status = try FileStatus.ifPresent(folder.appending(bytes)), status.kind == .directory,
                status.mode & 0o777 == 0o700
            else { return nil }
            return id
        }.sorted()
    }

    /// Those of every stack in the folder that are made.
    func inFolder() throws -> [KeptPart] {
        try KeptPart.ids(in: state).compactMap { id in
            guard let part = try KeptPart.read(id, in: state), try isMade(id) else { return nil }
            return part
        }
    }

    /// Two clusters may have a database of one name. Without the server's word the mark of the artifacts folder tells them
    /// apart, where there is one. A record of 0.1.0 names nobody.
    func isOurs(_ part: KeptPart) throws -> Bool {
        guard part.root == stack.root else { return false }
        guard let owner = part.stack else { return true }
        if let identity { return owner.isSameStack(as: identity) }
        guard owner.database == stack.database.name else { return false }
        guard let theirs = owner.artifacts, let ours = try ArtifactsMark.read(in: stack.artifacts)?.id else {
            return true
        }
        return ours == theirs
    }

    /// Backups that must stay as long as what they cover is kept: for an undo, and for its removal. Of every stack in the
    /// folder: another one may have restored a backup of ours.
    package func pinnedBackups() throws -> Set<String> {
        try inFolder().reduce(into: []) { $0.formUnion($1.backups) }
    }

    /// - Throws: `BackupError.noSuchKeptPart`, `.keptRecordDamaged`.
    package func part(named id: String) throws -> KeptPart {
        guard try KeptPart.ids(in: state).contains(id), let part = try KeptPart.read(id, in: state),
            try isOurs(part), try isMade(id)
        else { throw BackupError.noSuchKeptPart(id: id) }
        return part
    }

    /// Whether its restore came to an end: its record is written before the swap, and until then its folder has another
    /// name.
    private func isMade(_ id: String) throws -> Bool {
        if try FileStatus.ifPresent(folder(of: id)) != nil { return true }
        if try FileStatus.ifPresent(folder.appending("work-" + id)) != nil { return false }
        return try !RestoreJournal.isPresent(id, in: state)
    }

    /// Whether files that it had are not where they were put.
    func lacksFiles(_ part: KeptPart) throws -> Bool {
        try part.mode.includesArtifacts && FileStatus.ifPresent(tree(of: part)) == nil
    }

    /// Paths of what was put there and is not there any more, of a part whose files are there.
    func missingChildren(of part: KeptPart) throws -> [FilePath] {
        guard part.mode.includesArtifacts, part.isBeingRemoved != true, try !lacksFiles(part) else { return [] }
        do throws(SystemError) {
            var missing: [FilePath] = []
            for path in (part.departed ?? []).map(tree(of: part).appending)
            where try FileStatus.ifPresent(path) == nil { missing.append(path) }
            return missing
        } catch {
            // Of one that is closed to this user nobody knows; what is to be done with it fails of that, and says so.
            if error.isDenied { return [] }
            throw error
        }
    }

    /// What an undo may bring back, newest first: not what is left of a swap that was put back (`LateParts`), which is no stack.
    func restorable() throws -> [KeptPart] { try all().filter { !$0.isLate } }

    /// The newest, as far as it is there: without its files the database alone can be brought back.
    /// - Parameter force: also where some of its files are gone, or may never have been put there.
    /// - Throws: `BackupError.nothingToUndo`, `.keptFilesGone`, `.keptFilesPartlyGone`, `.keptFragment`, `.keptBeingRemoved`, `.notMovable`.
    func undoable(force: Bool, on databases: any DatabaseSet) throws -> KeptPart {
        let all = try restorable()
        guard var part = all.first else { throw BackupError.nothingToUndo }
        if part.isBeingRemoved == true {
            throw BackupError.keptBeingRemoved(id: part.id, older: all.dropFirst().first?.id)
        }
        if part.mode.includesArtifacts { try SwapObstacles.refuseUnwritable(folder(of: part.id)) }
        let hasFiles = try !lacksFiles(part)
        if !force, hasFiles || part.databaseOID != nil, let text = try fragmentText(part) {
            throw BackupError.keptFragment(id: part.id, explanation: text)
        }
        guard !hasFiles else {
            if force {
                // Of one that may be a fragment the database may be live by now, or another part's: its files are brought back alone then.
                if try part.mode == .full && isFragment(part) && database(of: part, on: databases) == nil {
                    part.mode = .artifacts
                    part.databaseOID = nil
                }
                return part
            }
            let gone = try missingChildren(of: part)
            if let first = gone.first {
                throw BackupError.keptFilesPartlyGone(id: part.id, path: first.string, count: gone.count)
            }
            return part
        }
        guard part.databaseOID != nil else {
            throw BackupError.keptFilesGone(
                id: part.id, path: folder(of: part.id).string, older: all.dropFirst().first?.id)
        }
        part.mode = .database
        return part
    }

    /// The same for one that a person wants to be gone, of which nothing but its names may be known any more: a restore
    /// makes all of them from one.
    package func forgettable(_ id: String, on databases: any DatabaseSet) throws -> KeptPart {
        do { return try part(named: id) } catch BackupError.keptRecordDamaged {
            let name = RestoreJournal.databaseName(stack.database.name, "before", id)
            let oid = try databases.oid(of: name)
            var part = KeptPart(
                id: id, backup: "", mode: .full, replacedAt: 0, databaseOID: oid,
                database: oid == nil ? nil : name)
            part.root = stack.root
            return part
        }
    }

    /// What root types where a file of another user, an immutable one, or a read-only snapshot stands in the way. Folders
    /// alone change hands, by which their files can be removed: those that the restore left as they were are other names of live ones.
    private static func command(against error: SystemError, _ folder: FilePath) -> String {
        let place = folder.string.shellQuoted
        let owner = BackupError.givingFolders(folder.string, to: "\(geteuid()):\(getegid())")
        let flags = "chattr -R -i -a \(place)"
        switch error.code {
        case EACCES: return owner
        case EROFS:
            // Of btrfs, for nothing is mounted there.
            let snapshot = Subvolume.holding(FilePath(error.path), below: folder) ?? folder
            return "btrfs property set -ts \(snapshot.string.shellQuoted) ro false"
        default: return ProcessPrivilege.isRoot ? flags : "\(flags); \(owner)"
        }
    }

    /// Removes one with all that is in it, whoever says so. Under both locks. A database that somebody gave another name is
    /// left to that person.
    func remove(_ part: KeptPart, on databases: any DatabaseSet) throws {
        if try FileStatus.ifPresent(folder(of: part.id)) != nil {
            let mounts = try MountTable.points(below: folder(of: part.id))
            if let first = mounts.first { throw BackupError.mountInside(path: first.string, count: mounts.count) }
        }
        try noteRemoval(of: part, true)
        let isFirst = try markRemoval(of: part)
        switch try state(of: part, on: databases) {
        case .present(let name), .invalid(let name):
            do { try databases.drop(name) } catch {
                // Nothing of it went: it can be brought back as before.
                if case .present = try state(of: part, on: databases), part.isBeingRemoved != true {
                    if isFirst { try removeMark(.removing, of: part.id) }
                    try noteRemoval(of: part, false)
                }
                throw error
            }
        case .renamed, .gone, .none: break
        }
        // The record last: what cannot be removed still says what it is.
        do throws(SystemError) {
            // The marks go after all that they speak of.
            try Directory.removeTree(tree(of: part))
            try Directory.removeTree(folder(of: part.id))
        } catch {
            guard error.isDenied else { throw error }
            throw BackupError.keptNotRemovable(
                id: part.id, reason: error.bilingual, command: Self.command(against: error, folder(of: part.id)))
        }
        try part.removeRecord(in: state)
        // Among artifacts of another user's it may have to stay.
        Directory.removeWhereEmpty(folder)
    }

    /// The record says it, too; but the state in which that lies may be lost before the next run. A folder in which nothing can be made loses
    /// no file either that lies directly in it.
    /// - Returns: whether it was not there.
    private func markRemoval(of part: KeptPart) throws -> Bool {
        guard try FileStatus.ifPresent(folder(of: part.id)) != nil else { return false }
        do {
            guard try !isMarked(part.id, as: .removing) else { return false }
            try Self.mark(folder(of: part.id), as: .removing)
            return true
        } catch let error as SystemError where error.isFull || error.isDenied { return false }
    }

    /// So that what is gone of it after a crash is not taken for somebody's doing, and half of it is not brought back.
    func noteRemoval(of part: KeptPart, _ isBeingRemoved: Bool) throws {
        guard part.isBeingRemoved != true, try KeptPart.ids(in: state).contains(part.id) else { return }
        var noted = part
        noted.isBeingRemoved = isBeingRemoved ? true : nil
        // A full disk is no reason to keep what fills it.
        do { try noted.write(in: state) } catch let error as SystemError where error.isFull {}
    }
}
