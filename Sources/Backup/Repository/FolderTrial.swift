// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Does in small what a backup does in its folder, and leaves nothing: a file is made where archives are written, renamed into the
/// folder, renamed there as sidecars are, and removed. Only an attempt tells of a mount below the folder, of an attribute, or of a
/// rule that a server has.
struct FolderTrial {
    private static let questions = Questions<Bool>()

    private let folder: BackupFolder

    init(_ folder: BackupFolder) { self.folder = folder }

    /// - Parameter seconds: how long to wait for an answer.
    /// - Throws: `BackupError.folderSilent`, `.stateNotUsable`; `SystemError` where nobody can look.
    func run(atMost seconds: Double) throws {
        try refuseOtherKinds()
        let reply = Self.questions.of(folder.path).ask(atMost: seconds) { [self] () throws(SystemError) in
            try attempt()
            return true
        }
        switch reply {
        case .answered: return
        case .silent: throw BackupError.folderSilent(path: folder.path.string)
        case .failed(let error):
            // Room is another check's. What is in the staging folder is cleared by whoever begins meanwhile.
            if !error.isFull, !error.isNotFound { throw BackupError.unusable(error, in: folder) }
        }
    }

    /// What has a name of ours and is something else, or is closed, stops every operation.
    /// - Throws: `BackupError.stateNotUsable`.
    func refuseOtherKinds() throws {
        if let lock = try FileStatus.ifPresent(folder.lock), lock.kind != .file {
            throw BackupError.stateNotUsable(path: folder.lock.string, why: .otherKind)
        }
        for path in [folder.state, folder.staging] where try FileStatus.ifPresent(path) != nil {
            do throws(SystemError) { _ = try OpenFile(path, .directoryThroughLink) } catch {
                throw BackupError.unusable(error, in: folder)
            }
        }
    }

    private func attempt() throws(SystemError) {
        let place = try nearest()
        let first = place.appending(FileSystemProbe.newName(FileSystemProbe.hiddenPrefix))
        let second = folder.path.appending(first.lastComponent)
        let last = folder.path.appending(FileSystemProbe.newName(FileSystemProbe.hiddenPrefix))
        do throws(SystemError) {
            // A killed one shows by its name that its process is dead (`PartialFile`).
            _ = try OpenFile(first, .createNew(mode: 0o600))
            if place != folder.path { try Directory.renameWithoutReplacing(first, to: second) }
            try Directory.rename(second, to: last)
            try Directory.remove(last)
        } catch {
            // The failure above is what the caller needs to hear.
            for path in [first, second, last] { _ = path.withCString { unlink($0) } }
            let shown = error.path == first.string ? place : folder.path
            throw SystemError(error.operation, path: shown.string, code: error.code)
        }
    }

    /// Where archives are written, or where that folder will be made.
    private func nearest() throws(SystemError) -> FilePath {
        for path in [folder.staging, folder.state] where try FileStatus.ifPresent(path) != nil { return path }
        return folder.path
    }
}

extension BackupFolder {
    /// What `prepare` would say, without making anything.
    /// - Throws: `BackupError.folderNotUsable`.
    func checkCanBePrepared() throws {
        // A name of a dump lies deeper, and pg_dump is given it as a whole (limits.h, PATH_MAX).
        guard path.bytes.count <= Self.longest else {
            throw BackupError.folderNotUsable(
                path: path.string, reason: SystemError("make", path: path.string, code: ENAMETOOLONG).reasonText)
        }
        guard try FileStatus.ifPresent(path) == nil else {
            if let reason = unusableReason { throw BackupError.folderNotUsable(path: path.string, reason: reason) }
            return
        }
        let above = path.nearestThere
        if let refused = Directory.writeRefusal(above) {
            throw BackupError.folderNotUsable(
                path: path.string,
                reason: BilingualText(zh: "\(above)：\(refused.reasonText.chinese)", en: "\(above): \(refused.reason)"))
        }
    }

    /// Bytes of a path beyond which what is made below it has no path any more.
    private static let longest = 3800
}
