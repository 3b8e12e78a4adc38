// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

/// Looks are set on the file that both trees share, which costs no room: they are no content, and what was live has them
/// afterwards, too. Bytes, and attributes that somebody wrote, are written anew, under the kept names alone.
extension SharedFiles {
    /// Gives each of these what it had before again. What was written stays the live file; where the live tree has it no more, the kept
    /// name is all that holds it, and it becomes a kept part of its own.
    /// - Parameters:
    ///   - overwritten: afterwards without those that the backup does not give any more.
    ///   - id: of that part.
    ///   - others: identifiers of what a person could let go for room.
    /// - Returns: that part, where one was made.
    /// - Throws: `BackupError.notEnoughRoom` before any byte is written.
    func putRight(
        _ overwritten: inout Overwritten, keepingOrphansAs id: String, others: [String] = []
    ) throws -> KeptPart? {
        // Beside the tree: what a run that was cut short left here is no part of it, and takes room.
        let staging = KeptParts(workspace).folder(of: part.id).appending("right")
        if try FileStatus.ifPresent(staging) != nil { try Directory.removeTree(staging) }
        try checkRoom(for: overwritten, others: others)
        let denied = try setLooks(of: overwritten)
        var written = overwritten.written.merging(denied) { one, _ in one }
        // Where nothing is to be written, nobody need know which backup it was.
        guard !written.isEmpty else { return nil }
        if !denied.isEmpty { try checkRoom(for: written, others) }
        do {
            try Directory.makeInherited(staging, mode: 0o700)
            let lost = try write(written, into: staging)
            written = written.filter { lost[$0.key] == nil }
            overwritten.giveUp(lost)
            let orphans = try keepOrphans(of: overwritten, written, as: id)
            try putInPlace(written, from: staging)
            try Directory.removeTree(staging)
            return orphans
        } catch {
            try Directory.removeTree(staging)
            throw error
        }
    }

    private func putInPlace(_ written: [UInt64: Overwritten.File], from staging: FilePath) throws {
        let new = try OpenFile(staging, .directory)
        var kept = try TreeLookup(ifPresent: tree)
        for (inode, file) in written {
            for (number, path) in file.names.enumerated() {
                let name = Array("name-\(number)".utf8)
                try new.makeHardLink(Array("\(inode)".utf8), to: new, as: name)
                do throws(SystemError) {
                    guard let folder = try kept.parent(of: path) else {
                        throw SystemError("open", path: path.description, code: ENOENT)
                    }
                    try new.rename(name, to: folder, as: path.name)
                } catch {
                    // By the path at which a person can see to it.
                    throw SystemError("replace", path: tree.appending(path.bytes).string, code: error.code)
                }
            }
        }
    }

    /// Whether what is to be written fits, asked before anything is done.
    /// - Throws: `BackupError.notEnoughRoom`.
    func checkRoom(for overwritten: Overwritten, others: [String]) throws {
        try checkRoom(for: overwritten.written, others)
    }

    private func checkRoom(for files: [UInt64: Overwritten.File], _ others: [String]) throws {
        guard !files.isEmpty else { return }
        // A block more for each: names, and attributes that do not fit into the inode.
        let needed = files.values.reduce(UInt64(0)) { $0.adding(clamped: $1.entry.size).adding(clamped: 4096) }
        let available = try DiskSpace.at(workspace.stack.artifacts).available
        guard available < needed else { return }
        throw BackupError.lackingRoom(
            path: workspace.stack.artifacts.string, needed: needed, available: available, kept: others)
    }

    /// - Returns: those whose attributes are not ours to set, which are to be written anew.
    private func setLooks(of overwritten: Overwritten) throws -> [UInt64: Overwritten.File] {
        var denied: [UInt64: Overwritten.File] = [:]
        var left: [EntryPath] = []
        let looks = RestoredLooks(.writer, tree: nil)
        var kept = try TreeLookup(ifPresent: tree)
        for (inode, file) in overwritten.files where file.change == .looks {
            try workspace.cancellation.check()
            guard let path = file.names.first else { continue }
            let shared = try kept.open(path)
            let now = try shared.userAttributes()
            let lost = file.entry.attributes.filter { !now.contains($0) }
            do throws(SystemError) {
                // The kernel asks for the right to write.
                if !lost.isEmpty { try shared.setMode(file.entry.mode | 0o200) }
                for attribute in lost { _ = try shared.set(attribute) }
                if file.entry.access == nil { try shared.removeAccessList() }
                let status = try shared.status()
                try looks.giveRights(file.entry, to: shared, (status.owner, status.group))
                try shared.setModified(file.entry.modified)
            } catch {
                guard error.isDenied else { throw error }
                if lost.isEmpty { left.append(path) } else { denied[inode] = file }
            }
        }
        if let first = left.min(by: { $0.description < $1.description }) {
            workspace.log.warning(
                "mode and time of files of another user stay what they are now",
                ["files": left.count, "such as": first.description, "kept": part.id])
        }
        return denied
    }

    /// Each by the number of the inode that it replaces, on the disk when it returns.
    /// - Returns: those that the backup does not give any more.
    private func write(
        _ files: [UInt64: Overwritten.File], into staging: FilePath
    ) throws -> [UInt64: Overwritten.File] {
        var lost = files
        var reason: BilingualText?
        do {
            try RestoredRecords.orSilent(workspace.folder.path.appending(part.backup)) {
                try writeAll(files, into: staging, &lost, &reason)
            }
        } catch let silent as RestoredRecords.Silent { reason = silent.reason }
        for inode in lost.keys { try Directory.removeTree(staging.appending("\(inode)")) }
        if !lost.isEmpty {
            workspace.log.warning(
                "what was overwritten after the restore cannot be put right",
                ["files": lost.count, "reason": reason?[.english] ?? "", "kept": part.id])
        }
        // Once for all: thousands of files synced one by one take minutes.
        try FileSystem.sync(holding: staging)
        return lost
    }

    /// - Parameters:
    ///   - lost: afterwards without those that are complete.
    ///   - reason: afterwards why the backup does not give the first of them.
    private func writeAll(
        _ files: [UInt64: Overwritten.File], into staging: FilePath, _ lost: inout [UInt64: Overwritten.File],
        _ reason: inout BilingualText?
    ) throws {
        let contents = BackupContents(try Catalogue(workspace.folder).item(named: part.backup))
        let inodes = Dictionary(files.map { ($0.value.entry.path, $0.key) }) { one, _ in one }
        let looks = try restoredLooks(contents)
        var current: (inode: UInt64, file: OpenFile, entry: ArchiveEntry)?
        try contents.copy(Set(inodes.keys)) { piece in
            switch piece {
            case .begin(let stored):
                try workspace.cancellation.check()
                guard let inode = inodes[stored.path], var entry = files[inode]?.entry else { return }
                entry.attributes = stored.attributes
                current = (inode, try OpenFile(staging.appending("\(inode)"), .createNew(mode: 0o600)), entry)
            case .bytes(let bytes): try current?.file.write(bytes)
            case .end:
                if let (inode, file, entry) = current {
                    try looks.give(entry, to: file)
                    lost[inode] = nil
                }
                current = nil
            case .lost(_, let error):
                current = nil
                reason = reason ?? error.bilingual
            }
        }
    }

    /// As a restore does it.
    func restoredLooks(_ contents: BackupContents) throws -> RestoredLooks {
        let place = try OpenFile(workspace.stack.artifacts, .directoryThroughLink).status()
        return RestoredLooks(
            .recorded(placeOwner: (place.owner, place.group)), tree: try contents.folder(at: workspace.stack.section))
    }

    /// Other names for what no live file holds any more. Asked right before the renames: from here only a client who deletes what
    /// it wrote could take that away. The part is older than all others: no undo takes it for the newest.
    private func keepOrphans(
        of overwritten: Overwritten, _ written: [UInt64: Overwritten.File], as id: String
    ) throws -> KeptPart? {
        let live = try liveNames(of: overwritten)
        var root = try TreeLookup(ifPresent: workspace.stack.artifacts)
        let paths = try written.compactMap { inode, file -> EntryPath? in
            guard file.change != .looks, let first = file.names.first else { return nil }
            return try live[inode].flatMap { try root.status(of: $0) }?.inode == inode ? nil : first
        }.sorted { $0.description < $1.description }
        guard !paths.isEmpty else { return nil }
        var late = KeptPart(
            id: id, backup: part.backup, mode: .artifacts, replacedAt: LocalTime.now().epoch, stack: part.stack)
        late.root = workspace.stack.root
        late.aside = paths.map(\.description)
        // The record first: a folder without one would be another service's.
        try late.write(in: workspace.state)
        let parts = KeptParts(workspace)
        try Directory.makeInherited(parts.folder(of: id), mode: 0o700)
        try Directory.makeInherited(parts.tree(of: late), mode: 0o700)
        let top = try OpenFile(parts.tree(of: late), .directory)
        let heir = Heir(of: try top.status())
        var kept = try TreeLookup(ifPresent: tree)
        for path in paths {
            guard let source = try kept.parent(of: path) else { continue }
            let folder = try path.components.dropLast().reduce(top) { try $0.openOrMakeFolder(Array($1), for: heir) }
            try source.makeHardLink(path.name, to: folder, as: path.name)
        }
        try FileSystem.sync(holding: parts.folder(of: id))
        return late
    }

    /// One live name of each, wherever it is by now.
    private func liveNames(of overwritten: Overwritten) throws -> [UInt64: EntryPath] {
        var names: [UInt64: EntryPath] = [:]
        let root = workspace.stack.artifacts
        try forEachFile(OpenFile(root, .directoryThroughLink)) { entry, inode in
            if overwritten.contains(inode) { names[inode] = entry.path }
        }
        return names
    }
}

extension SharedFiles.Overwritten {
    /// Those of which something is to be written.
    var written: [UInt64: File] { files.filter { $0.value.change != .looks } }
}
