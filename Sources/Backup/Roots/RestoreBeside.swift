// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The restore of one folder beside the first: a restore of artifacts in the view of that folder, which waits for the first one's swap.
struct RestoreBeside {
    let job: RestoreJob
    /// As if that folder were all that the backup has.
    let manifest: Manifest

    private var workspace: Workspace { job.workspace }

    /// As `RestoreJob.refuseArtifactsAway`: a folder that is not the one that was backed up is not restored into before a person
    /// says so.
    /// - Throws: `BackupError.artifactsMissing`, `.artifactsEmptied`.
    private func refuseAway(_ marks: RootMarks, hasDatabase: Bool) throws {
        let view = workspace.stack
        let isThere = try RestoreJournal.identity(of: view.artifacts) != nil
        if isThere {
            try view.checkArtifactsFolder()
            try marks.refuseAnother(view)
        }
        guard hasDatabase, try marks.lost(in: view) != nil else { return }
        guard isThere else { return try view.checkArtifactsFolder() }
        throw BackupError.artifactsEmptied(
            path: view.artifacts.string, why: try view.holdsNoArtifacts() ? .empty : .unmarked)
    }

    /// The same of all, for whom the catalogue is read once.
    static func refuseAway(_ others: [RestoreBeside], _ identity: StackIdentity, on databases: any DatabaseSet) throws {
        guard let first = others.first?.workspace else { return }
        let marks = RootMarks(of: identity, among: try Catalogue(first.folder).items())
        let hasDatabase = try databases.exists(first.stack.database.name)
        for other in others { try other.refuseAway(marks, hasDatabase: hasDatabase) }
    }

    /// As `RestoreJob.check`, at once.
    /// - Throws: `BackupError.newerData`, with the folder's name.
    func check(_ item: CatalogueItem, atMost seconds: Double = .infinity) throws {
        do {
            try QuickCheck(workspace.stack, atMost: seconds, cancellation: workspace.cancellation).run(
                against: manifest, item, mode: .artifacts)
        } catch BackupError.newerData(let backup, let newer) {
            throw BackupError.newerData(backup: backup, newer: newer.inRoot(workspace.stack.root ?? ""))
        }
    }

    /// Unpacks it beside the live folder.
    /// - Parameter staged: it is added to, once there is something to take back where this fails.
    func stage(
        _ item: CatalogueItem, behind leader: RestoreJournal, _ hold: Hold, into staged: inout [StagedBeside]
    ) throws {
        var journal = try job.journal(for: item, hold, behind: leader)
        try journal.write(in: workspace.state)
        do {
            let own = try job.stage(item, manifest, &journal, hold)
            staged.append(StagedBeside(workspace: workspace, journal: journal, staged: own))
        } catch {
            DataSwap(workspace: workspace, hold: hold, force: false).abandon(journal, because: error)
            throw error
        }
    }
}

/// What lies beside one of the further folders, ready for the swap.
struct StagedBeside {
    let workspace: Workspace
    let journal: RestoreJournal
    let staged: RestoreJob.Staged

    var name: String { journal.root ?? "" }
    var comparison: LiveComparison { staged.comparison }
    var files: Int { staged.files }
    var unchanged: Int { staged.unchanged.count }
    var warnings: [BilingualText] { staged.warnings }

    /// - Returns: whether nothing of it is left.
    func abandon(_ hold: Hold, because cause: any Error) -> Bool {
        DataSwap(workspace: workspace, hold: hold, force: false).abandon(journal, because: cause)
    }

    func swap(_ hold: Hold, force: Bool) -> FollowingSwap {
        var swap = DataSwap(workspace: workspace, hold: hold, force: force)
        swap.shared = staged.unchanged.inodes
        let (unchanged, unpacked, workspace) = (staged.unchanged, journal.swap.new, workspace)
        return FollowingSwap(swap, journal, staged.comparison) {
            try unchanged.check(in: unpacked, KeptParts(workspace), cancellation: workspace.cancellation)
        }
    }
}

extension RestoreJob {
    /// The folders beside the first that the backup has.
    /// - Throws: `BackupError.rootsUnknown` for those of which nobody said where they are here.
    func beside(_ manifest: Manifest) throws -> [RestoreBeside] {
        guard options.mode.includesArtifacts, let roots = manifest.roots?.filter({ $0.store == nil }) else { return [] }
        let views = workspace.views
        let unknown = roots.map(\.name).filter { name in !views.contains { $0.stack.root == name } }
        if !unknown.isEmpty { throw BackupError.rootsUnknown(names: unknown) }
        var own = options
        own.mode = .artifacts
        own.backupFirst = nil
        return views.compactMap { view in
            guard let name = view.stack.root, roots.contains(where: { $0.name == name }),
                let manifest = manifest.viewed(at: name)
            else { return nil }
            return RestoreBeside(job: RestoreJob(view, options: own), manifest: manifest)
        }
    }

    /// Folders that the backup does not have stay as they are.
    func besideBackup(_ manifest: Manifest) -> [BilingualText] {
        guard options.mode.includesArtifacts else { return [] }
        let known = Set((manifest.roots ?? []).map(\.name))
        let left = stack.furtherRoots.map(\.name).filter { !known.contains($0) }
        guard !left.isEmpty else { return [] }
        return [
            BilingualText(
                zh: "该备份不含 artifacts 目录 \(left.joined(separator: "、"))，它们保持原样。",
                en:
                    "The backup does not have the artifacts folders \(left.joined(separator: ", ")): they stay as they are."
            )
        ]
    }
}
