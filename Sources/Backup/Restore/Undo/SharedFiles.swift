// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// Files that the kept tree and the live one share, because they were right already when the restore came. A program that
/// writes one in place changes both. The backup that was restored knows what they held.
struct SharedFiles {
    /// Files, by inode, that are not what the backup has any more.
    struct Overwritten {
        enum Change {
            case bytes
            /// Attributes that the backup lacks, or has with other values.
            case attributes
            /// Mode, time, or attributes that were taken away: nothing of it would be lost.
            case looks
        }

        struct File {
            /// What the backup has of it; the path is the backup's own.
            let entry: ArchiveEntry
            let change: Change
            /// Every name of it in the kept tree.
            var names: [EntryPath]
        }

        fileprivate(set) var files: [UInt64: File] = [:]
        /// Kept names whose inode changed since, where nothing can tell what they held.
        let untold: [EntryPath]
        private let unknown: Set<UInt64>

        fileprivate init(unknown: [EntryPath: UInt64] = [:]) {
            untold = unknown.keys.sorted { $0.description < $1.description }
            self.unknown = Set(unknown.values)
        }

        /// Whether it was, or may have been.
        func contains(_ inode: UInt64) -> Bool { change(of: inode) != nil }

        /// Where nothing can tell, the most there may have been.
        func change(of inode: UInt64) -> Change? { files[inode]?.change ?? (unknown.contains(inode) ? .bytes : nil) }
    }

    private let workspace: Workspace
    private let part: KeptPart

    init(_ workspace: Workspace, _ part: KeptPart) {
        self.workspace = workspace
        self.part = part
    }

    private var tree: FilePath { KeptParts(workspace).tree(of: part) }

    /// Only what was changed since the swap is read.
    func overwritten() throws -> Overwritten {
        guard part.mode.includesArtifacts, try FileStatus.ifPresent(tree) != nil else { return Overwritten() }
        guard let mark = part.mark else { return try untold() }
        let suspects = try changedSince(mark)
        guard !suspects.isEmpty else { return Overwritten() }
        do { return try compare(suspects) } catch let silent as RestoredRecords.Silent {
            workspace.log.warning(
                "nothing can tell whether shared files were overwritten since the restore",
                ["kept": part.id, "reason": silent.reason[.english]])
            return Overwritten(unknown: suspects)
        }
    }

    /// The record went with the backup folder: which files are shared can be seen, and what they held cannot.
    private func untold() throws -> Overwritten {
        var unknown: [EntryPath: UInt64] = [:]
        // The swap moved what it replaced in there last.
        let swapped = try FileStatus.of(tree).modified
        let live = try liveInodes()
        try forEachFile(OpenFile(tree, .directory)) { entry, inode in
            if live.contains(inode), let changed = entry.origin?.changed, changed >= swapped {
                unknown[entry.path] = inode
            }
        }
        return Overwritten(unknown: unknown)
    }

    /// - Throws: `RestoredRecords.Silent`.
    private func compare(_ suspects: [EntryPath: UInt64]) throws -> Overwritten {
        var found = Overwritten()
        let records = try RestoredRecords(of: part, in: workspace.folder)
        var same: [(path: EntryPath, entry: ArchiveEntry)] = []
        while let (path, record) = try records.next() {
            guard case .file = record.entry.kind, let inode = suspects[path], !found.contains(inode) else { continue }
            try workspace.cancellation.check()
            let (size, digest) = try StoredFileVerifier.digest(of: tree.appending(path.bytes))
            if size != record.entry.size || digest != record.digest {
                found.files[inode] = .init(entry: record.entry, change: .bytes, names: [])
            } else {
                same.append((path, record.entry))
            }
        }
        let attributes = try records.attributes(of: Set(same.map(\.entry.path)))
        for (path, entry) in same {
            guard let inode = suspects[path], !found.contains(inode),
                let change = try change(of: path, from: entry, attributes[entry.path] ?? [])
            else { continue }
            found.files[inode] = .init(entry: entry, change: change, names: [])
        }
        for (path, inode) in suspects { found.files[inode]?.names.append(path) }
        return found
    }

    /// What was shared was the same in all of this (`LiveFiles`).
    private func change(
        of path: EntryPath, from entry: ArchiveEntry, _ attributes: [OpenFile.Attribute]
    ) throws -> Overwritten.Change? {
        let file = try OpenFile(tree.appending(path.bytes), .readNoFollow)
        let now = try file.userAttributes()
        if now != attributes { return now.isEmpty ? .looks : .attributes }
        let status = try file.status()
        return status.mode & 0o777 != entry.mode & 0o777 || status.modified != entry.modified ? .looks : nil
    }

    /// Gives each of these its bytes and looks of before again, under the kept names alone. What was written stays the live
    /// file; where the live tree has it no more, the kept name is all that holds it, and it becomes a kept part of its own.
    /// - Parameter id: of that part.
    /// - Returns: that part, where one was made.
    func putRight(_ overwritten: Overwritten, keepingOrphansAs id: String) throws -> KeptPart? {
        // Where nothing is to be put right, nobody need know which backup it was.
        guard !overwritten.files.isEmpty else { return nil }
        let live = try liveNames(of: overwritten)
        let contents = BackupContents(try Catalogue(workspace.folder).item(named: part.backup))
        var orphans: KeptPart?
        for (inode, file) in overwritten.files {
            try workspace.cancellation.check()
            guard let first = file.names.first else { continue }
            let fresh = partial(of: first)
            try Directory.removeTree(fresh)
            do {
                try write(file.entry, from: contents, to: fresh)
                // Asked last: from here to the renames only a client who deletes what it wrote could take that away.
                if file.change != .looks, try live[inode].flatMap({ try FileStatus.ifPresent($0) })?.inode != inode {
                    try keep(first, in: &orphans, id)
                }
                for path in file.names.dropFirst() {
                    try Directory.removeTree(partial(of: path))
                    try Directory.link(fresh, as: partial(of: path))
                }
                for path in file.names { try Directory.rename(partial(of: path), to: tree.appending(path.bytes)) }
            } catch {
                for path in file.names { try Directory.removeTree(partial(of: path)) }
                throw error
            }
        }
        return orphans
    }

    /// What both trees have now: a name that was put right, deleted or replaced since is one of one tree alone.
    func stillShared() throws -> [UInt64] {
        // Without its record, as after the loss of the backup folder, any may be.
        let noted = try part.mark == nil ? nil : noted()
        guard part.mode.includesArtifacts, noted?.isEmpty != true, try FileStatus.ifPresent(tree) != nil else {
            return []
        }
        var kept: Set<UInt64> = []
        try forEachFile(OpenFile(tree, .directory)) { entry, inode in
            if noted?.contains(inode) ?? true { kept.insert(inode) }
        }
        return try liveInodes().intersection(kept).sorted()
    }

    private func liveInodes() throws -> Set<UInt64> {
        var live: Set<UInt64> = []
        try forEachFile(OpenFile(workspace.stack.artifacts, .directoryThroughLink)) { _, inode in live.insert(inode) }
        return live
    }

    /// Another name for what no live file holds. It is older than all other parts: no undo takes it for the newest.
    private func keep(_ path: EntryPath, in orphans: inout KeptPart?, _ id: String) throws {
        var late =
            orphans
            ?? KeptPart(
                id: id, backup: part.backup, mode: .artifacts, replacedAt: LocalTime.now().epoch, stack: part.stack)
        late.aside.append(path.description)
        // The record first: a folder without one would be another service's.
        try late.write(in: workspace.folder)
        let parts = KeptParts(workspace)
        try Directory.make(parts.folder(of: id), mode: 0o700)
        let name = parts.tree(of: late).appending(path.bytes)
        try Directory.make(name.parent, mode: 0o700)
        try Directory.link(tree.appending(path.bytes), as: name)
        try Directory.sync(name.parent)
        orphans = late
    }

    private func partial(of path: EntryPath) -> FilePath {
        FilePath(bytes: tree.appending(path.bytes).bytes + Array(DurableFile.partialSuffix.utf8))
    }

    private func write(_ entry: ArchiveEntry, from contents: BackupContents, to path: FilePath) throws {
        let file = try OpenFile(path, .createNew(mode: 0o600))
        try contents.copy(entry.path) { try file.write($0) }
        var entry = entry
        entry.attributes = try contents.attributes(of: entry.path)
        // As a restore does it: who MLflow runs as is who owns the artifacts folder.
        let folder = try OpenFile(workspace.stack.artifacts, .directoryThroughLink).status()
        try file.setLooks(entry, owner: ProcessPrivilege.isRoot ? (folder.owner, folder.group) : nil)
        try file.sync()
    }

    /// One live name of each, wherever it is by now.
    private func liveNames(of overwritten: Overwritten) throws -> [UInt64: FilePath] {
        var names: [UInt64: FilePath] = [:]
        let root = workspace.stack.artifacts
        try forEachFile(OpenFile(root, .directoryThroughLink)) { entry, inode in
            if overwritten.contains(inode) { names[inode] = root.appending(entry.path.bytes) }
        }
        return names
    }

    /// What both trees had at the swap; `nil` where the list is damaged: any file may be.
    private func noted() throws -> Set<UInt64>? {
        do { return try KeptPart.shared(of: part.id, in: workspace.folder) } catch BackupError.keptRecordDamaged {
            workspace.log.warning("the list of files that the kept tree shares is damaged", ["kept": part.id])
            return nil
        }
    }

    /// Files that were shared at the swap and whose inode changed since: written in place, or only linked and unlinked.
    private func changedSince(_ mark: FileTime) throws -> [EntryPath: UInt64] {
        let shared = try noted()
        guard shared?.isEmpty != true else { return [:] }
        var found: [EntryPath: UInt64] = [:]
        try forEachFile(OpenFile(tree, .directory)) { entry, inode in
            if let changed = entry.origin?.changed, changed >= mark, shared?.contains(inode) ?? true {
                found[entry.path] = inode
            }
        }
        return found
    }

    private func forEachFile(_ root: OpenFile, _ visit: (ArchiveEntry, _ inode: UInt64) throws -> Void) throws {
        var walk = try TreeWalk(root: root, prefix: nil, ignoring: LiveStack.notArtifacts)
        while let step = try walk.next() {
            try workspace.cancellation.check()
            guard case .entry(let entry, _, _) = step, case .file = entry.kind, let origin = entry.origin else {
                continue
            }
            try visit(entry, origin.inode)
        }
    }
}
