// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import SystemIO
import Wording

/// Whether everything in a kept part is provably somewhere else: in a verified backup, or another name of a live file.
/// It is asked right before a removal, so that what came into the kept part since (an upload that ended late) is found.
struct KeptCoverage {
    let workspace: Workspace
    let databases: any DatabaseSet

    /// - Returns: what is nowhere else, for a person; empty where the part may go.
    func missing(_ part: KeptPart) throws -> [BilingualText] {
        var missing: [BilingualText] = []
        let cover = try part.coveredBy.flatMap { name in
            try Catalogue(workspace.folder).items().first { $0.name.string == name && $0.status == .completed }
        }
        if let rows = try missingRows(part, cover) { missing += rows }
        missing += try missingFiles(part, cover)
        return missing
    }

    /// As `missing`, of a part that stays where it cannot be compared now: another one may go all the same.
    /// - Returns: also whether it was compared.
    func missingAsFarAsKnown(_ part: KeptPart) throws -> (texts: [BilingualText], isKnown: Bool) {
        do { return (try missing(part), true) } catch let error as CancelledError { throw error } catch {
            return ([BilingualText(zh: "暂时无法比较：", en: "it cannot be compared now: ") + error.bilingual], false)
        }
    }

    private func missingRows(_ part: KeptPart, _ cover: CatalogueItem?) throws -> [BilingualText]? {
        let name: String
        switch try KeptParts(workspace).state(of: part, on: databases) {
        case .none, .invalid: return nil
        case .gone:
            if part.isBeingRemoved == true { return nil }
            let noted = part.database ?? ""
            return [BilingualText(zh: "数据库 \(noted)：已不存在", en: "database \(noted): it is gone")]
        case .renamed(let other):
            return [
                BilingualText(
                    zh: "数据库 \(other)：由 \(part.database ?? "") 手动改名而来；可用 ALTER DATABASE … RENAME 改回",
                    en: "database \(other): somebody renamed \(part.database ?? "") to that, and it is left to that "
                        + "person, who can rename it back (ALTER DATABASE … RENAME TO)")
            ]
        case .present(let found): name = found
        }
        guard cover != nil, let until = part.coveredUntil else {
            return [
                BilingualText(
                    zh: "数据库 \(name)：没有可用的备份包含其内容", en: "database \(name): no good backup holds what is in it")
            ]
        }
        let rows = try workspace.stack.database.rows(in: name, workspace.cancellation)
        defer { rows.close() }
        guard let fresh = try rows.written(since: until) else {
            return [
                BilingualText(
                    zh: "数据库 \(name)：无法再与备份比较", en: "database \(name): it cannot be compared with the backup any more")
            ]
        }
        // Where it was compared with the cover as it was restored, all of it was found there.
        let isCompared = part.isOfUndo != true && part.coveredBy == part.backup
        let missing = fresh.kept.map(\.text)
        let undumped = try isCompared ? [] : rows.inNoDump().kept.map(\.text)
        return missing + undumped.filter { !missing.contains($0) }
    }

    private func missingFiles(_ part: KeptPart, _ cover: CatalogueItem?) throws -> [BilingualText] {
        let parts = KeptParts(workspace)
        let tree = parts.tree(of: part)
        guard try FileStatus.ifPresent(tree) != nil else {
            guard try parts.lacksFiles(part), part.isBeingRemoved != true else { return [] }
            return [BilingualText(zh: "文件：\(tree) 已不存在", en: "its files: \(tree) is gone")]
        }
        var unproven = try ownFiles(in: tree)
        if let cover, !unproven.isEmpty { try removeProven(&unproven, by: cover, in: tree) }
        return unproven.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.prefix(20).map { path in
            BilingualText(zh: "文件 \(path)", en: "file \(path)")
        }
    }

    /// Files and links of the kept tree that are no further name of the live file at their path.
    private func ownFiles(in tree: FilePath) throws -> [EntryPath: ArchiveEntry] {
        var found: [EntryPath: ArchiveEntry] = [:]
        let root = try OpenFile(tree, .directory)
        var (kept, live) = (TreeLookup(root), try TreeLookup(ifPresent: workspace.stack.artifacts))
        var walk = try TreeWalk(root: root, prefix: nil)
        while let step = try walk.next() {
            try workspace.cancellation.check()
            switch step {
            case .entry(let entry, _, _):
                if case .directory = entry.kind { continue }
                let isShared =
                    try live.status(of: entry.path).map {
                        $0.inode == entry.origin?.inode && $0.device == entry.origin?.device
                    } ?? false
                if !isShared { found[entry.path] = entry }
            case .skipped(let path, _):
                // A socket or a link out of the tree is in no backup, and holds no bytes that could be lost but its own.
                if try OutsideThings.isSame(path, in: &kept, and: &live) { continue }
                found[path] = ArchiveEntry(path: path, kind: .directory, mode: 0, modified: FileTime(seconds: 0))
            }
        }
        return found
    }

    /// Compares with the cover's index, reading each file now.
    private func removeProven(
        _ unproven: inout [EntryPath: ArchiveEntry], by cover: CatalogueItem, in tree: FilePath
    ) throws {
        // A further name of a file has no digest of its own: it is the one of the name that the backup has first.
        var links: [EntryPath: [EntryPath]] = [:]
        let contents = BackupContents(cover)
        var tree = try TreeLookup(ifPresent: tree)
        var asked: [Asked] = []
        let records = try contents.records()
        while let record = try records.next() {
            try workspace.cancellation.check()
            guard let path = record.entry.path.relative(to: workspace.stack.section), let kept = unproven[path] else {
                continue
            }
            switch (record.entry.kind, kept.kind) {
            case (.file, .file):
                if try holds(record, kept, &tree, &asked) { unproven[path] = nil }
            case (.hardLink(let target), .file): links[target, default: []].append(path)
            case (.symbolicLink(let one), .symbolicLink(let other)) where one == other: unproven[path] = nil
            default: break
            }
        }
        try readLinked(links, contents, &unproven, &asked, &tree)
        // Once for all: each question reads the archive's index.
        let stored = try contents.attributes(of: Set(asked.map(\.stored)))
        for one in asked where one.attributes.allSatisfy((stored.found[one.stored] ?? []).contains) {
            unproven[one.path] = nil
        }
    }

    private func readLinked(
        _ links: [EntryPath: [EntryPath]], _ contents: BackupContents, _ unproven: inout [EntryPath: ArchiveEntry],
        _ asked: inout [Asked], _ tree: inout TreeLookup
    ) throws {
        guard !links.isEmpty else { return }
        let targets = try contents.records()
        while let record = try targets.next() {
            guard case .file = record.entry.kind, let names = links[record.entry.path] else { continue }
            for path in names {
                try workspace.cancellation.check()
                if let kept = unproven[path], try holds(record, kept, &tree, &asked) { unproven[path] = nil }
            }
        }
    }

    /// A file that is proven if the cover has these attributes of that path.
    private struct Asked {
        let path: EntryPath
        let stored: EntryPath
        let attributes: [OpenFile.Attribute]
    }

    private func holds(
        _ record: ArchiveIndex.Record, _ kept: ArchiveEntry, _ tree: inout TreeLookup, _ asked: inout [Asked]
    ) throws -> Bool {
        guard record.entry.size == kept.size else { return false }
        let file = try tree.open(kept.path)
        let (size, digest) = try StoredFileVerifier.digest(of: file)
        guard size == record.entry.size, digest == record.digest else { return false }
        // Attributes that it lacks are no loss; only for others is the archive asked.
        let attributes = try file.userAttributes()
        if !attributes.isEmpty {
            asked.append(Asked(path: kept.path, stored: record.entry.path, attributes: attributes))
        }
        return attributes.isEmpty
    }
}
