// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

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
        let suspects = try changedSince(mark)
        guard !suspects.names.isEmpty else { return Overwritten() }
        do { return try compare(suspects) } catch let silent as RestoredRecords.Silent {
            workspace.log.warning(
                "nothing can tell whether shared files were overwritten since the restore",
                ["kept": part.id, "reason": silent.reason[.english]])
            return Overwritten(unknown: suspects.names)
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
    private func compare(_ suspects: Suspects) throws -> Overwritten {
        var found = Overwritten()
        let records = try RestoredRecords(of: part, in: workspace)
        var kept = try TreeLookup(ifPresent: tree)
        var same: [(path: EntryPath, entry: ArchiveEntry)] = []
        while let (path, record) = try records.next() {
            guard case .file = record.entry.kind, let inode = suspects.names[path], found.files[inode] == nil
            else { continue }
            try workspace.cancellation.check()
            let (size, digest) = try StoredFileVerifier.digest(of: kept.open(path))
            if size != record.entry.size || digest != record.digest {
                if suspects.perhapsOwn.contains(inode) || suspects.perhapsOlder.contains(inode) {
                    found.add(unknown: [path: inode])
                } else {
                    found.files[inode] = .init(entry: record.entry, change: .bytes, names: [])
                }
            } else if !suspects.perhapsOwn.contains(inode) {
                same.append((path, record.entry))
            }
        }
        let attributes = try records.attributes(of: Set(same.map(\.entry.path)))
        let looks = try RestoredRecords.orSilent(workspace.folder.path.appending(part.backup)) {
            try restoredLooks(records.contents)
        }
        for (path, entry) in same {
            var entry = entry
            entry.attributes = attributes.found[entry.path] ?? []
            guard let inode = suspects.names[path], found.files[inode] == nil else { continue }
            // Attributes that nobody can tell stay what they are, which is told.
            let isTold = !attributes.lost.contains(entry.path)
            if !isTold { found.add(unknown: [path: inode]) }
            guard
                let change = try change(
                    of: kept.open(path), from: &entry, looks, attributes: isTold, lists: records.hasLists)
            else { continue }
            found.files[inode] = .init(entry: entry, change: change, names: [])
        }
        for (path, inode) in suspects.names { found.files[inode]?.names.append(path) }
        return found
    }

    /// What was shared was the same in all of this (`LiveFiles`).
    /// - Parameter entry: afterwards with the rights that are its due, where these are all that is to be set.
    private func change(
        of file: OpenFile, from entry: inout ArchiveEntry, _ looks: RestoredLooks, attributes isTold: Bool,
        lists hasLists: Bool
    ) throws -> Overwritten.Change? {
        let now = try file.userAttributes()
        if !isTold { entry.attributes = now }
        let access = try file.extras().access
        let status = try file.status()
        var due = looks.due(entry, (status.owner, status.group))
        // Of what 0.1.0 backed up nothing tells who else was named.
        if !hasLists { (entry.access, due.access) = (access, access) }
        if !now.allSatisfy(entry.attributes.contains) { return .attributes }
        let isSame = status.mode & 0o777 == due.mode & 0o777 && access == due.access && now == due.attributes
        entry = due
        return isSame && status.modified == entry.modified ? nil : .looks
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
        do { return try KeptPart.shared(of: part.id, in: workspace.state) } catch BackupError.keptRecordDamaged {
            workspace.log.warning("the list of files that the kept tree shares is damaged", ["kept": part.id])
            return nil
        }
    }

    /// Files whose inode changed since the swap: written in place, or only linked and unlinked.
    private struct Suspects {
        /// Every kept name of them.
        var names: [EntryPath: UInt64] = [:]
        /// Of these nothing says that the live tree ever had them.
        var perhapsOwn: Set<UInt64> = []
        /// Bytes that differ from the backup's are no proof of a write since, for these.
        var perhapsOlder: Set<UInt64> = []
    }

    /// Those that were shared. Where the list of these is damaged: any, and what is shared now and was written since is proven.
    private func changedSince(_ mark: FileTime) throws -> Suspects {
        let shared = try noted()
        var suspects = Suspects()
        guard shared?.isEmpty != true else { return suspects }
        var proven: Set<UInt64> = []
        var live = try TreeLookup(ifPresent: workspace.stack.artifacts)
        try forEachFile(OpenFile(tree, .directory)) { entry, inode in
            guard let changed = entry.origin?.changed, changed >= mark, shared?.contains(inode) ?? true else { return }
            suspects.names[entry.path] = inode
            guard shared == nil else { return }
            if try live.status(of: entry.path)?.inode == inode { proven.insert(inode) }
            if entry.modified < mark { suspects.perhapsOlder.insert(inode) }
        }
        if shared == nil { suspects.perhapsOwn = Set(suspects.names.values).subtracting(proven) }
        return suspects
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
