// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What the file system of the backup folder can do for us: it decides which type of backup saves room from day to day.
public struct FolderStorage: Sendable {
    /// As `df -T` names it: `ext4`, `xfs`, `btrfs`.
    public let fileSystem: String
    /// Whether files can share blocks (reflinks).
    public let sharesBlocks: Bool

    /// - Throws: `SystemError` where the folder is not there.
    public init(_ folder: BackupFolder) throws(SystemError) {
        fileSystem = try FileSystem.type(holding: folder.path)
        sharesBlocks = FileSystem.sharesBlocks(in: folder.path)
    }

    public var advice: BilingualText {
        if sharesBlocks {
            return BilingualText(
                zh: "备份目录在 \(fileSystem) 上：两种备份都与上一个备份共享未改变的数据块，每天只占用改变的部分。",
                en:
                    "The backup folder is on \(fileSystem): backups of both types share unchanged blocks with the one before, and a day takes the room of what changed."
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
}
