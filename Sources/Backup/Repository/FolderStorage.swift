// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// What the file system of the backup folder can do for us: it decides which type of backup saves room from day to day.
package struct FolderStorage: Sendable {
    /// As `df -T` names it: `ext4`, `xfs`, `fuse.sshfs`.
    package let fileSystem: String
    /// Whether files can share blocks (reflinks).
    package let sharesBlocks: Bool
    /// What it cannot do, and what is done in a slower way, or said where it is met.
    package let lacking: [Abilities.Ability]
    private let hasLinks: Bool

    /// - Throws: `SystemError` where the folder is not there; ETIMEDOUT where it does not answer.
    package init(_ folder: BackupFolder) throws(SystemError) {
        if case .silent = FolderPulse.look(at: folder.path) {
            throw SystemError("look at", path: folder.path.string, code: ETIMEDOUT)
        }
        _ = try FileStatus.of(folder.path)
        fileSystem = try Ground(folder.path).type
        guard let abilities = Abilities.known(of: folder.state) else {
            sharesBlocks = FileSystem.sharesBlocks(in: folder.path)
            (lacking, hasLinks) = ([], true)
            return
        }
        sharesBlocks = abilities.has.contains(.sharedBlocks)
        hasLinks = abilities.has.contains(.hardLinks)
        // That blocks are not shared is said in its own words.
        lacking = abilities.lacking().filter { $0 != .sharedBlocks }
    }

    package var advice: BilingualText { sharing + limits }

    private var sharing: BilingualText {
        if sharesBlocks {
            return BilingualText(
                zh: "备份目录在 \(fileSystem) 上：两种备份都与上一个备份共享未改变的数据块，每天只占用改变的部分。",
                en:
                    "The backup folder is on \(fileSystem): backups of both types share unchanged blocks with the one before, and a day takes the room of what changed."
            )
        }
        guard hasLinks else {
            return BilingualText(
                zh: "备份目录在 \(fileSystem) 上，既不能共享数据块，也没有硬链接：每个备份都占用其全部空间。要节省空间，请用 xfs 或 btrfs。",
                en:
                    "The backup folder is on \(fileSystem), which neither shares blocks nor has hard links: each backup takes all of its room. To save room use xfs or btrfs."
            )
        }
        return BilingualText(
            zh: "备份目录在 \(fileSystem) 上，不能共享数据块：压缩备份复制未改变的部分（省 CPU，不省空间）；"
                + "未压缩备份用硬链接共享未改变的文件。要让压缩备份也省空间，请用 xfs 或 btrfs。",
            en:
                "The backup folder is on \(fileSystem), which shares no blocks: compressed backups copy what did not change (saving time, not room); "
                + "uncompressed ones share unchanged files by hard links. For compressed backups that save room, too, use xfs or btrfs."
        )
    }

    private var limits: BilingualText {
        guard !lacking.isEmpty else { return BilingualText.empty }
        return BilingualText(
            zh: "该文件系统没有：\(lacking.words.chinese)（备份改用同样安全的方式）。",
            en: " It has no \(lacking.words.english); backups are made in other ways that are as safe.")
    }
}
