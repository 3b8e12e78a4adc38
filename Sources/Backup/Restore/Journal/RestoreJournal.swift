// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO
import Wording

/// What a restore is doing, on disk before it does it, so that a crash at any instant can be put right.
///
/// | stage | what is live | after a crash |
/// | --- | --- | --- |
/// | preparing | the old data, untouched | drop what was prepared |
/// | committing | old, new, or part of each | forward if the databases were swapped, back if they were not |
///
/// It lies in the backup folder's state, where no client of MLflow can write: the artifacts folder is open to all of them.
/// (Where that folder is write-protected it lies beside the restore's own, `RestoreState`.)
/// Another service of the stack, with another backup folder, finds the restore's own folder among the artifacts instead,
/// and leaves it alone (`StrayParts`). The journals of 0.1.0 have no `format`, no identities, and a third stage, `committed`.
struct RestoreJournal: Sendable, Equatable, Codable {
    enum Stage: String, Sendable, Codable { case preparing, committing, committed }

    /// What is brought back: a backup, or what an earlier restore replaced.
    enum Kind: String, Sendable, Codable { case restore, undo }

    var format: Int?
    /// `STAMP_NONCE`: part of all names this restore makes.
    var id: String?
    var kind: Kind?
    var stack: StackIdentity?
    /// The task it is done for.
    var task: String?
    var backup: String
    var mode: RestoreMode
    var stage: Stage
    var liveDatabase: String
    /// Where the dump is loaded, and where the live database goes in the swap.
    var newDatabase: String
    var oldDatabase: String
    /// The databases themselves, whatever they are called at the moment; `nil` before they are known.
    var newOID: UInt32?
    var oldOID: UInt32?
    /// Whether there was a live database when the restore began.
    var hadDatabase: Bool
    /// Bytes of the artifacts folder's path.
    var artifacts: [UInt8]
    /// Where the incoming tree is, relative to our folder in the artifacts folder; `nil` for `new`, as in 0.1.0.
    var incoming: String?
    var plan: ArtifactSwap.Plan?
    /// The time of the file system when the files were last compared: what changed later came in too late.
    var mark: FileTime?
    /// What lay directly in the artifacts folder then: the swap changes its inodes' times.
    var present: [ArtifactSwap.Present]?
    /// Of the restore's own folder: a copy of the artifacts has another one.
    var workInode: UInt64?
    /// Device and inode of the artifacts folder, as it was found when the restore began.
    var rootIdentity: [UInt64]?
    /// For an undo: the kept part that is brought back.
    var undoes: String?
    /// Which artifacts folder it is about (`ArtifactFolder.name`); `nil` for the first.
    var root: String?
    /// The journal that decides (`id`), of one that follows: on which side its folder ends, the other's database says.
    var follows: String?
    /// Of one that decides: the folders that follow it, by name, with their marks.
    var followers: [String: String?]?

    /// Of one of several folders: a program that does not know of them would settle it alone.
    static let currentFormat = 3
    static let plainFormat = 2
    /// With remote roots that follow it, which a program that does not know of them would leave half done.
    static let storesFormat = 4

    private static let filePrefix = "restore-journal"

    var swap: ArtifactSwap {
        ArtifactSwap(root: FilePath(bytes: artifacts), id: id, incoming: incoming)
    }

    /// Where it lies: a person may have to move it.
    func path(in state: RestoreState) -> FilePath { state.shown(fileName) }

    private var fileName: String { format == nil ? BackupFolder.restoreJournalName : Self.fileName(id ?? "") }

    static func fileName(_ id: String) -> String { "\(filePrefix)-\(id).json" }

    func write(in state: RestoreState) throws {
        let place = try state.onlyPlace(for: fileName)
        try SealedRecord.write(self, to: place.path, mode: place.mode)
    }

    /// Writes the stage in which the live data moves, over the one before it: a journal of two stages in two folders, as where a
    /// backup disk was exchanged for another one meanwhile, would be settled by the older one when that disk is back.
    /// - Throws: `BackupError.groundMoved` where the one before it is not there.
    func commit(in state: RestoreState) throws {
        guard try state.existing(fileName) != nil else {
            throw BackupError.groundMoved(path: state.folder.path.string)
        }
        try write(in: state)
    }

    /// Before what was prepared is dropped: without it a second recovery would take what is gone for what was brought in, as far
    /// as no database tells (of the artifacts alone, or of journals of 0.1.0, which know databases by their names).
    func noteUndoing(in state: RestoreState) throws {
        guard format == nil || !mode.includesDatabase, stage != .preparing else { return }
        var undoing = self
        undoing.stage = .preparing
        try undoing.write(in: state)
    }

    func remove(in state: RestoreState) throws {
        if let file = try state.existing(fileName), state.isFrozen(file) { throw Self.frozen(file, state) }
        try state.remove(fileName)
    }

    /// Those that are there, whosever they are.
    /// - Throws: `BackupError.needsRecovery` where one cannot be read.
    private static func all(in state: RestoreState) throws -> [(name: String, journal: RestoreJournal)] {
        try state.names().compactMap { name in
            guard name.hasPrefix(filePrefix), name.hasSuffix(".json") else { return nil }
            return try state.existing(name).flatMap { try read($0, name) }.map { (name, $0) }
        }
    }

    /// It could not be closed, so that a second run would take the restore for one that is still open.
    /// - Throws: `BackupError.needsRecovery` where it lies in a folder that nobody can write to.
    func refuseFrozen(in state: RestoreState) throws {
        let file = path(in: state)
        if state.isFrozen(file) { throw Self.frozen(file, state) }
    }

    private static func frozen(_ file: FilePath, _ state: RestoreState) -> BackupError {
        let reason = state.folder.writeProtection?.reason ?? BilingualText.empty
        return .needsRecovery(
            reason: BilingualText(
                zh: "恢复日志 \(file) 所在的备份目录只能读（\(reason.chinese)），因此无法完成或撤销该次恢复：请使该目录可写（例如重新挂载）",
                en:
                    "the restore journal \(file) lies in a backup folder that can only be read (\(reason.english)), so that the "
                    + "restore can be neither finished nor undone: make that folder writable, as by mounting it again"))
    }

    /// The journal of this stack in the folder. One of another stack that uses the folder, too, is that stack's to settle.
    ///
    /// Its artifacts folder may have another path by now: inside a container, behind a link, mounted elsewhere. It is then the
    /// one that is configured, for who settles it.
    /// - Parameter system: PostgreSQL's system identifier; `nil` where it is not known: then one of another cluster with the
    ///   same names may be meant.
    /// - Throws: `BackupError.needsRecovery` for one that cannot be read, and for one of this database whose artifacts folder
    ///   is another one.
    static func read(
        _ stack: LiveStack, _ folder: BackupFolder, system: String? = nil
    ) throws -> RestoreJournal? {
        for (name, found) in try all(in: RestoreState(folder, artifacts: stack.artifacts))
        where found.liveDatabase == stack.database.name && found.root == stack.root {
            guard system == nil || found.stack == nil || found.stack?.system == system else { continue }
            var journal = found
            guard journal.isSound else {
                throw BackupError.needsRecovery(
                    reason: BilingualText(
                        zh: "恢复日志 \(name) 中的名称不是恢复所用的名称",
                        en: "the restore journal \(name) has names that no restore makes"))
            }
            if try !journal.isOf(stack.artifacts) {
                // Without an identity it may be another stack's.
                guard system != nil, journal.stack != nil, journal.mode.includesArtifacts else { continue }
                throw BackupError.needsRecovery(
                    reason: BilingualText(
                        zh:
                            "恢复日志 \(name) 属于 artifacts 目录 \(FilePath(bytes: journal.artifacts))，而 \(stack.rootSetting) 是 "
                            + "\(stack.artifacts)：请改为该目录，或把它挂载到此处",
                        en:
                            "the restore journal \(name) is of the artifacts folder \(FilePath(bytes: journal.artifacts)), and "
                            + "\(stack.rootSetting) is \(stack.artifacts): set it to that folder, or mount it there"))
            }
            journal.artifacts = stack.artifacts.bytes
            return journal
        }
        return nil
    }

    /// Whether its artifacts folder is this one, whatever its path is by now: its own folder lies in it, or it has the mark that the
    /// journal notes, or the path that it notes leads to it.
    private func isOf(_ folder: FilePath) throws -> Bool {
        if artifacts == folder.bytes { return true }
        if let id {
            let ours = folder.appending(ArtifactSwap.folderName)
            for name in ["work-", KeptPart.prefix] where try FileStatus.ifPresent(ours.appending(name + id)) != nil {
                return true
            }
        }
        if let mark = stack?.artifacts, try ArtifactsMark.read(in: folder)?.id == mark { return true }
        return try Self.identity(of: FilePath(bytes: artifacts)).map { try $0 == Self.identity(of: folder) } ?? false
    }

    /// Device and inode of a folder, behind links; `nil` where none is there.
    static func identity(of folder: FilePath) throws(SystemError) -> [UInt64]? {
        do throws(SystemError) {
            let status = try OpenFile(folder, .directoryThroughLink).status()
            return [status.device, status.inode]
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// Whether every name in it is one that a restore of ours makes: they become parts of paths and of statements.
    private var isSound: Bool {
        guard format != nil else { return true }
        guard let id, KeptPart.isID(id), undoes.map(KeptPart.isID) ?? true, follows.map(KeptPart.isID) ?? true,
            (root == nil) == (follows == nil), root.map(ArtifactFolder.isName) ?? true,
            root == nil || mode == .artifacts,
            oldDatabase == Self.databaseName(liveDatabase, "before", id),
            kind == .undo || newDatabase == Self.databaseName(liveDatabase, "restore", follows ?? id),
            incoming == undoes.map({ KeptPart.prefix + $0 + "/old" })
        else { return false }
        let children = (plan?.arrivals ?? []) + (plan?.departures ?? [])
        return children.allSatisfy { child in
            !child.name.isEmpty && !child.name.contains(UInt8(ascii: "/")) && child.name != Array(".".utf8)
                && child.name != Array("..".utf8) && !LiveStack.notArtifacts.contains(child.name)
        }
    }

    /// Of this stack, those of folders that are not configured (any more).
    /// - Throws: `BackupError.rootLeft` for the first of them.
    static func refuseLeft(_ stack: LiveStack, _ folder: BackupFolder, system: String? = nil) throws {
        guard stack.root == nil else { return }
        let known = Set(stack.further.map(\.name))
        for (name, journal) in try all(in: RestoreState(folder, artifacts: stack.artifacts)) {
            guard let root = journal.root, journal.isSound, !known.contains(root),
                journal.liveDatabase == stack.database.name, system == nil || journal.stack?.system == system
            else { continue }
            throw BackupError.rootLeft(name: root, journal: name)
        }
    }

    /// Whether there is one of this stack: one that cannot be understood is there.
    /// - Throws: `SystemError` where nobody can look.
    static func isPresent(_ stack: LiveStack, _ folder: BackupFolder) throws -> Bool {
        do { return try read(stack, folder) != nil } catch BackupError.needsRecovery { return true }
    }

    /// Whether there is one of a database of this name: whether it is of this stack tells the server.
    static func mayBePresent(_ stack: LiveStack, _ folder: BackupFolder) throws -> Bool {
        do {
            return try all(in: RestoreState(folder, artifacts: stack.artifacts)).contains {
                $0.journal.liveDatabase == stack.database.name
            }
        } catch BackupError.needsRecovery { return true }
    }

    /// Whether a restore with this identifier has not come to its end.
    static func isPresent(_ id: String, in state: RestoreState) throws -> Bool { try existing(id, in: state) != nil }

    /// Where the journal of the restore with this identifier is; `nil` where it has come to its end.
    static func existing(_ id: String, in state: RestoreState) throws -> FilePath? { try state.existing(fileName(id)) }

    private static func read(_ path: FilePath, _ name: String) throws -> RestoreJournal? {
        guard try FileStatus.ifPresent(path) != nil else { return nil }
        var found = try SealedRecord.read(RestoreJournal.self, at: path)
        if found == nil, name == BackupFolder.restoreJournalName { found = try readUnsealed(path) }
        guard let journal = found else {
            throw BackupError.needsRecovery(
                reason: BilingualText(
                    zh: "恢复日志 \(path) 已损坏。请从备份目录的副本中找回；没有副本时，请移走该日志并运行 mlflow-backup claim，"
                        + "该命令会保留恢复所移动的全部数据",
                    en:
                        "the restore journal \(path) is damaged. Bring it back from a copy of the backup folder, or, where there "
                        + "is none, move it elsewhere and run `mlflow-backup claim`, which keeps all that the restore had moved"
                ))
        }
        guard journal.format ?? 1 <= storesFormat else {
            throw BackupError.needsRecovery(
                reason: BilingualText(
                    zh: "恢复日志 \(path) 由本程序的更新版本写成",
                    en: "the restore journal \(path) was written by a newer version of this program"))
        }
        return journal
    }

    /// One of 0.1.0, which is known by its file's name and has no seal.
    private static func readUnsealed(_ path: FilePath) throws(SystemError) -> RestoreJournal? {
        let bytes = try OpenFile(path, .readNoFollow).readAll()
        guard let journal = try? JSONDecoder().decode(RestoreJournal.self, from: Data(bytes)) else { return nil }
        return journal.format == nil ? journal : nil
    }
}
