// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The backups in a folder. It reads what is there each time: the folder is the truth, not a memory of it.
package struct Catalogue: Sendable {
    package let folder: BackupFolder

    /// Where the mark lies that knows whether the folder was used.
    private let artifacts: FilePath?

    /// - Parameter artifacts: the artifacts folder of the stack that uses the folder, for who has not prepared it: one that
    ///   was used and is empty is an error then, and no empty list.
    package init(_ folder: BackupFolder, usedBy artifacts: FilePath? = nil) {
        self.folder = folder
        self.artifacts = artifacts
    }

    /// Newest first.
    /// - Throws: `BackupError.folderNotUsable` where the folder cannot be read, `.folderVanished`.
    package func items() throws -> [CatalogueItem] { try items(item) }

    /// - Parameter look: gives what a name stands for now.
    func items(_ look: (BackupName) -> CatalogueItem?) throws -> [CatalogueItem] {
        if let artifacts { try folder.refuseVanished(usedBy: artifacts) }
        let names: [[UInt8]]
        do throws(SystemError) { names = try Directory.names(in: folder.path) } catch {
            throw BackupError.folderNotUsable(path: folder.path.string, reason: error.reasonText)
        }
        let items = names.compactMap { bytes -> CatalogueItem? in
            guard let text = String(validating: bytes, as: UTF8.self), let name = BackupName(text) else { return nil }
            return look(name)
        }
        return items.sorted { ($0.created, $0.name.string) > ($1.created, $1.name.string) }
    }

    /// The newest that was verified, still has its size and is not suspicious. One dated in the future was made by a
    /// clock that was ahead, and is newer than nothing.
    package func newestGood(now: LocalTime = .now()) throws -> CatalogueItem? {
        try items().first { $0.status == .completed && $0.created <= now }
    }

    /// The newest of those that were made of a stack here, and not put there by a person or made of another stack: it alone says that no
    /// backup was missed.
    /// - Parameter items: as `items()` lists them.
    package func newestMade(of stack: LiveStack, among items: [CatalogueItem], now: LocalTime) -> CatalogueItem? {
        // Of artifacts that cannot be seen a backup is to be tried all the more.
        let mark = try? ArtifactsMark.read(in: stack.artifacts)?.id
        return items.first { item in
            guard item.status == .completed, item.created <= now, item.sidecar?.adopted != true else { return false }
            guard let maker = item.sidecar?.stack else { return true }
            // Of who has claimed another's backups at worst one more is made.
            guard maker.database == stack.database.name else { return false }
            return maker.artifacts == nil || mark == nil || maker.artifacts == mark
        }
    }

    /// A name is compared with the names that are there; it never becomes part of a path before it is one of them.
    package func item(named name: String) throws -> CatalogueItem {
        guard let found = try items().first(where: { Array($0.name.string.utf8) == Array(name.utf8) }) else {
            throw BackupError.noSuchBackup(
                name: String(name.unicodeScalars.filter { $0.value >= 0x20 }.prefix(100).map(Character.init)))
        }
        return found
    }

    func item(_ name: BackupName) -> CatalogueItem? {
        let path = folder.path.appending(name.string)
        // What vanishes between listing and looking was deleted; it is simply not there.
        guard let status = try? FileStatus.of(path) else { return nil }
        guard let shape = BackupShape(name, path, status, sidecar: SidecarFile(of: name, in: folder)) else {
            return nil
        }
        let kind = shape.kind
        let file = SidecarFile(of: name, in: folder)
        let sidecar = file.sidecar
        let created = LocalTime(
            epoch: BackupDate.listed(name, noted: sidecar?.createdAt) ?? status.modified.seconds)
        var itemStatus = CatalogueItem.Status.unverified
        var reason: BilingualText?
        if let sidecar {
            switch sidecar.status {
            case .completed: itemStatus = .completed
            case .corrupt: itemStatus = .corrupt
            case .suspicious: itemStatus = .suspicious
            }
            reason = itemStatus == .suspicious ? sidecar.suspicion?.text : sidecar.damage
            if kind == .compressed, shape.fault == nil, sidecar.isOfKnownBytes, sidecar.size != status.size {
                itemStatus = .corrupt
                reason = BilingualText(
                    zh: "现有 \(status.size) 字节，校验时为 \(sidecar.size) 字节",
                    en: "it has \(status.size) bytes and was verified with \(sidecar.size)")
            }
        }
        if let fault = shape.fault { (itemStatus, reason) = (.corrupt, fault) }
        let mark = FileMark.listed(path, status)
        // What is in a folder is not looked at: that is for a reading.
        if let told = reason, reason == sidecar?.damage, let noted = sidecar?.readFile, !FileMark.agree(noted, mark) {
            reason = told + BilingualText(zh: "（此后又被改动）", en: " (it was changed since)")
        }
        let fileSize = status.kind == .file ? status.size : 0
        let size = kind == .compressed ? fileSize : sidecar?.size ?? 0
        return CatalogueItem(
            name: name, path: path, kind: kind, size: size, created: created, status: itemStatus, reason: reason,
            sidecar: sidecar, sidecarFault: CatalogueItem.SidecarFault(file), device: status.device,
            inode: status.inode, mark: mark, shapeFault: shape.fault)
    }

    /// Removes a backup. Call it under the operation lock.
    package func remove(_ item: CatalogueItem, log: Log = .silent) throws {
        var marks = HeldMarks(folder, log: log)
        defer { marks.write() }
        try remove(item, &marks)
    }

    /// Removes one of several.
    /// - Parameter marks: to be written after the last of them.
    func remove(_ item: CatalogueItem, _ marks: inout HeldMarks) throws {
        try marks.keeping(item.path) { try removeUnmarked(item) }
    }

    private func removeUnmarked(_ item: CatalogueItem) throws {
        // Renamed first: a folder that is half deleted must not be listed, and the next run clears the staging folder.
        try Directory.makeInherited(folder.staging, mode: 0o700)
        let doomed = folder.staging.appending("removed-" + item.name.string)
        try Directory.removeTree(doomed)
        try Directory.rename(item.path, to: doomed)
        try Directory.sync(folder.path)
        let sidecar = folder.path.appending(item.name.sidecar)
        if try FileStatus.ifPresent(sidecar) != nil { try Directory.remove(sidecar) }
        try Directory.removeTree(doomed)
        try Directory.sync(folder.path)
    }
}
