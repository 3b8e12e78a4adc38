// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

extension BackupError {
    /// Of a failure of something of ours: with the command that mends it where it is closed to this user, as where root once made it.
    static func unusable(_ error: SystemError, in folder: BackupFolder) -> BackupError {
        let why: Unusable
        switch error.code {
        case EXDEV: why = .otherMount(than: folder.path.string)
        case _ where error.isOfAnotherKind: why = .otherKind
        // A link that leads nowhere.
        case ENOENT where FilePath(error.path).linkTarget != nil: why = .otherKind
        case EACCES, EPERM: why = denial(FilePath(error.path))
        default: why = .failed(error.reasonText)
        }
        return .stateNotUsable(path: error.path, why: why)
    }

    private static func denial(_ path: FilePath) -> Unusable {
        if (try? FileStatus.isFrozen(path)) == true { return .frozen }
        return .denied(owner: (try? FileStatus.of(path))?.owner, user: geteuid(), group: getegid())
    }

    /// Why a part of the backup folder cannot be used, although the folder can.
    package enum Unusable: Sendable, Equatable {
        /// A finished backup cannot be renamed from there into the folder.
        case otherMount(than: String)
        /// A folder where a file of ours must be, or the other way round.
        case otherKind
        /// `chattr +i` or `+a`.
        case frozen
        case denied(owner: UInt32?, user: UInt32, group: UInt32)
        case failed(BilingualText)
    }

    /// Of `stateNotUsable`.
    static func explanation(ofUnusable path: String, _ why: Unusable) -> BilingualText {
        switch why {
        case .otherMount(let folder):
            BilingualText(
                zh: "\(path) 与备份目录 \(folder) 不在同一个挂载（或 btrfs 子卷）上：写好的备份无法从那里改名移入，因此每次备份都会失败。"
                    + "请卸载它、移除该链接或子卷，使其成为 \(folder) 中的普通目录。",
                en:
                    "\(path) is not on the mount, or in the subvolume (btrfs), of the backup folder \(folder): no finished backup could be renamed "
                    + "from the one to the other, so that each would fail. Unmount it, or take the link or the subvolume away, so that it is "
                    + "a plain folder in \(folder)."
            )
        case .otherKind:
            BilingualText(
                zh: "\(path) 不是本服务所需的文件或目录，操作无法进行。请将其移走，本服务会重新创建。",
                en:
                    "\(path) is not the kind of thing (file, folder) that the backup service has there, so that it cannot work. "
                    + "Move it away; it is made anew.")
        case .frozen:
            BilingualText(
                zh: "\(path) 带有不可修改或只能追加的属性（lsattr），操作无法进行。请以 root 执行：chattr -i -a \(path.shellQuoted)",
                en:
                    "\(path) is immutable or append-only (lsattr), so that the backup service cannot work. As root run: chattr -i -a \(path.shellQuoted)"
            )
        case .denied(let owner, let user, let group):
            BilingualText(
                zh: "\(path)\(owner.map { " 属于用户 \($0)，" } ?? " ")不允许运行备份服务的用户 \(user) 使用，操作无法进行。"
                    + "请以 root 执行：\(giving(path, to: "\(user):\(group)"))",
                en:
                    "\(path)\(owner.map { " is user \($0)'s and" } ?? "") does not let user \(user) look or write into it, as which the backup service "
                    + "runs, so that it cannot work. As root run: \(giving(path, to: "\(user):\(group)"))")
        case .failed(let reason):
            BilingualText(
                zh: "备份目录中的 \(path) 不可用（\(reason.chinese)），操作无法进行。",
                en:
                    "\(path) in the backup folder cannot be used (\(reason.english)), so that the backup service cannot work."
            )
        }
    }

    /// Among the artifacts what restores kept, or made ready, may be other names of live files, and is MLflow's: there only our own folders and
    /// records are given away, and of the rest the folders, by which their files can be removed.
    private static func giving(_ path: String, to user: String) -> String {
        let parts = path.split(separator: "/")
        guard let own = parts.firstIndex(of: Substring(ArtifactSwap.folderName)) else {
            return "chown -R \(user) \(path.shellQuoted)"
        }
        if own + 2 < parts.count {
            return givingFolders("/" + parts[...(own + 1)].joined(separator: "/"), to: user)
        }
        if own + 2 == parts.count {
            let quoted = path.shellQuoted
            return "find \(quoted) '(' -type d -o -samefile \(quoted) ')' -execdir chown -h \(user) '{}' +"
        }
        return "find \(path.shellQuoted) -maxdepth 2 -execdir chown -h \(user) '{}' +"
    }

    /// By `-execdir` and `-h`, since whoever owns a folder in it may put a link in the place of what find has seen.
    static func givingFolders(_ path: String, to user: String) -> String {
        "find \(path.shellQuoted) -type d -execdir chown -h \(user) '{}' +"
    }

    /// Why an artifacts folder may be the place where one belongs, and not that one.
    package enum Emptied: Sendable, Equatable {
        /// It is empty, and had files and a mark when it was backed up.
        case empty
        /// It has files, and not the mark with which it was backed up.
        case unmarked
        /// It has the mark of another folder than the one that has its name in backups.
        case another(name: String)
        /// It is empty and was never backed up, nor has the backup folder anything in it; and yet the database speaks of files so often.
        case neverSeen(files: Int64, folder: String)
    }

    /// Of `artifactsEmptied`.
    static func explanation(ofEmptied path: String, _ why: Emptied) -> BilingualText {
        switch why {
        case .empty:
            BilingualText(
                zh: "artifacts 目录 \(path) 是空的，而备份时其中有内容和标记。请检查其磁盘是否已挂载；确实要恢复到空目录时，请先运行 mlflow-backup claim。",
                en:
                    "The artifacts folder \(path) is empty, and had files and a mark when it was backed up. Check that its disk is "
                    + "mounted; to restore into an empty folder on purpose, run `mlflow-backup claim` first.")
        case .another(let name):
            BilingualText(
                zh: "artifacts 目录 \(name)（\(path)）不是以此名称备份的那一个：请检查 ARTIFACT_ROOTS 中的名称是否写反，以及磁盘是否挂载正确；"
                    + "确实要改用此目录时，请先运行 mlflow-backup claim。",
                en:
                    "The artifacts folder \(name) (\(path)) is not the one that was backed up by that name: check that the names in ARTIFACT_ROOTS "
                    + "are not the wrong way round, and that the right disk is mounted; to use this folder on purpose, run "
                    + "`mlflow-backup claim` first.")
        case .unmarked:
            BilingualText(
                zh:
                    "artifacts 目录 \(path) 中没有备份时的标记，可能是磁盘未挂载时在挂载点中写下的内容。请检查其磁盘是否已挂载；确实要恢复到此目录时，请先运行 mlflow-backup claim。",
                en:
                    "The artifacts folder \(path) has no mark, which it had when it was backed up: what is in it may have been written into the "
                    + "place of a disk that is not mounted. Check that; to restore into this folder on purpose, run "
                    + "`mlflow-backup claim` first, which moves away whatever else has the name of the mark, .mlflow-backup-stack."
            )
        case .neverSeen(let files, let folder):
            BilingualText(
                zh: "artifacts 目录 \(path) 是空的，备份目录 \(folder) 中也没有任何内容，而数据库中有 \(files) 处记录指向已存储的文件：磁盘可能都没有挂载。"
                    + "请检查挂载、ARTIFACTS_DIR 和 BACKUP_DIR；若这些文件本来就在别处，请运行一次 mlflow-backup claim。",
                en:
                    "The artifacts folder \(path) is empty and there is nothing in the backup folder \(folder), and yet the database speaks of "
                    + "stored files \(files) times: perhaps neither disk is mounted. Check the mounts, ARTIFACTS_DIR and BACKUP_DIR; if "
                    + "those files lie elsewhere, run `mlflow-backup claim` once.")
        }
    }
}
