// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import Postgres
import SystemIO

/// The live stack compared with what was prepared beside it: once while everybody works, and once more right before the
/// swap. See docs/restore.md, "Newer means different".
final class LiveComparison: LastLook {
    /// `nil` where no database is replaced, or none is there.
    private let store: StoreComparison?
    private let tree: TreeComparison?
    private(set) var moment: String?

    /// Opens its sessions: they go on working while the door to the database is shut.
    /// - Parameter clones: restored files that are known to equal live ones.
    init(_ workspace: Workspace, _ journal: RestoreJournal, _ clones: [ClonedFile] = []) throws {
        let database = workspace.stack.database
        store =
            journal.mode.includesDatabase && journal.hadDatabase
            ? try StoreComparison(
                live: database, restored: database.naming(database: journal.newDatabase),
                cancellation: workspace.cancellation)
            : nil
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
        return (rows.map(NewerData.init) ?? NewerData()) + files
    }

    /// Reads only what changed since `first`.
    func last() throws -> NewerData {
        // Files first: an upload needs no database, so the lock would hold nobody back who writes one.
        let files = try tree.map { NewerData(try $0.last()) } ?? NewerData()
        guard let rows = try store?.lastLocking() else { return files }
        moment = rows.moment
        return NewerData(rows.findings) + files
    }

    func serverProcesses() throws -> [Int] { try store?.serverProcesses() ?? [] }

    func confirm() throws(PostgresError) { try store?.confirm() }

    func close() { store?.close() }
}
