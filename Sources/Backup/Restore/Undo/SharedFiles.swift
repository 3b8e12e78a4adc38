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
            /// Mode, time, or attributes that were taken away: no content, and nothing of it would be lost.
            case looks
        }

        struct File {
            /// What the backup has of it; the path is the backup's own. Attributes only where they are all that is to be set.
            let entry: ArchiveEntry
            let change: Change
            /// Every name of it in the kept tree.
            var names: [EntryPath]
        }

        fileprivate(set) var files: [UInt64: File] = [:]
        /// Kept names whose inode changed since, where nothing can tell what they held or which attributes they had, or give it
        /// back; and their inodes.
        private(set) var unknown: [EntryPath: UInt64] = [:]
        private var unknownInodes: Set<UInt64> = []

        fileprivate init(_ files: [UInt64: File] = [:], unknown: [EntryPath: UInt64] = [:]) {
            self.files = files
            add(unknown: unknown)
        }

        fileprivate mutating func add(unknown: [EntryPath: UInt64]) {
            self.unknown.merge(unknown) { one, _ in one }
            unknownInodes.formUnion(unknown.values)
        }

        /// Names of which nothing can tell, sorted.
        var untold: [EntryPath] { unknown.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) } }

        /// The backup does not give their bytes any more: they stay what they are.
        mutating func giveUp(_ lost: [UInt64: File]) {
            for (inode, file) in lost {
                files[inode] = nil
                add(unknown: Dictionary(file.names.map { ($0, inode) }) { one, _ in one })
            }
        }

        /// Whether it was, or may have been.
        func contains(_ inode: UInt64) -> Bool { files[inode] != nil || unknownInodes.contains(inode) }

        /// As far as it can be told.
        func change(of inode: UInt64) -> Change? { files[inode]?.change }

        /// Whether there may have been more than can be told.
        func isUntold(_ inode: UInt64) -> Bool { unknownInodes.contains(inode) }
    }

    let workspace: Workspace
    let part: KeptPart

    init(_ workspace: Workspace, _ part: KeptPart) {
        self.workspace = workspace
        self.part = part
    }

    var tree: FilePath { KeptParts(workspace).tree(of: part) }

    /// Only what was changed since the swap is read.
    func overwritten() throws -> Overwritten {
        guard part.mode.includesArtifacts, try FileStatus.ifPresent(tree) != nil else { return Overwritten() }
        guard let mark = part.mark else { return try untold() }
        let (suspects, unknown) = try changedSince(mark)
        guard !suspects.isEmpty else { return Overwritten(unknown: unknown) }
        do {
            var found = try compare(suspects)
            found.add(unknown: unknown)
            return found
        } catch let silent as RestoredRecords.Silent {
            workspace.log.warning(
                "nothing can tell whether shared files were overwritten since the restore",
                ["kept": part.id, "reason": silent.reason[.english]])
            return Overwritten(unknown: suspects.merging(unknown) { one, _ in one })
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
            guard case .file = record.entry.kind, let inode = suspects[path], found.files[inode] == nil else {
                continue
            }
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
            var entry = entry
            entry.attributes = attributes.found[entry.path] ?? []
            guard let inode = suspects[path], found.files[inode] == nil else { continue }
            // Attributes that nobody can tell stay what they are, which is told.
            let isTold = !attributes.lost.contains(entry.path)
            if !isTold { found.add(unknown: [path: inode]) }
            guard let change = try change(of: path, from: &entry, attributes: isTold) else { continue }
            found.files[inode] = .init(entry: entry, change: change, names: [])
        }
        for (path, inode) in suspects { found.files[inode]?.names.append(path) }
        return found
    }

    /// What was shared was the same in all of this (`LiveFiles`).
    private func change(
        of path: EntryPath, from entry: inout ArchiveEntry, attributes isTold: Bool
    ) throws -> Overwritten.Change? {
        let file = try OpenFile(tree.appending(path.bytes), .readNoFollow)
        let now = try file.userAttributes()
        if !isTold { entry.attributes = now }
        if now != entry.attributes { return now.allSatisfy(entry.attributes.contains) ? .looks : .attributes }
        let status = try file.status()
        return status.mode & 0o777 != entry.mode & 0o777 || status.modified != entry.modified ? .looks : nil
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

    /// What both trees had at the swap; `nil` where the list is damaged: any file may be.
    private func noted() throws -> Set<UInt64>? {
        do { return try KeptPart.shared(of: part.id, in: workspace.folder) } catch BackupError.keptRecordDamaged {
            workspace.log.warning("the list of files that the kept tree shares is damaged", ["kept": part.id])
            return nil
        }
    }

    /// Files that were shared at the swap and whose inode changed since: written in place, or only linked and unlinked.
    ///
    /// - Returns: also those of which nothing tells whether they were shared: the list is damaged, and they have no live name at
    ///   the same path.
    private func changedSince(
        _ mark: FileTime
    ) throws -> (suspects: [EntryPath: UInt64], unknown: [EntryPath: UInt64]) {
        let shared = try noted()
        guard shared?.isEmpty != true else { return ([:], [:]) }
        var suspects: [EntryPath: UInt64] = [:]
        var unknown: [EntryPath: UInt64] = [:]
        try forEachFile(OpenFile(tree, .directory)) { entry, inode in
            guard let changed = entry.origin?.changed, changed >= mark else { return }
            if let shared {
                if shared.contains(inode) { suspects[entry.path] = inode }
            } else if try FileStatus.ifPresent(workspace.stack.artifacts.appending(entry.path.bytes))?.inode == inode {
                suspects[entry.path] = inode
            } else {
                unknown[entry.path] = inode
            }
        }
        return (suspects, unknown)
    }

    func forEachFile(_ root: OpenFile, _ visit: (ArchiveEntry, _ inode: UInt64) throws -> Void) throws {
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
