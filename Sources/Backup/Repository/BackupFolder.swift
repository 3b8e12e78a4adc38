// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

/// BACKUP_DIR: the backups themselves, and one hidden folder of ours beside them.
package struct BackupFolder: Sendable {
    package let path: FilePath

    package init(_ path: FilePath) { self.path = path }

    /// Everything of ours that is not a backup. Losing it loses no backup, for they describe themselves, but tasks, claims, mails that
    /// wait, and the records of restores.
    package var state: FilePath { path.appending(".mlflow-backup") }
    package var lock: FilePath { state.appending("lock") }

    /// Whether an operation is at work here, of whatever machine or container. For who only looks: it may have ended since.
    package var isLocked: Bool {
        do { return try FileStatus.ifPresent(lock) != nil && AdvisoryLock.tryShared(lock) == nil } catch {
            return false
        }
    }
    package var staging: FilePath { state.appending("staging") }
    package var restoreJournal: FilePath { state.appending(Self.restoreJournalName) }
    /// Of 0.1.0.
    static let restoreJournalName = "restore-journal.json"

    /// Makes the folders. - Throws: `BackupError.folderNotUsable`.
    package func prepare() throws {
        do throws(SystemError) {
            try Directory.make(path, mode: 0o750)
            try Directory.makeInherited(state, mode: 0o750)
        } catch {
            if error.path == state.string, error.isOfAnotherKind { throw BackupError.unusable(error, in: self) }
            throw BackupError.folderNotUsable(path: path.string, reason: leadingNowhere ?? error.reasonText)
        }
        if let reason = unusableReason { throw BackupError.folderNotUsable(path: path.string, reason: reason) }
    }

    /// Why nothing can be written here; `nil` where all is well.
    package var unusableReason: BilingualText? {
        do throws(SystemError) {
            guard try FileStatus.ifPresent(path) != nil else {
                return BilingualText(zh: "它不存在", en: "it does not exist")
            }
        } catch { return error.reasonText }
        if let leadingNowhere { return leadingNowhere }
        return Directory.isWritable(path) ? nil : BilingualText(zh: "不可写", en: "it is not writable")
    }

    /// - Throws: `BackupError.folderNotUsable` for a link that leads to nothing: it is not made there.
    func refuseDeadLink() throws {
        if let reason = leadingNowhere { throw BackupError.folderNotUsable(path: path.string, reason: reason) }
    }

    /// Of a link in its place, or in that of the state folder, that leads to nothing or in a circle.
    private var leadingNowhere: BilingualText? {
        for path in [path, state] {
            guard let target = path.linkTarget else { continue }
            do throws(SystemError) { _ = try path.resolved() } catch {
                return BilingualText(
                    zh: "它是指向 \(target) 的链接：\(error.reasonText.chinese)",
                    en: "it is a link to \(target): \(error.reason)")
            }
        }
        return nil
    }

    /// Removes what an interrupted run left: everything is written in the staging folder first, and small files under a
    /// partial name. Call it under the operation lock only.
    /// - Parameter stuck: told of what cannot be removed. It stops nobody.
    /// - Returns: the names that were removed, for the log.
    package func removeLeftovers(stuck: (String, SystemError) -> Void = { _, _ in }) throws -> [String] {
        var removed: [String] = []
        func remove(_ path: FilePath, _ name: String) {
            do throws(SystemError) {
                try Directory.removeTree(path)
                removed.append(name)
            } catch { if !error.isNotFound { stuck(name, error) } }
        }
        for bytes in try Directory.names(in: path) {
            let name = String(decoding: bytes, as: UTF8.self)
            if isSidecarAlone(name) { remove(path.appending(bytes), name) }
            if name.hasPrefix(FileSystemProbe.hiddenPrefix) {
                PartialFile(name)?.whereDead(path.appending(bytes)) { remove($0, name) }
            }
            guard name.hasSuffix(DurableFile.partialSuffix), name.contains(BackupName.sidecarSuffix + ".") else {
                continue
            }
            remove(path.appending(bytes), name)
        }
        for bytes in try Directory.names(in: state) {
            let name = String(decoding: bytes, as: UTF8.self)
            PartialFile(name)?.whereDead(state.appending(bytes)) { remove($0, name) }
        }
        for bytes in try leftInStaging() {
            remove(staging.appending(bytes), "staging/" + String(decoding: bytes, as: UTF8.self))
        }
        try Directory.makeInherited(staging, mode: 0o700)
        return removed
    }

    /// Whether it is the sidecar of a backup of ours that is gone: a removal was killed between the two.
    private func isSidecarAlone(_ name: String) -> Bool {
        guard name.hasPrefix(BackupName.prefix), name.hasSuffix(BackupName.sidecarSuffix),
            let backup = BackupName(String(name.dropLast(BackupName.sidecarSuffix.count))), backup.time != nil,
            (try? FileStatus.ifPresent(path.appending(backup.string))) == .some(nil)
        else { return false }
        return SidecarFile(of: backup, in: self).sidecar != nil
    }

    /// What lies in the staging folder: between two operations only what could not be removed.
    func leftInStaging() throws(SystemError) -> [[UInt8]] {
        try FileStatus.ifPresent(staging) == nil ? [] : Directory.names(in: staging)
    }
}
