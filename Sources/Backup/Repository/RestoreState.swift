// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Where a restore's journal and staging, and the records of what restores kept, lie.
///
/// It is the backup folder's state, where no client of MLflow can write. Where nothing can be written there
/// (`WriteProtection`), it is a folder beside what the restore moves, among the artifacts: whatever backup folder a later
/// command is given, it finds that one. Whoever looks looks into both, always. See docs/ground.md.
struct RestoreState: Sendable {
    let folder: BackupFolder
    /// The artifacts folder of the stack.
    let artifacts: FilePath

    init(_ folder: BackupFolder, artifacts: FilePath) {
        self.folder = folder
        self.artifacts = artifacts
    }

    /// In our folder among the artifacts.
    static let name = "state"
    /// Clients of MLflow can make folders and files there, too, through a server of this user, but none with these modes: no
    /// folder that is sticky, and no file that its maker may not write to.
    private static let folderMode: UInt32 = 0o1700
    private static let fileMode: UInt32 = 0o400

    private var own: FilePath { artifacts.appending(ArtifactSwap.folderName) }
    var beside: FilePath { own.appending(Self.name) }

    /// A place for a file, and the permission bits that it has there.
    struct Place {
        let path: FilePath
        let mode: UInt32
    }

    // MARK: looking

    /// The names in both places, in order.
    func names() throws -> [String] {
        var found = isFolderClosed ? [] : Set(try names(in: folder.state))
        for name in try isBesideOurs() ? names(in: beside) : [] where try isOurs(name) { found.insert(name) }
        return found.sorted()
    }

    /// Where the file of this name is; `nil` where it is in neither place. What lies beside the artifacts was written when the
    /// other place could not be, and is the later word.
    func existing(_ name: String) throws -> FilePath? {
        if try isBesideOurs(), try isOurs(name) { return beside.appending(name) }
        let path = folder.state.appending(name)
        return try isFolderClosed || FileStatus.ifPresent(path) == nil ? nil : path
    }

    /// Of another user's folder our own part need not be open to us. What is in it is then like another service's, whose restore
    /// shows by its own folder among the artifacts.
    private var isFolderClosed: Bool {
        Directory.readRefusal(folder.state)?.code == EACCES && folder.writeProtection != nil
    }

    /// The same, or where it would be looked for: for a person.
    func shown(_ name: String) -> FilePath {
        if let found = try? existing(name) { return found }
        return (folder.writeProtection == nil ? folder.state : beside).appending(name)
    }

    /// Whether a file lies in a backup folder that nobody can write to, and so can be neither replaced nor removed.
    func isFrozen(_ path: FilePath) -> Bool { path.parent == folder.state && folder.writeProtection != nil }

    /// Whether a record is only remembered: it lies in a write-protected folder, which may be a copy of another time, and what it
    /// speaks of is not among the artifacts.
    func isMemory(_ name: String, of id: String) throws -> Bool {
        for kept in [KeptPart.prefix + id, "work-" + id] where try FileStatus.ifPresent(own.appending(kept)) != nil {
            return false
        }
        return try existing(name).map(isFrozen) ?? false
    }

    /// - Throws: `BackupError.stateNotUsable` for a folder that root made, and this user may not look into.
    private func names(in place: FilePath) throws -> [String] {
        do throws(SystemError) {
            guard try FileStatus.ifPresent(place) != nil else { return [] }
            return try Directory.names(in: place).map { String(decoding: $0, as: UTF8.self) }
        } catch {
            guard error.isDenied else { throw error }
            throw BackupError.unusable(error, in: folder)
        }
    }

    /// - Throws: `BackupError.artifactsOutOfReach`, `.artifactsUnreadable`.
    private func isBesideOurs() throws -> Bool {
        let found: FileStatus?
        do throws(SystemError) { found = try FileStatus.ifPresent(own) } catch {
            throw (error.isDenied ? BackupError.closed(artifacts) : nil) ?? error
        }
        guard let parent = found, parent.kind == .directory, parent.mode & 0o777 == 0o700 else { return false }
        let inside: FileStatus?
        do throws(SystemError) { inside = try FileStatus.ifPresent(beside) } catch {
            guard error.isDenied else { throw error }
            throw BackupError.unusable(SystemError("open", path: own.string, code: error.code), in: folder)
        }
        guard let status = inside else { return false }
        return status.kind == .directory && status.mode & 0o1777 == Self.folderMode
    }

    private func isOurs(_ name: String) throws -> Bool {
        guard let status = try FileStatus.ifPresent(beside.appending(name)) else { return false }
        return status.kind == .file && status.mode & 0o777 == Self.fileMode
    }

    // MARK: writing, under the stack's lock

    /// Where a file is to be written: where it is, or, of a new one and of one that is frozen there, where that can be done.
    /// - Parameter kin: what else there may be of the same restore. Where some of that lies among the artifacts, this does, too:
    ///   whoever finds one finds all.
    func place(for name: String, nextTo kin: [String] = []) throws -> Place {
        if let found = try existing(name), !isFrozen(found) { return place(found) }
        for other in kin where try existing(other)?.parent == beside { return place(beside.appending(name)) }
        return try newPlace(for: name)
    }

    /// The same for what must not be in both places: an operation that began in one ends there.
    func onlyPlace(for name: String) throws -> Place {
        if let found = try existing(name) { return place(found) }
        return try newPlace(for: name)
    }

    private func place(_ path: FilePath) -> Place {
        Place(path: path, mode: path.parent == folder.state ? 0o600 : Self.fileMode)
    }

    private func newPlace(for name: String) throws -> Place {
        guard folder.writeProtection != nil else { return place(folder.state.appending(name)) }
        try makeBeside()
        return place(beside.appending(name))
    }

    private func makeBeside() throws {
        // Not with `make`'s parents: an artifacts folder that went away is not made again.
        _ = try FileStatus.of(artifacts)
        try ArtifactSwap.makeFolder(in: artifacts, for: folder)
        if try isBesideOurs() { return }
        // A client's. What is in it must not become ours.
        try OpenFile(own, .directory).setMode(0o700)
        if try !isBesideOurs(), try FileStatus.ifPresent(beside) != nil {
            try Directory.renameWithoutReplacing(beside, to: own.appending("foreign-" + RestoreJournal.newID()))
        }
        try Directory.makeInherited(beside, mode: Self.folderMode)
        // A file system without permission bits: nothing there would be believed.
        guard try isBesideOurs() else { throw SystemError("chmod", path: beside.string, code: EOPNOTSUPP) }
    }

    /// Removes a file from wherever it is. What is frozen stays, and is only remembered from then on.
    func remove(_ name: String) throws {
        while let path = try existing(name), !isFrozen(path) {
            try Directory.remove(path)
            try Directory.sync(path.parent)
        }
        try removeIfEmpty()
    }

    /// Clears what an interrupted run left beside the artifacts.
    func removeLeftovers(log: Log) {
        removeProbes(log: log)
        do {
            guard try isBesideOurs() else { return }
            for name in try names(in: beside) where name.hasSuffix(DurableFile.partialSuffix) {
                try Directory.remove(beside.appending(name))
                log.warning("removed what an interrupted run left", ["name": name])
            }
            try removeIfEmpty()
        } catch {
            log.warning("a leftover cannot be removed", ["name": beside, "reason": error.bilingual[.english]])
        }
    }

    /// Removes what killed processes left of trying what the file system can do. A probe shows whether its
    /// process lives.
    func removeProbes(log: Log) {
        do {
            for name in try names(in: own) where name.hasPrefix(FileSystemProbe.prefix) {
                try PartialFile(name)?.whereDead(own.appending(name)) { path in try Directory.removeTree(path) }
            }
            if try FileStatus.ifPresent(own) != nil { Directory.removeWhereEmpty(own) }
        } catch {
            log.warning("a leftover cannot be removed", ["name": own, "reason": error.bilingual[.english]])
        }
    }

    private func removeIfEmpty() throws {
        guard try isBesideOurs(), try names(in: beside).isEmpty else { return }
        try Directory.removeEmpty(beside)
        // Among artifacts of another user's it may have to stay.
        Directory.removeWhereEmpty(own)
    }

    // MARK: staging

    /// Where a restore unpacks its dump: as large as the database, and gone before the swap.
    func dump(of journal: RestoreJournal) -> FilePath {
        folder.writeProtection == nil
            ? folder.staging.appending(RestoreJob.dumpName) : journal.swap.work.appending("dump")
    }
}

extension Workspace {
    /// Where the journals and records of this stack are.
    var state: RestoreState { RestoreState(folder, artifacts: stack.artifacts) }
}
