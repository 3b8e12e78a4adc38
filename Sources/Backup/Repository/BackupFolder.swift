// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// BACKUP_DIR: the backups themselves, and one hidden folder of ours beside them.
public struct BackupFolder: Sendable {
    public let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    /// Everything of ours that is not a backup. Losing it loses nothing: the backups describe themselves.
    public var state: FilePath { path.appending(".mlflow-backup") }
    public var lock: FilePath { state.appending("lock") }
    public var staging: FilePath { state.appending("staging") }
    public var restoreJournal: FilePath { state.appending("restore-journal.json") }

    /// Makes the folders. - Throws: `BackupError.folderNotUsable`.
    public func prepare() throws {
        do throws(SystemError) {
            try Directory.make(path, mode: 0o750)
            try Directory.make(state, mode: 0o750)
        } catch {
            throw BackupError.folderNotUsable(path: path.string, reason: error.reason)
        }
        if let reason = unusableReason { throw BackupError.folderNotUsable(path: path.string, reason: reason) }
    }

    /// Why nothing can be written here; `nil` where all is well.
    public var unusableReason: String? {
        do throws(SystemError) {
            guard try FileStatus.ifPresent(path) != nil else { return "it does not exist" }
        } catch { return error.reason }
        return Directory.isWritable(path) ? nil : "it is not writable"
    }

    /// Removes what an interrupted run left: everything is written in the staging folder first, and sidecars under
    /// a partial name. Call it under the operation lock only.
    /// - Returns: the names that were removed, for the log.
    public func removeLeftovers() throws -> [String] {
        var removed: [String] = []
        for bytes in try Directory.names(in: path) {
            let name = String(decoding: bytes, as: UTF8.self)
            guard name.hasSuffix(DurableFile.partialSuffix), name.contains(BackupName.sidecarSuffix + ".") else {
                continue
            }
            try Directory.remove(path.appending(bytes))
            removed.append(name)
        }
        for bytes in try FileStatus.ifPresent(staging) == nil ? [] : Directory.names(in: staging) {
            try Directory.removeTree(staging.appending(bytes))
            removed.append("staging/" + String(decoding: bytes, as: UTF8.self))
        }
        try Directory.make(staging, mode: 0o700)
        return removed
    }
}
