// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

extension Catalogue {
    /// Copies an archive from elsewhere into the folder, where it is listed as unverified. A file that is in the
    /// folder already is only named, and so is an uncompressed backup, which is not copied.
    /// - Throws: `BackupError.noSuchBackup`, `.folderElsewhere`, `ArchiveError.notABackup` for a name that is no archive's, `SystemError`.
    package func adopt(_ source: FilePath) throws -> BackupName {
        if let status = try FileStatus.ifPresent(source), status.kind == .directory {
            return try nameOfFolder(source, status)
        }
        guard let name = BackupName(String(decoding: source.lastComponent, as: UTF8.self)), name.isArchive else {
            throw ArchiveError.notABackup(
                archive: source.string, reason: .init(zh: "名称不以 .tar.gz 结尾", en: "its name does not end in .tar.gz"))
        }
        let file: OpenFile
        do { file = try OpenFile(source, .readNoFollow) } catch {
            if error.isNotFound { throw BackupError.noSuchBackup(name: source.string) }
            throw error
        }
        let incoming = try file.status()
        let target = folder.path.appending(name.string)
        if let present = try FileStatus.ifPresent(target) {
            if present.inode == incoming.inode, present.device == incoming.device { return name }
            // The same archive copied twice is one archive; a different one must not take its name.
            guard present.size == incoming.size,
                try StoredFileVerifier.digest(of: target).digest == StoredFileVerifier.digest(of: source).digest
            else { throw SystemError("adopt", path: target.string, code: EEXIST) }
            return name
        }
        let space = try DiskSpace.at(folder.path)
        guard space.available > incoming.size else {
            throw BackupError.lackingRoom(path: folder.path.string, needed: incoming.size, available: space.available)
        }
        // A name of its own in the staging folder: no lock is held, and another adoption may run.
        try Directory.makeInherited(folder.state, mode: 0o750)
        let partial = folder.state.appending(
            "\(Self.adoptionPrefix)\(getpid())-\(name.string)" + DurableFile.partialSuffix)
        try Directory.removeTree(partial)
        let claimed = try claim(partial)
        do {
            try copy(file, to: claimed)
            try DurableFile.publish(partial, as: target)
            withExtendedLifetime(claimed) {}
        } catch {
            try Directory.removeTree(partial)
            throw error
        }
        return name
    }

    private func nameOfFolder(_ source: FilePath, _ status: FileStatus) throws -> BackupName {
        for item in try items() where item.kind == .uncompressed {
            guard let found = try FileStatus.ifPresent(item.path), found.inode == status.inode else { continue }
            if found.device == status.device { return item.name }
        }
        throw BackupError.folderElsewhere(path: source.string, folder: folder.path.string)
    }

    /// What is being copied, in the state folder.
    static var adoptionPrefix: String { "adopt-" }

    /// Whoever clears leftovers sees by the lock that this one is in use. Between making and locking it, it could go.
    private func claim(_ partial: FilePath) throws -> OpenFile {
        for _ in 0..<10 {
            let file = try OpenFile.makeInherited(partial, mode: 0o640)
            while try !AdvisoryLock.tryLock(file) { usleep(1000) }
            if try FileStatus.ifPresent(partial)?.inode == file.status().inode { return file }
        }
        throw SystemError("adopt", path: partial.string, code: EAGAIN)
    }

    private func copy(_ source: OpenFile, to target: OpenFile) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let got = try source.read(into: buffer)
            if got == 0 { break }
            try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
        }
        try target.sync()
    }
}
