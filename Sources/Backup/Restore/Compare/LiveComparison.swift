// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import SystemIO

/// The live stack compared with what was prepared beside it: once while everybody works, and once more right before the
/// swap. See docs/restore.md, "Newer means different".
final class LiveComparison: LastLook {
    /// `nil` where no database is replaced, or none is there.
    private let store: (any StoreLook)?
    private let databases: any DatabaseSet
    private let names: DatabaseNames
    private let tree: TreeComparison?
    private(set) var moment: String?

    /// Opens its sessions: they go on working while the door to the database is shut.
    /// - Parameter clones: restored files that are known to equal live ones.
    init(_ workspace: Workspace, _ journal: RestoreJournal, _ hold: Hold, _ clones: [ClonedFile] = []) throws {
        (databases, names) = (hold.databases, journal.names)
        store =
            journal.mode.includesDatabase && journal.hadDatabase
            ? try hold.session.comparison(names, workspace.cancellation) : nil
        tree =
            journal.mode.includesArtifacts
            ? TreeComparison(
                live: workspace.stack.artifacts, restored: journal.swap.new, clones: clones,
                marksIn: journal.swap.work, cancellation: workspace.cancellation)
            : nil
    }

    func first(_ progress: ProgressSink) throws -> NewerData {
        let rows = try store?.first { done, all, table in
            progress(Progress(.comparing, detail: "\(table) (\(done + 1)/\(all))"))
        }
        let files = try tree.map { NewerData(try $0.first()) } ?? NewerData()
        return NewerData(known: rows) + files
    }

    /// Reads only what changed since `first`.
    func last() throws -> NewerData {
        // Files first: an upload needs no database, so the lock would hold nobody back who writes one.
        let files = try tree.map { NewerData(try $0.last()) } ?? NewerData()
        guard let rows = try store?.last() else { return files }
        moment = rows.moment
        return NewerData(known: rows.findings) + files
    }

    func swap() throws {
        guard let store else {
            // There was none when the restore began: what is in it has been compared with nothing.
            if try databases.exists(names.live) { throw BackupError.changedMeanwhile(path: names.live) }
            return try databases.swap(live: names.live, replacement: names.replacement, keepingOldAs: names.old)
        }
        try store.swap()
    }

    func close() { store?.close() }
}
