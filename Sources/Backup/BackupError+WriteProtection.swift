// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupError {
    /// Of what a write-protected backup folder does not allow.
    var writeProtectionExplanation: BilingualText {
        switch self {
        case .writeProtected(let path, let reason):
            BilingualText(
                zh: "备份目录 \(path) 只能读（\(reason.chinese)），因此未做任何更改：不能创建、删除、接管或标记备份。"
                    + "列出、校验、查看、下载和恢复仍可进行。请使该目录可写（例如重新挂载），或把 BACKUP_DIR 设为可写的目录。",
                en:
                    "The backup folder \(path) can only be read (\(reason.english)), so nothing was changed: no backup can be made, removed, "
                    + "taken over or marked there. Listing, verifying, looking into, downloading and restoring work. Make the folder "
                    + "writable, as by mounting it again, or set BACKUP_DIR to one that is.")
        case .noPlaceForBackup(let path, let reason):
            BilingualText(
                zh: "强制覆盖前会先备份现有数据，而备份目录 \(path) 只能读（\(reason.chinese)），因此没有位置存放；未做任何更改。"
                    + "被替换的数据仍会保留，可以撤销。",
                en:
                    "What is forced begins with a backup of what is live, for which there is no place: the backup folder \(path) can only "
                    + "be read (\(reason.english)). Nothing was changed. What is replaced is kept in any case, for an undo."
            )
        default: BilingualText.empty
        }
    }
}
