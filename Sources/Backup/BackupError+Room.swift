// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension BackupError {
    /// In words, where there is too little room.
    var roomExplanation: BilingualText {
        switch self {
        case .notEnoughRoom(let path, let needed, let available, let kept):
            let (most, free) = HumanUnits.sizes(needed: needed, available: available)
            return BilingualText(
                zh: "\(path) 空间不足：需要约 \(most)，可用 \(free)。请释放空间或删除旧备份。",
                en:
                    "\(path) has not enough room: about \(most) needed, \(free) available. Free some room or delete old backups."
            )
                + Self.forgetting(kept)
        case .notEnoughFiles(let path, let needed, let available):
            return BilingualText(
                zh: "\(path) 所在的文件系统无法再容纳那么多文件：需要 \(needed) 个 inode，可用 \(available) 个（df -i）。请删除不需要的文件或旧备份。",
                en:
                    "The file system of \(path) can hold no more files: \(needed) inodes needed, \(available) available (df -i). Remove "
                    + "files that nobody needs, or old backups.")
        default: return BilingualText.empty
        }
    }

    /// What does not fit needs more than there is, whatever either number is an estimate of.
    static func lackingRoom(path: String, needed: UInt64, available: UInt64, kept: [String] = []) -> BackupError {
        .notEnoughRoom(path: path, needed: max(needed, available.adding(clamped: 1)), available: available, kept: kept)
    }
}
