// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupError {
    /// Why what lies directly in the artifacts folder cannot be moved.
    package enum Immovable: Sendable, Equatable {
        /// `chattr +i` or `+a`.
        case frozen
        /// A read-only snapshot of btrfs, or a subvolume that was made read-only.
        case snapshot
        /// The folder's sticky bit lets only the owner of a thing move it.
        case sticky(folder: String)
        /// The artifacts folder itself does not let this user make or move names in it.
        case folderNotWritable(owner: UInt32, user: UInt32, group: UInt32)
        /// Nor does that of what a restore kept.
        case keptNotWritable(user: UInt32, group: UInt32)
    }

    /// Of `notMovable`.
    static func explanation(ofNotMoving path: String, _ count: Int, _ reason: Immovable) -> BilingualText {
        switch reason {
        case .frozen:
            BilingualText(
                zh:
                    "\(count) 个条目（例如 \(path.shown)）带有不可修改或只能追加的属性（lsattr），恢复时无法移动。请以 root 执行：chattr -i -a \(path.shellQuoted)",
                en:
                    "\(count) entries, such as \(path.shown), are immutable or append-only (lsattr), so that a restore cannot move them. "
                    + "As root run: chattr -i -a \(path.shellQuoted)")
        case .snapshot:
            BilingualText(
                zh:
                    "\(count) 个文件夹（例如 \(path.shown)）是 btrfs 的只读快照，恢复时无法移动。请移出 artifacts 目录，或以 root 执行："
                    + "btrfs property set -ts \(path.shellQuoted) ro false",
                en:
                    "\(count) folders, such as \(path.shown), are read-only snapshots of btrfs, which a restore cannot move. Move them out of the "
                    + "artifacts folder, or as root run: btrfs property set -ts \(path.shellQuoted) ro false")
        case .sticky(let folder):
            BilingualText(
                zh:
                    "\(count) 个条目（例如 \(path.shown)）属于其他用户，而 \(folder) 带有粘滞位（sticky），恢复时无法移动它们。请以 root 执行：chmod -t \(folder.shellQuoted)",
                en:
                    "\(count) entries, such as \(path.shown), are another user's, and the sticky bit of \(folder) does not let this user move "
                    + "them, which a restore has to. As root run: chmod -t \(folder.shellQuoted)")
        case .folderNotWritable(let owner, let user, let group):
            BilingualText(
                zh: "artifacts 目录 \(path) 属于用户 \(owner)，运行备份服务的用户不能在其中写入，因此无法恢复。请以用户 \(owner) 或 root 运行恢复，"
                    + "或以 root 执行：chown -R \(user):\(group) \(path.shellQuoted)",
                en:
                    "The artifacts folder \(path) is user \(owner)'s and does not let this user write into it, which a restore has to. "
                    + "Run the restore as user \(owner) or as root, or as root run: chown -R \(user):\(group) \(path.shellQuoted)"
            )
        case .keptNotWritable(let user, let group):
            BilingualText(
                zh: "恢复所保留的数据所在的文件夹 \(path) 不允许运行备份服务的用户写入，因此无法撤销。请以 root 执行："
                    + "chown \(user):\(group) \(path.shellQuoted) && chmod 700 \(path.shellQuoted)",
                en:
                    "The folder \(path) of what a restore kept does not let this user write into it, which an undo has to. As root run: "
                    + "chown \(user):\(group) \(path.shellQuoted) && chmod 700 \(path.shellQuoted)")
        }
    }

    /// Of `artifactsOutOfReach`. Whatever else lies in that folder is no business of this user's.
    static func explanation(ofClosed path: String, _ user: UInt32) -> BilingualText {
        BilingualText(
            zh: "artifacts 目录在 \(path) 之下，而该目录不允许运行备份服务的用户 \(user) 进入，备份和文件的恢复会因此失败。请以 root 执行："
                + "setfacl -m u:\(user):x \(path.shellQuoted)",
            en:
                "The artifacts lie below \(path), which does not let user \(user) through, as which the backup runs, so that a backup, or a "
                + "restore of files, would fail. As root run: setfacl -m u:\(user):x \(path.shellQuoted)")
    }

    /// Of `artifactsUnreadable`.
    static func explanation(
        ofUnreadable path: String, _ count: Int, _ isAll: Bool, _ user: UInt32, _ group: UInt32
    ) -> BilingualText {
        BilingualText(
            zh:
                "\(isAll ? "" : "至少 ")\(count) 个文件或文件夹（例如 \(path.shown)）不允许运行备份服务的用户 \(user) 读取，备份和文件的恢复会因此失败。请以 root 执行："
                + "setfacl -R -m u:\(user):rX \(path.shellQuoted)，或 chown -R \(user):\(group) \(path.shellQuoted)",
            en:
                "\(isAll ? "" : "At least ")\(count) files or folders, such as \(path.shown), may not be read by user \(user), as which the backup runs, "
                + "so that a backup, or a restore of files, would fail. As root run: setfacl -R -m u:\(user):rX \(path.shellQuoted), or: chown -R \(user):\(group) \(path.shellQuoted)"
        )
    }
}
