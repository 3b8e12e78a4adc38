// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Why nothing can be written into a backup folder that can be read: a disk that is mounted read-only, an image, a folder of
/// another user. One restores from such folders, and makes no backups into them. See docs/ground.md.
package struct WriteProtection: Sendable, Equatable {
    /// What refuses: the folder, our own one in it, or the lock file there.
    package let path: String
    /// EROFS, EACCES or EPERM.
    let code: Int32
    let folder: FilePath

    /// Whether the kernel, or somebody, made the file system read-only while it was mounted to be written to: no media that are
    /// meant to be so.
    var isByError: Bool { code == EROFS && (try? Ground(folder))?.mount?.wasMadeReadOnly == true }

    /// Part of a sentence.
    package var reason: BilingualText {
        switch code {
        case EROFS where isByError:
            BilingualText(
                zh: "\(path) 所在的文件系统以可写方式挂载，现在却是只读的：可能是磁盘出错后由内核所改，请查看内核日志（dmesg）",
                en:
                    "the file system of \(path) is read-only although it is mounted to be written to, as the kernel makes it after an error "
                    + "of the disk: look at the kernel's log (dmesg)")
        case EROFS: BilingualText(zh: "\(path) 所在的文件系统是只读的", en: "the file system of \(path) is read-only")
        case EPERM:
            BilingualText(
                zh: "\(path) 不允许更改，可能设有不可变或只能追加的属性，见 lsattr",
                en: "\(path) may not be changed, perhaps it is immutable or append-only: see lsattr")
        default:
            BilingualText(
                zh: "用户 \(geteuid()) 没有 \(path) 的写权限；若它本应属于该用户，请以 root 执行：\(owning)",
                en:
                    "the user \(geteuid()) may not write into \(path); where it is meant to be that user's, run as root: \(owning)"
            )
        }
    }

    /// As where root once ran a command in a folder of the service's.
    private var owning: String { "chown -R \(geteuid()):\(getegid()) \(path.shellQuoted)" }
}

extension BackupFolder {
    /// `nil` where it can be written to, and where it is not there or cannot be read, which others say in their own words. Found
    /// by asking the kernel, and by opening the lock file as every operation does: of some mounts only that tells.
    package var writeProtection: WriteProtection? {
        guard Directory.readRefusal(path) == nil, let refusal, refusal.isDenied else { return nil }
        return WriteProtection(path: refusal.path, code: refusal.code, folder: path)
    }

    private var refusal: SystemError? {
        if let refused = Directory.writeRefusal(path) { return refused }
        do throws(SystemError) {
            // What can only be added to keeps each partial file for ever, and no sidecar gets its name.
            if let frozen = try refusalOfFrozen(path) { return frozen }
            guard try FileStatus.ifPresent(state) != nil else { return try tryingItself() }
            // What is no folder is in the way of everything, which says so.
            _ = try OpenFile(state, .directoryThroughLink)
            if let refused = Directory.writeRefusal(state) { return refused }
            if let frozen = try refusalOfFrozen(state) { return frozen }
            if try FileStatus.ifPresent(lock) != nil { _ = try OpenFile(lock, .readWrite(create: 0o644)) }
            return nil
        } catch { return error }
    }

    /// - Parameter folder: one that is there, behind a link perhaps.
    private func refusalOfFrozen(_ folder: FilePath) throws(SystemError) -> SystemError? {
        let real = try folder.resolved()
        return try FileStatus.isFrozen(real) ? SystemError("write into", path: folder.string, code: EPERM) : nil
    }

    /// In one that was never used there is nothing of ours to open.
    private func tryingItself() throws(SystemError) -> SystemError? {
        let probe = path.appending(FileSystemProbe.newName(FileSystemProbe.hiddenPrefix))
        try Directory.makeNew(probe, mode: 0o700)
        try Directory.removeEmpty(probe)
        return nil
    }

    /// For an operation that writes into it.
    /// - Throws: `BackupError.writeProtected`.
    package func refuseWriteProtected() throws {
        guard let protection = writeProtection else { return }
        throw BackupError.writeProtected(path: path.string, reason: protection.reason)
    }
}
