// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// Files that the kept tree and the live one share, because they were right already when the restore came. A program that
/// writes one in place changes both. The backup that was restored knows what they held.
struct SharedFiles {
    private let workspace: Workspace
    private let part: KeptPart

    init(_ workspace: Workspace, _ part: KeptPart) {
        self.workspace = workspace
        self.part = part
    }

    /// Those whose bytes are not the backup's any more. Only what was changed since the swap is read.
    /// - Throws: `BackupError.noSuchBackup` where the backup is gone that could tell.
    func overwritten() throws -> Set<EntryPath> {
        guard part.mode.includesArtifacts, let mark = part.mark else { return [] }
        let tree = KeptParts(workspace).tree(of: part)
        guard try FileStatus.ifPresent(tree) != nil else { return [] }
        let suspects = try changedSince(mark, in: tree)
        guard !suspects.isEmpty else { return [] }
        var overwritten: Set<EntryPath> = []
        let records = try BackupContents(Catalogue(workspace.folder).item(named: part.backup)).records()
        while let record = try records.next() {
            guard case .file = record.entry.kind, let path = record.entry.path.relative(to: .artifacts),
                suspects.contains(path)
            else { continue }
            try workspace.cancellation.check()
            let (size, digest) = try StoredFileVerifier.digest(of: tree.appending(path.bytes))
            if size != record.entry.size || digest != record.digest { overwritten.insert(path) }
        }
        return overwritten
    }

    /// Gives each of these its bytes of before again, under the kept name alone.
    func putRight(_ paths: Set<EntryPath>) throws {
        // Where nothing is to be put right, nobody need know which backup it was.
        guard !paths.isEmpty else { return }
        let tree = KeptParts(workspace).tree(of: part)
        let contents = BackupContents(try Catalogue(workspace.folder).item(named: part.backup))
        for path in paths {
            try workspace.cancellation.check()
            guard let stored = EntryPath(Array("artifacts/".utf8) + path.bytes) else { continue }
            let target = tree.appending(path.bytes)
            let status = try FileStatus.of(target)
            let partial = FilePath(bytes: target.bytes + Array(DurableFile.partialSuffix.utf8))
            try Directory.removeTree(partial)
            do {
                let file = try OpenFile(partial, .createNew(mode: 0o600))
                try contents.copy(stored) { try file.write($0) }
                if ProcessPrivilege.isRoot { try file.setOwner(user: status.owner, group: status.group) }
                try file.setMode(status.mode)
                try file.sync()
                try Directory.rename(partial, to: target)
            } catch {
                try Directory.removeTree(partial)
                throw error
            }
        }
    }

    /// Files that were shared at the swap and whose inode changed since: written in place, or only linked and unlinked.
    private func changedSince(_ mark: FileTime, in tree: FilePath) throws -> Set<EntryPath> {
        let shared = try KeptPart.shared(of: part.id, in: workspace.folder)
        guard !shared.isEmpty else { return [] }
        var found: Set<EntryPath> = []
        var walk = try TreeWalk(root: OpenFile(tree, .directory), prefix: nil)
        while let step = try walk.next() {
            guard case .entry(let entry, _, _) = step, case .file = entry.kind, let origin = entry.origin,
                origin.changed >= mark, shared.contains(origin.inode)
            else { continue }
            found.insert(entry.path)
        }
        return found
    }
}
