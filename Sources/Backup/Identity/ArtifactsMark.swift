// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemIO
import Wording

/// `.mlflow-backup-stack` in the artifacts folder: what tells this folder from an empty one that stands in its place while
/// its disk is not mounted, and which backup folders it was backed up to. It is not part of any backup.
struct ArtifactsMark: Sendable, Equatable, Codable {
    static let fileName = ".mlflow-backup-stack"
    /// No server of MLflow that is not root's writes over it for a client.
    private static let mode: UInt32 = 0o444

    /// 32 hexadecimal digits, random.
    var id: String
    /// Backup folders by path, as they were configured and where that led.
    var backupFolders: [String]
    /// Identifiers of what was found there (`BackupFolder.id`); `nil` in marks of older versions.
    var folderIDs: [String]?

    enum CodingKeys: String, CodingKey {
        case id
        case backupFolders = "backup_folders"
        case folderIDs = "folder_ids"
    }

    /// - Returns: `nil` where there is none, or one that nobody can read: it is then made anew.
    static func read(in artifacts: FilePath) throws(SystemError) -> ArtifactsMark? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try OpenFile(artifacts.appending(fileName), .readNoFollow).readAll(limit: 1 << 20)
        } catch {
            if error.isNotFound || error.isDenied || error.isOfAnotherKind || error.code == EFBIG { return nil }
            throw error
        }
        return try? JSONDecoder().decode(ArtifactsMark.self, from: Data(bytes))
    }

    /// Notes that `folder` is used for this stack, and makes the mark where there is none.
    /// - Parameter known: the identifier that this stack's backups carry, for a folder that takes the place of a lost one.
    /// - Returns: `nil` where the artifacts folder is not ours to write into.
    static func ensure(
        in artifacts: FilePath, using folder: BackupFolder, known: String? = nil
    ) throws -> ArtifactsMark? {
        let found = try read(in: artifacts)
        let missing = Self.spellings(of: folder).filter { !(found?.backupFolders.contains($0) ?? false) }
        let folderID = try folder.madeID().flatMap { found?.folderIDs?.contains($0) == true ? nil : $0 }
        if let found, missing.isEmpty, folderID == nil {
            // A file system without modes, or another's file, keeps the one that it has.
            let file = try? OpenFile(artifacts.appending(fileName), .readNoFollow)
            if let file, (try? file.status().mode & 0o777) != mode { try? file.setMode(mode) }
            return found
        }
        var mark = found ?? ArtifactsMark(id: known ?? RandomID.make(), backupFolders: [])
        mark.backupFolders += missing
        if let folderID { mark.folderIDs = (mark.folderIDs ?? []) + [folderID] }
        do {
            try DurableFile.replace(
                artifacts.appending(fileName), with: Array(JSONEncoder().encode(mark)), mode: mode)
        } catch let error as SystemError where error.isDenied || error.isFull || error.isOfAnotherKind {
            // The next backup marks it, or a folder has its name; this one is worth having without.
            return found
        }
        return mark
    }

    /// A path is one however it is spelt: `/b//x/./y` and `/b/x/z/../y` are `/b/x/y`.
    private static func spelt(_ path: FilePath) -> String {
        var parts: [Substring] = []
        for part in path.string.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// As it is configured, and where that leads: a person may configure that tomorrow.
    private static func spellings(of folder: BackupFolder) -> [String] {
        let real = try? folder.path.resolvedAsFarAsThere()
        return Set([spelt(folder.path), spelt(real ?? folder.path)]).sorted()
    }

    /// Whether backups were made into this folder.
    func knows(_ folder: BackupFolder) -> Bool {
        let spellings = Self.spellings(of: folder)
        return backupFolders.contains { spellings.contains(Self.spelt(FilePath($0))) }
    }

    /// Whether backups of these artifacts were made into other folders, and none into this one, which whoever restores from it has noted here: it
    /// is another stack's.
    func isOnlyOfOthers(than folder: BackupFolder) throws -> Bool {
        let spellings = Self.spellings(of: folder)
        if backupFolders.allSatisfy({ spellings.contains(Self.spelt(FilePath($0))) }) { return false }
        return try !folder.holdsBackups(of: self)
    }
}

extension BackupFolder {
    /// Tells a folder that was used from one that stands in its place: whoever lists it must not take the one for the other.
    /// - Parameter artifacts: the artifacts folder of the stack that may have used it.
    /// - Throws: `BackupError.folderVanished`.
    package func refuseVanished(usedBy artifacts: FilePath) throws {
        try refuseDeadLink()
        // Artifacts that do not answer are no reason not to list what is here.
        if case .silent = FolderPulse.look(at: artifacts) { return }
        let isOurs = try isOurs()
        let mark: ArtifactsMark?
        do throws(SystemError) { mark = try ArtifactsMark.read(in: artifacts) } catch {
            // What a disk does not give tells nothing of this one.
            if isOurs { return }
            throw error
        }
        guard let mark, mark.knows(self) else { return }
        if try isOurs && isOne(of: mark) { return }
        // Another stack's disk, mounted here to read from it: `claim`, by which a person says so, has nowhere to write.
        let holdsBackups = try holdsBackups()
        if writeProtection != nil, holdsBackups { return }
        throw BackupError.folderVanished(path: path.string, holdsBackups: holdsBackups)
    }

    /// A person says that this folder takes the place of the one that was used. It is noted here: the artifacts may be read-only.
    func takePlace(in artifacts: FilePath) throws {
        guard let mark = try ArtifactsMark.read(in: artifacts), mark.knows(self), try !isOne(of: mark),
            let known = mark.folderIDs?.last
        else { return }
        // The folder keeps its own, by which others know it, where the mark can take that up.
        if try id() != nil, let noted = try ArtifactsMark.ensure(in: artifacts, using: self), try isOne(of: noted) {
            return
        }
        try write(id: known)
    }

    /// Whether it is one of those that were used, or another disk with backups of this stack, as people change them by the week. What
    /// a night wrote into an empty mount point has neither.
    private func isOne(of mark: ArtifactsMark) throws -> Bool {
        guard let known = mark.folderIDs, !known.isEmpty else { return true }
        do throws(SystemError) { if let id = try id(), known.contains(id) { return true } } catch {
            // In another user's folder nobody knows.
            if error.isDenied { return true }
            throw error
        }
        return try holdsBackups(of: mark)
    }

    fileprivate func holdsBackups(of mark: ArtifactsMark) throws -> Bool {
        try Catalogue(self).items().contains { item in
            if case .unreadable? = item.sidecarFault { return true }
            // One of 0.1.0 names none. One of artifacts that could not be marked names no mark, and is no proof: a night without the disks makes
            // just such a one.
            guard let stack = item.sidecar?.stack ?? (try? item.quickManifest())?.stack else { return true }
            // That of a further folder is beside it.
            return stack.artifacts == mark.id || item.sidecar?.summary?.rootMarks?.values.contains(mark.id) == true
        }
    }

    /// Whether there is anything of ours in it.
    func isOurs() throws -> Bool { try FileStatus.ifPresent(state) != nil || holdsBackups() }

    /// Backups describe themselves: with them in it, it is the folder, whatever became of our own state.
    func holdsBackups() throws -> Bool {
        guard try FileStatus.ifPresent(path) != nil else { return false }
        let names: [[UInt8]]
        do throws(SystemError) { names = try Directory.names(in: path) } catch {
            throw BackupError.folderNotUsable(path: path.string, reason: error.reasonText)
        }
        return names.contains { BackupName(String(decoding: $0, as: UTF8.self))?.time != nil }
    }
}

extension StackIdentity {
    /// What the mark said that the artifacts folder has no more, as this stack's backups carry it; `nil` where it has one,
    /// or never had.
    func lostMark(among items: [CatalogueItem]) -> String? {
        guard artifacts == nil else { return nil }
        return items.lazy.filter { $0.isWhole }.compactMap(\.sidecar?.stack)
            .first { $0.isSameStack(as: self) && $0.artifacts != nil }?.artifacts
    }

    /// For a person: without the mark an empty folder in the place of either disk is not found out.
    func lostMarkWarning(_ items: [CatalogueItem], artifacts: FilePath) -> BilingualText? {
        guard lostMark(among: items) != nil else { return nil }
        let path = artifacts.appending(ArtifactsMark.fileName)
        // One that is there and may not be read is not gone; nor is one in a folder that is closed.
        do throws(SystemError) { if try FileStatus.ifPresent(path)?.kind == .file { return nil } } catch { return nil }
        return BilingualText(
            zh: "artifacts 目录中的标记 \(path) 已丢失：因此无法识别磁盘未挂载时的空目录。请确认挂载的是正确的磁盘，然后运行 mlflow-backup claim 重新写入标记。",
            en:
                "The mark \(path) in the artifacts folder is gone, without which an empty folder in the place of a disk that is not mounted "
                + "cannot be told. Make sure that the right disk is mounted, then write it again by `mlflow-backup claim`."
        )
    }
}
