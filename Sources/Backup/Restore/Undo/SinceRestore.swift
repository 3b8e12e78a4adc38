// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import Postgres
import SystemIO
import Wording

/// What came into the live stack after the restore that an undo takes back: rows written, files changed. What the restore
/// itself brought is in its backup, and is not asked about.
final class SinceRestore: LastLook {
    private let workspace: Workspace
    private let part: KeptPart
    private let rows: FreshRows?
    private(set) var moment: String?

    /// Opens its session.
    init(_ workspace: Workspace, _ part: KeptPart) throws {
        self.workspace = workspace
        self.part = part
        rows =
            part.mode.includesDatabase && part.databaseOID != nil
            ? try FreshRows(workspace.stack.database, cancellation: workspace.cancellation) : nil
    }

    /// While everybody works.
    func first() throws -> NewerData {
        guard let rows else { return try files() }
        return Self.told(try part.broughtIn.flatMap { try rows.written(since: $0) }) + (try files())
    }

    func last() throws -> NewerData {
        let files = try files()
        guard let rows else { return files }
        guard let broughtIn = part.broughtIn else { return Self.told(nil) + files }
        let written = try rows.writtenLocking(since: broughtIn)
        moment = written.moment
        return Self.told(written.findings) + files
    }

    func serverProcesses() throws -> [Int] { try rows.map { [try $0.serverProcess()] } ?? [] }

    func close() { rows?.close() }

    private static func told(_ findings: StoreFindings?) -> NewerData {
        guard let findings else {
            return NewerData([
                BilingualText(
                    zh: "数据库在恢复之后的写入已无法判断",
                    en: "what was written to the database after the restore cannot be told any more")
            ])
        }
        return NewerData(findings)
    }

    /// Live files and links that the restore did not bring: of another path, or changed since it looked last. What is the very
    /// same file in the kept tree, with the bytes it had, is none.
    private func files() throws -> NewerData {
        guard part.mode.includesArtifacts else { return NewerData() }
        guard let mark = part.mark else {
            // Of 0.1.0, or of a restore whose journal was lost.
            return NewerData([
                BilingualText(
                    zh: "恢复之后写入的文件已无法判断", en: "which files were written after the restore cannot be told any more")
            ])
        }
        let kept = KeptParts(workspace).tree(of: part)
        let overwritten = try SharedFiles(workspace, part).overwritten()
        let brought = part.isOfUndo == true ? nil : try broughtFiles()
        var found: [BilingualText] = []
        var total = 0
        let arrived = part.arrived.map(Set.init)
        // A folder that was moved here brings files whose own times are old.
        var moved: EntryPath?
        var walk = try TreeWalk(
            root: OpenFile(workspace.stack.artifacts, .directoryThroughLink), prefix: nil,
            ignoring: LiveStack.notArtifacts)
        while let step = try walk.next() {
            try workspace.cancellation.check()
            guard case .entry(let entry, _, _) = step, let origin = entry.origin else { continue }
            if let folder = moved, entry.path.relative(to: folder) == nil { moved = nil }
            // The swap renamed the children of the root, which changed their inodes' times, and on xfs a folder's own, too.
            let isTop = entry.path.components.count == 1
            let isFresh = origin.changed >= mark && (!isTop || entry.modified >= mark)
            if case .directory = entry.kind {
                let isNew = isTop ? arrived.map { !$0.contains(origin.inode) } ?? isFresh : isFresh
                if isNew, moved == nil { moved = entry.path }
                continue
            }
            let twin = try FileStatus.ifPresent(kept.appending(entry.path.bytes))
            let isShared = twin.map { $0.inode == origin.inode && $0.device == origin.device } ?? false
            if isShared, !overwritten.contains(origin.inode) { continue }
            let reading = isFresh || moved != nil
            // What an undo brought is described nowhere: only stamps tell.
            if !isShared, try brought.map({ try isBrought(entry, $0[entry.path], reading: reading) }) ?? !reading {
                continue
            }
            total += 1
            if found.count < 1000 {
                found.append(
                    BilingualText(
                        zh: "文件 \(entry.path) 是恢复之后写入的", en: "file \(entry.path) was written after the restore"))
            }
        }
        return NewerData(found, total: total)
    }

    private func isBrought(
        _ entry: ArchiveEntry, _ record: ArchiveIndex.Record?, reading: Bool
    ) throws -> Bool {
        guard let record else { return false }
        switch (entry.kind, record.entry.kind) {
        case (.symbolicLink(let one), .symbolicLink(let other)): return one == other
        // Another name of a file that is looked at under its first one.
        case (.file, .hardLink): return !reading
        case (.file, .file):
            guard entry.size == record.entry.size else { return false }
            guard reading else { return true }
            return try StoredFileVerifier.digest(of: workspace.stack.artifacts.appending(entry.path.bytes)).digest
                == record.digest
        default: return false
        }
    }

    /// What the restored backup holds, by path.
    /// - Throws: `BackupError.noSuchBackup` where it is gone: it is pinned as long as the part is kept.
    private func broughtFiles() throws -> [EntryPath: ArchiveIndex.Record] {
        let records = try BackupContents(Catalogue(workspace.folder).item(named: part.backup)).records()
        var brought: [EntryPath: ArchiveIndex.Record] = [:]
        while let record = try records.next() {
            if let path = record.entry.path.relative(to: .artifacts) { brought[path] = record }
        }
        return brought
    }
}
