// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Why a backup, a check or a restore did not happen.
///
/// Each says what to do next, as far as this module knows it: routes belong to the API and options to the command line,
/// which add their own hint by the error's code.
package enum BackupError: ExplainedError, Equatable {
    case folderNotUsable(path: String, reason: BilingualText)
    /// Something of ours in it cannot be used, so that no backup can be made there.
    case stateNotUsable(path: String, why: Unusable)
    /// The folder was used for this stack before, and is not what it was. `holdsBackups`: others.
    case folderVanished(path: String, holdsBackups: Bool = false)
    /// Nothing can be written into the folder, which can be read.
    case writeProtected(path: String, reason: BilingualText)
    /// A forced restore or undo would first make a backup, in a folder where nothing can be written.
    case noPlaceForBackup(path: String, reason: BilingualText)
    /// One of the stack's folders lies in the other, where a restore or a removal would take both. `isTakenForOurs`: the inner
    /// one are the artifacts, in a folder that is ours to clear.
    case foldersOverlap(inner: String, outer: String, isTakenForOurs: Bool)
    /// One folder with artifacts lies in another one.
    case rootsOverlap(inner: String, outer: String)
    /// A backup has folders with artifacts, by these names, of which nobody said where they are here.
    case rootsUnknown(names: [String])
    /// - backup: its path.
    case remoteRootsNotRestored(backup: String, isFolder: Bool, roots: [RemoteRootName])
    /// A restore that was interrupted has swapped, or was to swap, a folder of which nobody says any more where it is.
    case rootLeft(name: String, journal: String)
    /// No answer comes from the folder's file system.
    case folderSilent(path: String)
    /// No answer comes from a disk on which the database says that artifacts are; which one it is nobody can tell.
    case placesSilent
    /// A folder became another one while an operation worked.
    case groundMoved(path: String)
    /// The session with the stack's lock was lost while an operation worked.
    case lockLost
    /// The file system of the backup folder cannot do what a backup stands on.
    case folderUnfit(path: String, type: String, lacking: BilingualText)
    /// That of the artifacts folder cannot do what a restore of artifacts stands on.
    case artifactsUnfit(path: String, type: String, lacking: BilingualText)
    /// Folders of an overlay's lower layer, which cannot be renamed.
    case lowerLayer(path: String, count: Int)
    case noSuchBackup(name: String)
    /// A backup that has no such file in it.
    case noSuchEntry(backup: String, path: String)
    /// A folder that was given by its path and is no backup of BACKUP_DIR.
    case folderElsewhere(path: String, folder: String)
    case inUse(name: String, by: String)
    /// Somebody else holds the operation lock.
    case busy(holder: String)
    /// `kept` are parts of earlier restores that could go by a person's word.
    case notEnoughRoom(path: String, needed: UInt64, available: UInt64, kept: [String] = [])
    /// The file system can hold no more files (inodes), whatever room it has.
    case notEnoughFiles(path: String, needed: UInt64, available: UInt64)
    /// The database server ran out of room for the restored database; it alone knows its disk.
    case noRoomForDatabase(reason: String, kept: [String])
    case artifactsMissing(path: String)
    /// It may be an empty folder in the place of a disk that is not mounted.
    case artifactsEmptied(path: String, why: Emptied = .empty)
    /// `public` has no table of MLflow's; `schemas` are others that have.
    case databaseEmpty(name: String, schemas: [String] = [], wanted: String? = nil)
    /// The restore would throw away what came after the backup.
    case newerData(backup: String, newer: NewerData)
    /// No restore has left anything to bring back.
    case nothingToUndo
    /// What an undo was asked for is not what it would bring back now. `newest` is that; both `nil` for nothing.
    case undoChanged(wanted: String?, newest: String?)
    case noSuchKeptPart(id: String)
    case keptNotRemovable(id: String, reason: BilingualText, command: String)
    /// Somebody dropped the database that an undo would bring back. `older` is the kept part before it.
    case keptDatabaseGone(id: String, database: String, older: String?)
    /// Its removal has begun: half of what an undo would bring back may be gone.
    case keptBeingRemoved(id: String, older: String?)
    /// Somebody took the files away that an undo would bring back, and there is no database.
    case keptFilesGone(id: String, path: String, older: String?)
    /// Some of what lay there is gone: `path` is the first of them.
    case keptFilesPartlyGone(id: String, path: String, count: Int)
    /// What a restore kept may be only some of what was live: its swap was cut short, and nothing says how far it had come.
    case keptFragment(id: String, explanation: BilingualText)
    /// What a restore kept cannot be described any more.
    case keptRecordDamaged(id: String, path: String)
    /// Something is mounted inside the folder that is to be replaced or removed.
    case mountInside(path: String, count: Int)
    /// Folders that this user may not move, which the swap would have to.
    case notOurs(path: String, count: Int, user: UInt32, group: UInt32)
    /// Things directly in the artifacts folder, or that folder, that this user cannot move for another reason.
    case notMovable(path: String, count: Int, reason: Immovable)
    /// Artifacts that this user may not read, of which a backup would end. `isAll`: there are no more.
    case artifactsUnreadable(path: String, count: Int, isAll: Bool, user: UInt32, group: UInt32)
    /// A folder above the artifacts, not MLflow's maybe, that does not let this user through.
    case artifactsOutOfReach(path: String, user: UInt32)
    case schemaDiffers(backup: String, revision: String, live: String)
    /// The backup's schema is one that the live MLflow upgrades from, by `command` where one is known.
    /// `isUpgraded`: a restore with force upgrades it by itself.
    case schemaOlder(backup: String, revision: String, live: String, command: String?, isUpgraded: Bool)
    /// The restored database could not be brought to the live MLflow's schema. `lastLines`: of what the program said.
    case upgradeFailed(
        backup: String, revision: String, live: String, program: String, reason: BilingualText, lastLines: [String])
    /// The backup's schema is none that the live MLflow knows. `install` is the MLflow that made it, where it is known.
    case schemaNewer(backup: String, revision: String, live: String, install: String?)
    case manifestUnreadable(backup: String, reason: BilingualText)
    case rowsDiffer(table: String, expected: Int64, found: Int64)
    case artifactsDiffer(expectedFiles: Int, foundFiles: Int, expectedBytes: UInt64, foundBytes: UInt64)
    /// A live file that the restore would have kept was written to before the swap.
    case changedMeanwhile(path: String)
    case markedCorrupt(name: String, reason: BilingualText)
    /// Backups of several other stacks are in the folder, each named with how many and how new; one has to be chosen.
    case severalStacks([String])
    /// No backup in the folder is of a stack of that name.
    case noSuchStack(name: String, stacks: [String])
    /// A backup that nobody has verified.
    case nothingToAccept(name: String)
    /// A restore went wrong half way and could not be put back, or what it worked in is not seen; the journal keeps what is
    /// needed to go on.
    case needsRecovery(reason: BilingualText)
    case restoreLeftover(reason: BilingualText)
    /// A swap failed and was put back; what clients wrote in between is in these kept parts. `undone`: one of them holds what
    /// an earlier restore replaced, too.
    case lateWritesKept(reason: BilingualText, kept: [String], late: NewerData, undone: String? = nil)

    /// What a restore would overwrite, one by one; empty for every other error.
    package var findings: [BilingualText] {
        if case .newerData(_, let newer) = self { newer.findings } else { [] }
    }

    package var explanation: BilingualText {
        switch self {
        case .folderNotUsable(let path, let reason):
            BilingualText(
                zh: "备份目录 \(path) 不可用（\(reason.chinese)）。请检查 BACKUP_DIR、挂载和权限。",
                en:
                    "The backup folder \(path) is not usable (\(reason.english)). Check BACKUP_DIR, its mount and its permissions."
            )
        case .stateNotUsable(let path, let why): Self.explanation(ofUnusable: path, why)
        case .folderVanished(let path, true):
            BilingualText(
                zh:
                    "备份目录 \(path) 以前存有本系统的备份，现在其中的备份都不属于此 artifacts 目录：可能挂载了另一块磁盘，或 artifacts 连同标记 .mlflow-backup-stack 是从另一套 MLflow "
                    + "复制来的。请检查其挂载；确实要使用此目录时，运行 mlflow-backup claim。",
                en:
                    "The backup folder \(path) has held backups of this MLflow, and those in it now are none of these artifacts': another "
                    + "disk may be mounted there, or the artifacts were copied from another MLflow together with their mark, "
                    + ".mlflow-backup-stack. Check its mount; to use this folder on purpose, run `mlflow-backup claim`."
            )
        case .folderVanished(let path, false):
            BilingualText(
                zh: "备份目录 \(path) 以前存有本系统的备份，现在不存在或是空的。请检查其磁盘是否已挂载；确实要从空目录重新开始时，运行 mlflow-backup claim。",
                en:
                    "The backup folder \(path) has held backups of this MLflow and is missing or empty now. Check that its disk is "
                    + "mounted; to begin anew with an empty folder on purpose, run `mlflow-backup claim`."
            )
        case .writeProtected, .noPlaceForBackup: writeProtectionExplanation
        case .foldersOverlap(let inner, let outer, false):
            BilingualText(
                zh: "备份目录 \(inner) 位于 artifacts 目录 \(outer) 之内（或就是它）：备份会包含备份自身，恢复会把备份一起替换掉，因此未做任何操作。"
                    + "请把 BACKUP_DIR 设为 artifacts 目录之外的目录，并把其中的备份移过去。",
                en:
                    "The backup folder \(inner) is, or lies in, the artifacts folder \(outer): a backup would contain the backups, and "
                    + "a restore would replace them, so nothing was done. Set BACKUP_DIR to a folder outside of it, and move the "
                    + "backups there."
            )
        case .foldersOverlap(let inner, let outer, true):
            BilingualText(
                zh: "artifacts 目录 \(inner) 位于 \(outer) 之内，其中的内容由备份服务清理和删除，因此未做任何操作。请移动 artifacts 目录，或更改 BACKUP_DIR。",
                en:
                    "The artifacts folder \(inner) lies in \(outer), what is in which is cleared and removed by the backup service, so "
                    + "nothing was done. Move the artifacts folder, or change BACKUP_DIR."
            )
        case .rootsOverlap, .rootsUnknown, .rootLeft: rootsExplanation
        case .remoteRootsNotRestored(let backup, let isFolder, let roots):
            Self.remoteExplanation(backup, isFolder: isFolder, roots)
        case .folderSilent(let path):
            BilingualText(
                zh: "目录 \(path) 的文件系统没有响应（例如 NFS 服务器或 FUSE 进程已停止）。请检查其挂载。",
                en:
                    "The file system of \(path) does not answer, as where an NFS server or the process of a FUSE mount is gone. Check "
                    + "its mount.")
        case .placesSilent:
            BilingualText(
                zh: "数据库所引用的某个磁盘没有响应（例如 NFS 服务器已停止）。请检查本机的挂载。",
                en:
                    "a disk that the database refers to does not answer, as where an NFS server is gone. Check the mounts of this "
                    + "machine.")
        case .groundMoved(let path):
            BilingualText(
                zh: "操作进行期间，\(path) 处的挂载发生了变化（磁盘被卸载、挂载或替换），本次操作已放弃。请检查挂载（findmnt），然后重试。",
                en:
                    "while the operation worked, a disk at \(path) went away, came or was exchanged, so it was given up. Check the "
                    + "mounts (findmnt), then try again.")
        case .lockLost:
            BilingualText(
                zh: "操作进行期间，持有本系统锁的数据库会话断开（例如 PostgreSQL 重启），其他服务可能已改动数据，本次操作已放弃。请重试。",
                en:
                    "while the operation worked, the session with the stack's lock was lost, as where PostgreSQL restarted; another "
                    + "service may have changed the data, so it was given up. Try again.")
        case .folderUnfit(let path, let type, let lacking):
            BilingualText(
                zh: "备份目录 \(path) 所在的文件系统（\(type)）没有：\(lacking.chinese)，备份在其上不可靠。请把 BACKUP_DIR 设在其他文件系统上。",
                en:
                    "The file system of the backup folder \(path) (\(type)) has no \(lacking.english), without which no backup is safe "
                    + "there. Set BACKUP_DIR to a folder on another one.")
        case .artifactsUnfit(let path, let type, let lacking):
            BilingualText(
                zh: "artifacts 目录 \(path) 所在的文件系统（\(type)）没有：\(lacking.chinese)。在其上恢复文件时无法保证能够撤销或察觉同时的写入，因此不会开始；"
                    + "备份不受影响。请只恢复数据库，再按 docs/restore-by-hand.md 取出文件；或把 artifacts 移到其他文件系统上。",
                en:
                    "The file system of the artifacts folder \(path) (\(type)) has no \(lacking.english). A restore of files could neither be "
                    + "put back there nor notice what is written meanwhile, so none is begun; backups are not affected. Restore the "
                    + "database alone and take the files out by docs/restore-by-hand.md, or move the artifacts to another file system."
            )
        case .lowerLayer(let path, let count):
            BilingualText(
                zh: "artifacts 目录中有 \(count) 个文件夹（例如 \(path.shown)）位于 overlay 的下层（镜像）中，无法重命名，因此未开始恢复。"
                    + "请停止 MLflow，对每个这样的文件夹执行：mv \(path.shellQuoted) \((path + ".x").shellQuoted) && mv \((path + ".x").shellQuoted) \(path.shellQuoted)；或把 artifacts 放在卷上。",
                en:
                    "\(count) folders of the artifacts, such as \(path.shown), lie in a lower layer of an overlay (an image), where the kernel renames "
                    + "no folder, so no restore was begun. Stop MLflow and, for each of them, run: mv \(path.shellQuoted) \((path + ".x").shellQuoted) && mv "
                    + "\((path + ".x").shellQuoted) \(path.shellQuoted) - or keep the artifacts on a volume.")
        case .noSuchEntry(let backup, let path):
            BilingualText(
                zh: "\(backup) 中没有文件 \(path)。", en: "There is no file \(path) in \(backup).")
        case .noSuchBackup(let name):
            BilingualText(zh: "没有名为 \(name) 的备份。", en: "There is no backup named \(name).")
        case .folderElsewhere(let path, let folder):
            BilingualText(
                zh:
                    "\(path) 是一个文件夹，且不是 \(folder) 中的备份。若它是未压缩的备份，请先复制进去，再按名称使用：cp -a \(path.shellQuoted) \(folder.shellQuoted)",
                en:
                    "\(path) is a folder, and no backup in \(folder). If it is an uncompressed backup, copy it there, and then give its "
                    + "name: cp -a \(path.shellQuoted) \(folder.shellQuoted)")
        case .inUse(let name, let by):
            BilingualText(
                zh: "备份 \(name) 正被任务 \(by) 使用。请等待该任务结束后重试。",
                en: "The backup \(name) is in use by task \(by). Wait until that task has ended, then try again.")
        case .busy(let holder):
            BilingualText(
                zh: "另一项备份或恢复正在进行（\(holder)）。请等待其结束。",
                en: "Another backup or restore is running (\(holder)). Wait for it to end.")
        case .notEnoughRoom, .notEnoughFiles: roomExplanation
        case .noRoomForDatabase(let reason, let kept):
            BilingualText(
                zh: "数据库服务器的磁盘空间不足，装不下恢复后的数据库（\(reason)）。线上数据未被改动；请在数据库服务器上释放空间后重试。",
                en:
                    "The database server has no room for the restored database (\(reason)). The live data was not touched; free "
                    + "some room on the server's disk, then try again.") + Self.forgetting(kept)
        case .artifactsMissing(let path):
            BilingualText(
                zh: "找不到 artifacts 目录 \(path)，因此未做任何操作。请检查 ARTIFACTS_DIR（其他目录：ARTIFACT_ROOTS）和卷挂载。",
                en:
                    "The artifacts folder \(path) is missing, so nothing was done. Check ARTIFACTS_DIR (of further folders ARTIFACT_ROOTS) "
                    + "and the volume's mount."
            )
        case .artifactsEmptied(let path, let why): Self.explanation(ofEmptied: path, why)
        case .databaseEmpty(let name, let schemas, let wanted): Self.explanation(ofEmpty: name, schemas, wanted)
        case .newerData(let backup, let newer):
            BilingualText(
                zh: "\(backup.isEmpty ? "此操作" : "恢复 \(backup) ")会覆盖 \(newer.total) 项更新的数据："
                    + "\(newer.shown(.chinese))。请先做一次备份。",
                en:
                    "\(backup.isEmpty ? "This" : "Restoring \(backup)") would overwrite newer data, \(newer.total) in all: "
                    + "\(newer.shown(.english)). Make a backup first."
            )
        case .nothingToUndo:
            BilingualText(zh: "没有可撤销的恢复。", en: "There is no restore to undo: nothing is kept of one.")
        case .undoChanged(let wanted, let newest):
            BilingualText(
                zh: "发起撤销之后，另有恢复、撤销或删除完成，因此没有撤销任何内容：当时将取回 "
                    + "\(wanted ?? "（无）")，"
                    + "现在最新的是 \(newest ?? "（无）")。请用 mlflow-backup kept 查看保留的数据，确认后重新发起。",
                en:
                    "A restore, an undo or a removal came between this undo and its request, so nothing was taken back: "
                    + "it was to bring back \(wanted ?? "nothing"), and the newest part is \(newest ?? "none") now. Look at `mlflow-backup kept`, then "
                    + "ask for it again if it is still wanted.")
        case .noSuchKeptPart(let id):
            BilingualText(
                zh: "没有编号为 \(id.prefix(60)) 的保留数据。", en: "No restore has kept anything under \(id.prefix(60)).")
        case .keptNotRemovable(let id, let reason, let command):
            BilingualText(
                zh: "保留的数据 \(id) 无法删除（", en: "What is kept as \(id) cannot be removed (") + reason
                + BilingualText(
                    zh: "）。请以 root 执行：\(command)；之后会自动删除，也可再次运行 mlflow-backup forget \(id)。",
                    en: "). As root run: \(command) - then it goes by itself when its time is over, or by "
                        + "`mlflow-backup forget \(id)`.")
        case .keptDatabaseGone(let id, let database, let older):
            BilingualText(
                zh:
                    "恢复保留的数据库 \(database) 已不存在，因此无法撤销该次恢复（\(id)）。若被改名，请改回；否则请先取出其文件中需要的部分，再运行 mlflow-backup forget \(id) 删除其余部分",
                en:
                    "The kept database \(database) is not there any more, so that restore (\(id)) cannot be undone. If it was renamed, "
                    + "rename it back; else take what is needed out of its files, then run `mlflow-backup forget \(id)` to remove the rest of it"
            )
                + Self.nextUndo(older)
        case .keptFilesGone(let id, let path, let older):
            BilingualText(
                zh: "恢复保留的文件 \(path) 已不存在，因此无法撤销该次恢复（\(id)）。若被移走，请移回；否则运行 mlflow-backup forget \(id)",
                en:
                    "The kept files in \(path) are not there any more, so that restore (\(id)) cannot be undone. If they were "
                    + "moved, move them back; else run `mlflow-backup forget \(id)`")
                + Self.nextUndo(older)
        case .keptFilesPartlyGone(let id, let path, let count):
            BilingualText(
                zh: "恢复所保留的数据 \(id) 中有 \(count) 项已不存在，例如 \(path)。撤销会使 artifacts 中没有它们。若被移走，请移回。",
                en:
                    "Of what was kept as \(id) \(count) files or folders are not there any more, such as \(path). After an undo the "
                    + "artifacts would lack them. If they were moved, move them back.")
        case .keptFragment(_, let explanation): explanation
        case .keptBeingRemoved(let id, let older):
            BilingualText(
                zh: "恢复保留的数据 \(id) 已开始删除而未完成，可能只剩一部分，因此无法撤销该次恢复。运行 mlflow-backup forget \(id) 完成删除",
                en:
                    "The removal of what was kept as \(id) has begun and did not come to its end: half of it may be gone, so that "
                    + "restore cannot be undone. `mlflow-backup forget \(id)` removes the rest of it")
                + Self.nextUndo(older)
        case .keptRecordDamaged(let id, let path):
            BilingualText(
                zh: "恢复保留的数据 \(id) 的记录 \(path) 已损坏，因此不会删除任何保留数据和旧备份。请从备份目录的副本中找回该文件；"
                    + "没有副本时，移走该文件并运行 mlflow-backup claim，该数据会重新列出（不再认为有备份包含它）；"
                    + "不需要该数据时运行 mlflow-backup forget \(id)。",
                en:
                    "The record \(path) of what a restore kept as \(id) is damaged, so that nothing kept and no old backup is removed. "
                    + "Bring the file back from a copy of the backup folder; where there is none, move it elsewhere and run "
                    + "`mlflow-backup claim`, which lists what was kept again, as held by no backup. If it is not needed, run "
                    + "`mlflow-backup forget \(id)`.")
        case .mountInside(let path, let count):
            BilingualText(
                zh: "artifacts 目录内挂载了 \(count) 个文件系统（例如 \(path.shown)），恢复无法安全地移动它们。请先卸载，恢复后再挂载。",
                en:
                    "\(count) file systems are mounted inside the artifacts folder, such as \(path.shown), which a restore cannot move "
                    + "safely. Unmount them first, and mount them again afterwards.")
        case .notOurs(let path, let count, let user, let group):
            BilingualText(
                zh:
                    "\(count) 个文件夹（例如 \(path.shown)）不属于运行备份服务的用户，恢复时无法移动。请以 root 执行：chown -R \(user):\(group) \(path.shellQuoted)"
                    + "；若已属于该用户但组不同，则执行：chmod u+w \(path.shellQuoted)",
                en: "\(count) folders, such as \(path.shown), do not let this user move them, which a restore has to. "
                    + "As root run: chown -R \(user):\(group) \(path.shellQuoted), or, where it is this user's and its group another: "
                    + "chmod u+w \(path.shellQuoted)")
        case .notMovable(let path, let count, let reason): Self.explanation(ofNotMoving: path, count, reason)
        case .artifactsOutOfReach(let path, let user): Self.explanation(ofClosed: path, user)
        case .artifactsUnreadable(let path, let count, let isAll, let user, let group):
            Self.explanation(ofUnreadable: path, count, isAll, user, group)
        case .severalStacks(let stacks):
            BilingualText(
                zh: "备份目录中有多套其他 MLflow 的备份，请指定接管哪一套：\(stacks.joined(separator: "；"))。"
                    + "例如：mlflow-backup claim 数据库@系统",
                en: "The folder holds backups of several other stacks; say which one to take over: "
                    + "\(stacks.joined(separator: "; ")). For example: `mlflow-backup claim DATABASE@SYSTEM`.")
        case .noSuchStack(let name, let stacks):
            BilingualText(
                zh:
                    "备份目录中没有 \(name.prefix(200)) 的备份。其他 MLflow 的备份：\(stacks.isEmpty ? "无" : stacks.joined(separator: "；"))。",
                en: "The folder holds no backups of another stack \(name.prefix(200)). There are: "
                    + "\(stacks.isEmpty ? "none" : stacks.joined(separator: "; ")).")
        case .nothingToAccept(let name):
            BilingualText(
                zh: "备份 \(name) 尚未校验，没有什么可以接受，须先校验。",
                en: "The backup \(name) has not been verified, so there is nothing to accept yet."
            )
        case .schemaDiffers(let backup, let revision, let live):
            BilingualText(
                zh: "\(backup) 的数据库结构版本是 \(revision)，当前 MLflow 使用 \(live)。请用相同版本的 MLflow 恢复。",
                en: "\(backup) has schema revision \(revision), this MLflow runs \(live). Restore it beside the MLflow "
                    + "version that made it.")
        case .schemaOlder, .schemaNewer, .upgradeFailed: schemaExplanation
        case .manifestUnreadable(let backup, let reason):
            BilingualText(
                zh: "\(backup) 的 manifest.json 无法读取（\(reason.chinese)）。请改用其他备份。",
                en: "The manifest.json of \(backup) cannot be read (\(reason.english)). Use another backup.")
        case .rowsDiffer(let table, let expected, let found):
            BilingualText(
                zh: "恢复后的表 \(table) 有 \(found) 行，备份时为 \(expected) 行。线上数据未被改动；请改用其他备份。",
                en:
                    "Table \(table) has \(found) rows after loading and had \(expected) in the backup. The live data was not "
                    + "touched; use another backup.")
        case .artifactsDiffer(let expectedFiles, let foundFiles, let expectedBytes, let foundBytes):
            BilingualText(
                zh: "解包得到 \(foundFiles) 个文件、\(foundBytes) 字节，备份时为 \(expectedFiles) 个、\(expectedBytes) 字节。线上数据未被改动。",
                en: "Unpacking gave \(foundFiles) files of \(foundBytes) bytes; the backup says \(expectedFiles) of "
                    + "\(expectedBytes). The live data was not touched.")
        case .changedMeanwhile(let path):
            BilingualText(
                zh: "恢复期间有程序写入了 \(path)。线上数据未被改动；请停止写入后重试。",
                en: "A program wrote into \(path) during the restore. Nothing was replaced; stop what writes there, "
                    + "then try again.")
        case .markedCorrupt(let name, let reason):
            BilingualText(
                zh: "备份 \(name) 已标记为损坏：\(reason.chinese)。请改用其他备份，或修复后重新校验。",
                en:
                    "The backup \(name) is marked corrupt: \(reason.english). Use another one, or mend it and verify it again."
            )
        case .lateWritesKept(let reason, let kept, let late, let undone):
            BilingualText(
                zh: "切换失败，线上数据已还原为之前的状态。切换期间客户端写入的内容保留为 \(kept.joined(separator: "、"))：\(late.shown(.chinese))。"
                    + (undone.map { "其中 \($0) 同时保存着之前恢复所替换的数据，请勿删除。" }
                        ?? "请取回需要的内容；不需要时运行 mlflow-backup forget \(kept.first ?? "")。")
                    + "失败原因：",
                en:
                    "The swap failed, and the live data is what it was before. What clients wrote meanwhile is kept as "
                    + "\(kept.joined(separator: ", ")): \(late.shown(.english)). "
                    + (undone.map { "\($0) also holds what the earlier restore replaced: do not remove it. " }
                        ?? "Take out of it what is needed; if nothing is, run `mlflow-backup forget \(kept.first ?? "")`. ")
                    + "Why it failed: ") + reason
        case .restoreLeftover(let reason):
            BilingualText(
                zh: "线上数据完好，但被中断的恢复所准备的数据暂时无法删除；在此之前不能开始新的恢复，备份不受影响。原因：",
                en:
                    "The live data is what it was, but what an interrupted restore had prepared cannot be removed yet, and until "
                    + "then no other restore can begin. Backups go on. The reason: ") + reason
        case .needsRecovery(let reason):
            BilingualText(
                zh: "恢复中断，尚未完成也未还原：\(Self.clause(reason.chinese))。恢复前的数据没有被删除，但当前生效的可能只是其中一部分；"
                    + "请排除原因后运行 mlflow-backup recover。",
                en:
                    "A restore was interrupted, and is neither finished nor put back yet: \(Self.clause(reason.english)). Nothing of the "
                    + "previous data was removed, but what is live may be only partly that; remove the cause, then run "
                    + "`mlflow-backup recover`.")
        }
    }

    /// Without the full stop of a whole sentence.
    static func clause(_ reason: String) -> String {
        String(reason.reversed().drop { ". 。".contains($0) }.reversed())
    }

    /// The end of a sentence that says how to get rid of a kept part.
    private static func nextUndo(_ older: String?) -> BilingualText {
        guard let older else { return BilingualText(zh: "。", en: ".") }
        return BilingualText(
            zh: "，之后的撤销将取回更早的 \(older)。", en: "; the next undo then brings back the older one, \(older).")
    }

    static func forgetting(_ kept: [String]) -> BilingualText {
        guard !kept.isEmpty else { return BilingualText.empty }
        let commands = kept.prefix(5).map { "mlflow-backup forget \($0)" }
        return BilingualText(
            zh: "以前的恢复保留的旧数据仍占用空间，不需要时可删除：\(commands.joined(separator: "；"))。",
            en: " What earlier restores replaced takes room, too; what is not needed of it goes by "
                + commands.map { "`\($0)`" }.joined(separator: ", ") + ".")
    }
}
