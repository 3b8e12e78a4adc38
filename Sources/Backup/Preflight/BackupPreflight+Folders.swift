// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// How the folders of a stack lie to each other: a restore replaces what is in the artifacts folder, a backup contains it, and
/// neither must do that to the backups.
struct FolderLayout {
    private let stack: LiveStack
    private let folder: BackupFolder

    init(_ workspace: Workspace) {
        stack = workspace.stack
        folder = workspace.folder
    }

    /// - Throws: `BackupError.folderSilent`, `.foldersOverlap`.
    func refuseOverlap() throws {
        for path in [folder.path] + stack.folders {
            try FolderPulse.requireAnswer(of: path, atMost: FolderPulse.awakening)
        }
        for path in stack.folders { try refuseOverlap(with: path) }
        try refuseNested()
        try refuseDatabaseInside()
    }

    /// A database file among the artifacts would be opened by the walk, which drops the locks that SQLite has on it, and be carried
    /// away by a restore.
    private func refuseDatabaseInside() throws {
        guard let file = stack.database.files.first, let place = try? Ground(file.parent) else { return }
        for path in stack.folders {
            guard let artifacts = try? Ground(path) else { continue }
            switch place.relation(to: artifacts) {
            case .same, .inside: throw DatabaseStoreError.amongArtifacts(path: file.string, folder: path.string)
            case .around, .apart: continue
            }
        }
    }

    /// What lies in two folders would be in a backup twice, and be swapped twice by a restore.
    private func refuseNested() throws {
        let grounds = stack.folders.compactMap { path in (try? Ground(path)).map { (path, $0) } }
        for (number, inner) in grounds.enumerated() {
            for (other, outer) in grounds.enumerated() where other != number {
                guard [.same, .inside].contains(inner.1.relation(to: outer.1)) else { continue }
                throw BackupError.rootsOverlap(
                    inner: Self.shown(inner.0, inner.1), outer: Self.shown(outer.0, outer.1))
            }
        }
    }

    private func refuseOverlap(with path: FilePath) throws {
        // A folder that cannot be looked at is refused by whoever needs it, in its own words.
        guard let artifacts = try? Ground(path) else { return }
        for ours in [folder.path, folder.state] {
            guard let ground = try? Ground(ours) else { continue }
            switch ground.relation(to: artifacts) {
            case .same, .inside:
                throw BackupError.foldersOverlap(
                    inner: Self.shown(ours, ground), outer: Self.shown(path, artifacts), isTakenForOurs: false)
            case .around where ours == folder.state || isTakenForBackup(artifacts, ground):
                throw BackupError.foldersOverlap(
                    inner: Self.shown(path, artifacts), outer: Self.shown(ours, ground), isTakenForOurs: true)
            case .around, .apart: continue
            }
        }
    }

    /// Nothing of ours takes a person's folder beside the backups for one; that such a folder is copied into backups beside
    /// it is worth a word.
    var notice: BilingualText? {
        guard let backups = try? Ground(folder.path) else { return nil }
        let inside = stack.folders.first { (try? Ground($0)).map { backups.relation(to: $0) == .around } ?? false }
        guard let inside else { return nil }
        return BilingualText(
            zh: "artifacts 目录 \(inside) 位于备份目录 \(folder.path) 之内：一块磁盘损坏时两者会一起丢失。",
            en: "The artifacts folder \(inside) lies in the backup folder \(folder.path): a broken disk takes both.")
    }

    /// Whether the way to the artifacts begins with what would be listed as a backup, and pruned as one.
    private func isTakenForBackup(_ artifacts: Ground, _ backups: Ground) -> Bool {
        guard let first = artifacts.names(below: backups)?.first else { return false }
        return BackupName(String(decoding: first, as: UTF8.self))?.time != nil
    }

    /// As it is configured, and where that leads.
    private static func shown(_ path: FilePath, _ ground: Ground) -> String {
        ground.path == path ? path.string : "\(path) (\(ground.path))"
    }
}

extension Workspace {
    /// To be asked before anything else is done with the folders.
    /// - Throws: `BackupError.folderSilent`, `.foldersOverlap`.
    package func refuseOverlap() throws { try FolderLayout(self).refuseOverlap() }
}

extension BackupPreflight {
    /// Seconds. Who asks in a hurry hears that a disk does not answer; a job gives one that sleeps, or writes much, its time.
    private var awaited: Double { isHasty ? FolderPulse.hasty : patience }

    /// Whether both folders answer at all. - Returns: false where any further question to them would wait, perhaps for ever.
    func checkAnswers(_ findings: inout Findings) -> Bool {
        let places = [(Finding.Check.backupFolder, folder.path)] + stack.folders.map { (.artifacts, $0) }
        for (check, path) in places {
            findings.make(check) { try FolderPulse.requireAnswer(of: path, atMost: awaited) }
        }
        guard findings.obstacles.isEmpty else { return false }
        for view in workspace.all {
            findings.make(.artifacts) { try view.stack.requireAnswers(inside: awaited) }
        }
        guard findings.obstacles.isEmpty else { return false }
        if case .silent = FolderPulse.take(in: folder.state, atMost: awaited) {
            findings.make(.backupFolder) { throw BackupError.folderSilent(path: folder.path.string) }
        }
        return findings.obstacles.isEmpty
    }

    /// Where the folders lie, whether this one was used and is empty, whether it is alive and what can be done in it.
    func checkFolders(_ findings: inout Findings) {
        findings.make(.backupFolder) {
            try FolderLayout(workspace).refuseOverlap()
            try folder.refuseVanished(usedBy: stack.artifacts)
            try folder.refuseWriteProtected()
            try folder.checkCanBePrepared()
            guard try FileStatus.ifPresent(folder.path) != nil else { return }
            try FolderTrial(folder).run(atMost: awaited)
            guard try FileStatus.ifPresent(folder.state) != nil else { return }
            try folder.checkPulse(atMost: awaited)
            try folder.checkAbilities()
        }
        if let notice = FolderLayout(workspace).notice { findings.note(.backupFolder, [notice]) }
        // What a restore would be refused for is worth a word on the day of the backup.
        for folder in stack.folders {
            guard let unfit = (try? SwapObstacles.unfit(folder)) ?? nil else { continue }
            findings.note(.artifacts, [unfit.explanation])
        }
    }
}

extension LiveStack {
    /// What is mounted inside the artifacts is walked with them, and may be another server's.
    /// - Parameter seconds: how long to wait for each answer.
    /// - Throws: `BackupError.folderSilent`.
    func requireAnswers(inside seconds: Double) throws {
        // A folder that is not there is another check's.
        for point in (try? MountTable.points(below: artifacts)) ?? [] {
            switch FolderPulse.look(at: point, atMost: seconds) {
            case .silent: throw BackupError.folderSilent(path: point.string)
            // A FUSE mount whose process is gone answers with that. What is closed to this user is another check's.
            case .failed(let error) where !error.isDenied: throw BackupError.folderSilent(path: point.string)
            case .failed, .answered: continue
            }
        }
    }
}

extension FolderPulse {
    /// - Parameter seconds: how long to wait for an answer.
    /// - Throws: `BackupError.folderSilent`.
    static func requireAnswer(of folder: FilePath, atMost seconds: Double) throws {
        if case .silent = look(at: folder, atMost: seconds) { throw BackupError.folderSilent(path: folder.string) }
    }
}

extension BackupFolder {
    /// A disk that died under its file system is found out by writing.
    /// - Parameter seconds: how long to wait for an answer.
    /// - Throws: `BackupError.folderSilent`, `.folderNotUsable`, `SystemError`.
    func checkPulse(atMost seconds: Double) throws {
        switch FolderPulse.take(in: state, atMost: seconds) {
        case .answered(true): return
        case .answered(false):
            throw BackupError.folderNotUsable(
                path: path.string,
                reason: BilingualText(zh: "写入的内容读不回来", en: "what is written to it does not come back"))
        case .silent: throw BackupError.folderSilent(path: path.string)
        case .failed(let error):
            // Room is another check's, and a file system without room is alive.
            if !error.isFull, !error.isNotFound { throw error }
        }
    }

    /// - Throws: `BackupError.folderUnfit`: nothing there could be called durable, or two services would work in it at once.
    func checkAbilities() throws {
        guard let lacking = Abilities.known(of: state)?.lacking(of: [.fileSync, .locks]), !lacking.isEmpty else {
            return
        }
        throw BackupError.folderUnfit(path: path.string, type: try Ground(path).type, lacking: lacking.words)
    }
}

extension Findings {
    /// A folder that does not answer; nothing more was asked then.
    package var silence: Finding? {
        all.first { if case .folderSilent? = $0.obstacle as? BackupError { true } else { false } }
    }
}
