// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Live files and links that the swap which is to be taken back did not bring: of another path, or changed since it looked
/// last. What is the very same file in the kept tree, with the bytes it had, is none.
struct FilesSince {
    private enum Verdict {
        case brought, written, otherAttributes, outsideBackups, untold
        /// It was brought if the backup has these attributes of that path.
        case asks(EntryPath, [OpenFile.Attribute])
    }

    /// What a restore brought is in its backup.
    private struct Restored {
        let contents: BackupContents
        let section: EntryPath
        var records: [EntryPath: ArchiveIndex.Record] = [:]

        /// - Throws: `RestoredRecords.Silent`.
        init(_ all: RestoredRecords) throws {
            contents = all.contents
            section = all.section
            while let (path, record) = try all.next() { records[path] = record }
        }
    }

    private let workspace: Workspace
    private let part: KeptPart
    private let mark: FileTime
    private let kept: FilePath
    private let root: FilePath

    /// The live tree, and the one that an undo brings back.
    private struct Trees {
        let top: OpenFile
        var live: TreeLookup
        var kept: TreeLookup
    }

    let overwritten: SharedFiles.Overwritten
    private let arrived: Set<UInt64>?
    private var restored: Restored?
    /// What holds the data that an undo brought, where that can be read.
    private let cover: Restored?
    /// `BroughtTree`; `nil` for a restore.
    private let marks: Set<UInt64>?

    /// - Throws: `RestoredRecords.Silent`.
    init(_ workspace: Workspace, _ part: KeptPart, since mark: FileTime) throws {
        self.workspace = workspace
        self.part = part
        self.mark = mark
        kept = KeptParts(workspace).tree(of: part)
        root = workspace.stack.artifacts
        overwritten = try SharedFiles(workspace, part).overwritten()
        arrived = part.arrived.map(Set.init)
        if part.isOfUndo == true {
            do { marks = try KeptPart.brought(of: part.id, in: workspace.state) } catch BackupError.keptRecordDamaged {
                // Of a damaged list nothing is known to have been brought, so all that is new is told.
                marks = []
            }
            do {
                cover = try part.broughtCover.map {
                    try Restored(RestoredRecords(backup: $0.backup, in: workspace))
                }
            } catch is RestoredRecords.Silent { cover = nil }
        } else {
            marks = nil
            cover = nil
            restored = try Restored(RestoredRecords(of: part, in: workspace))
        }
    }

    func find() throws -> NewerData {
        var found: [BilingualText] = []
        var total = 0
        var untold: [EntryPath] = []
        var asked: [(path: EntryPath, stored: EntryPath, attributes: [OpenFile.Attribute])] = []
        // A folder that was moved here brings files whose own times are old.
        var moved: EntryPath?
        let top = try OpenFile(root, .directoryThroughLink)
        var trees = Trees(top: top, live: TreeLookup(top), kept: try TreeLookup(ifPresent: kept))
        var walk = try TreeWalk(root: top, prefix: nil, ignoring: LiveStack.notArtifacts)
        while let step = try walk.next() {
            try workspace.cancellation.check()
            let path: EntryPath
            let verdict: Verdict
            switch step {
            case .skipped(_, .vanished): continue
            case .skipped(let skipped, _):
                path = skipped
                if let folder = moved, path.relative(to: folder) == nil { moved = nil }
                verdict = try judge(outside: path, &trees, isMoved: moved != nil)
            case .entry(let entry, _, _):
                path = entry.path
                if let folder = moved, path.relative(to: folder) == nil { moved = nil }
                if case .directory = entry.kind {
                    if moved == nil, isNew(folder: entry) { moved = path }
                    continue
                }
                verdict = try judge(entry, &trees, isMoved: moved != nil)
            }
            switch verdict {
            case .brought: break
            case .untold: untold.append(path)
            case .asks(let stored, let attributes): asked.append((path, stored, attributes))
            default:
                total += 1
                if found.count < 1000 { found.append(Self.text(verdict, path)) }
            }
        }
        // Once for all: each question reads the archive's index.
        let stored = try (restored ?? cover)?.contents.attributes(of: Set(asked.map(\.stored))) ?? .init()
        for one in asked where !one.attributes.allSatisfy((stored.found[one.stored] ?? []).contains) {
            if stored.lost.contains(one.stored) {
                untold.append(one.path)
                continue
            }
            total += 1
            if found.count < 1000 { found.append(Self.text(.otherAttributes, one.path)) }
        }
        // Those that have no live name, too.
        let paths = Set(untold).union(overwritten.untold)
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        total += paths.count
        found += paths.prefix(1000 - min(found.count, 1000)).map { Self.text(.untold, $0) }
        return NewerData(found, total: total)
    }

    private func isNew(folder: ArchiveEntry) -> Bool {
        guard let origin = folder.origin else { return true }
        if let marks { return BroughtTree.mark(ofFolder: folder).map { !marks.contains($0) } ?? true }
        // The swap renamed the children of the root, which changed their inodes' times, and on xfs a folder's own, too.
        let isTop = folder.path.components.count == 1
        if isTop, let arrived { return !arrived.contains(origin.inode) }
        return origin.changed >= mark && (!isTop || folder.modified >= mark)
    }

    private func judge(_ entry: ArchiveEntry, _ trees: inout Trees, isMoved: Bool) throws -> Verdict {
        guard let origin = entry.origin else { return .written }
        if let twin = try trees.kept.status(of: entry.path), twin.inode == origin.inode, twin.device == origin.device {
            return switch overwritten.change(of: origin.inode) {
            case .bytes: .written
            case .attributes: .otherAttributes
            case .looks, nil: overwritten.isUntold(origin.inode) ? .untold : .brought
            }
        }
        // Of what lies directly in the root the swap changed the stamps.
        let isTop = entry.path.components.count == 1
        let isSuspect = origin.changed >= mark || isMoved
        if let restored {
            return try judge(entry, restored.records[entry.path], restored, &trees, reading: isSuspect || isTop)
        }
        if try isOfUndo(entry.path, trees.top, isSuspect: isSuspect, isMoved: isMoved) { return .brought }
        // The removal of a kept part takes a name from each file that it shared, which changes the inode as a write does.
        guard !isMoved, !isTop, let cover else { return .written }
        return try judge(entry, cover.records[entry.path], cover, &trees, reading: true)
    }

    /// What no backup takes: a restore brings none of it.
    private func judge(outside path: EntryPath, _ trees: inout Trees, isMoved: Bool) throws -> Verdict {
        if try OutsideThings.isSame(path, in: &trees.live, and: &trees.kept) { return .brought }
        guard restored == nil else { return .outsideBackups }
        guard let status = try trees.live.status(of: path) else { return .brought }
        let isSuspect = status.changed >= mark || isMoved
        return try isOfUndo(path, trees.top, isSuspect: isSuspect, isMoved: isMoved) ? .brought : .outsideBackups
    }

    private func isOfUndo(_ path: EntryPath, _ top: OpenFile, isSuspect: Bool, isMoved: Bool) throws -> Bool {
        guard isSuspect, let marks, !isMoved, path.components.count == 1 else { return !isSuspect }
        // One that vanished meanwhile was deleted, which loses nothing.
        return try BroughtTree.mark(ofTop: path, in: top).map(marks.contains) ?? true
    }

    private func judge(
        _ entry: ArchiveEntry, _ record: ArchiveIndex.Record?, _ restored: Restored, _ trees: inout Trees, reading: Bool
    ) throws -> Verdict {
        guard var record else { return .written }
        if case .hardLink(let target) = record.entry.kind, let path = target.relative(to: restored.section),
            let file = restored.records[path]
        {
            record = file
        }
        switch (entry.kind, record.entry.kind) {
        case (.symbolicLink(let one), .symbolicLink(let other)): return one == other ? .brought : .written
        case (.file, .file):
            guard entry.size == record.entry.size else { return .written }
            guard reading else { return .brought }
            let live = try trees.live.open(entry.path)
            guard try StoredFileVerifier.digest(of: live).digest == record.digest else { return .written }
            let attributes = try live.userAttributes()
            // Attributes that were removed are no loss; only for others is the archive asked.
            return attributes.isEmpty ? .brought : .asks(record.entry.path, attributes)
        default: return .written
        }
    }

    private static func text(_ verdict: Verdict, _ path: EntryPath) -> BilingualText {
        switch verdict {
        case .brought, .written, .asks:
            BilingualText(zh: "文件 \(path) 是恢复之后写入的", en: "file \(path) was written after the restore")
        case .otherAttributes:
            BilingualText(
                zh: "文件 \(path) 的扩展属性在恢复之后已更改", en: "attributes of \(path) were changed after the restore")
        case .untold:
            BilingualText(
                zh: "无法判断文件 \(path) 或其扩展属性在恢复之后是否被原地更改：备份已不在或已损坏，或共享文件列表已损坏",
                en:
                    "whether file \(path) or its attributes were changed in place after the restore cannot be told: the backup is gone or "
                    + "damaged, or the list of shared files is")
        case .outsideBackups:
            BilingualText(
                zh: "\(path) 是恢复之后创建的，且不属于任何备份", en: "\(path) came after the restore, and is in no backup")
        }
    }
}
