// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What the backups of a stack noted of the folders beside the first: by their marks an empty folder in the place of a disk that
/// is not mounted is known, and one that was given another's name.
struct RootMarks {
    /// By the names of the folders.
    private let noted: [String: String]

    /// - Parameter items: the catalogue, newest first.
    init(of stack: StackIdentity, among items: [CatalogueItem]) {
        let newest = items.lazy
            .filter {
                $0.isWhole && $0.sidecar?.summary?.roots != nil && $0.sidecar?.stack?.isSameStack(as: stack) == true
            }
            .compactMap { (try? $0.quickManifest())?.roots }.first
        noted = Dictionary((newest ?? []).compactMap { root in root.mark.map { (root.name, $0) } }) { first, _ in first
        }
    }

    /// The mark that a folder had and has no more; `nil` where it has one, or never had.
    func lost(in view: LiveStack) throws -> String? {
        guard let name = view.root, let known = noted[name],
            try ArtifactsMark.read(in: view.artifacts) == nil
        else { return nil }
        return known
    }

    /// Whether the folder has the mark of another one.
    private func isAnother(_ view: LiveStack) throws -> Bool {
        guard let name = view.root, let known = noted[name], let found = try ArtifactsMark.read(in: view.artifacts)
        else { return false }
        return found.id != known
    }

    /// - Returns: what a person should know of a folder that is not what it was.
    /// - Throws: `BackupError.artifactsEmptied` for one that is empty.
    func check(_ view: LiveStack) throws -> BilingualText? {
        let (name, path) = (view.root ?? "", view.artifacts)
        if try isAnother(view) {
            return BilingualText(
                zh: "artifacts 目录 \(name)（\(path)）不是上次备份时的那一个：请检查 ARTIFACT_ROOTS 中的名称是否写反，以及磁盘是否挂载正确。",
                en:
                    "The artifacts folder \(name) (\(path)) is not the one that was last backed up by that name: check that the names in "
                    + "ARTIFACT_ROOTS are not the wrong way round, and that the right disk is mounted.")
        }
        guard try lost(in: view) != nil else { return nil }
        if try view.holdsNoArtifacts() { throw BackupError.artifactsEmptied(path: path.string) }
        return BilingualText(
            zh: "artifacts 目录 \(name)（\(path)）中的标记已丢失。请确认挂载的是正确的磁盘，然后运行 mlflow-backup claim 重新写入标记。",
            en:
                "The mark of the artifacts folder \(name) (\(path)) is gone. Make sure that the right disk is mounted, then write it again "
                + "by `mlflow-backup claim`.")
    }
}

extension Hold {
    /// Marks the folders beside the first, as `markingArtifacts` does that one. One whose mark was lost gets none before a person
    /// said that it is right.
    func markFurther(_ workspace: Workspace, among items: [CatalogueItem], claiming: Bool = false) throws {
        guard !workspace.stack.further.isEmpty else { return }
        let marks = RootMarks(of: identity, among: items)
        for view in workspace.views {
            let lost = try marks.lost(in: view.stack)
            if lost != nil, !claiming { continue }
            try LiveStack.makeWay(for: view.stack.artifacts.appending(ArtifactsMark.fileName)) { $0 == .directory }
            _ = try ArtifactsMark.ensure(in: view.stack.artifacts, using: workspace.folder, known: lost)
        }
    }

    /// Whose a folder's journals and kept parts are: the stack's, by the mark of that folder.
    func identity(in view: Workspace) throws -> StackIdentity {
        guard view.stack.root != nil else { return identity }
        var own = identity
        own.artifacts = try ArtifactsMark.read(in: view.stack.artifacts)?.id
        return own
    }

    /// The same for who stops for nothing: where the mark cannot be read, another check says so.
    func identityIfKnown(in view: Workspace) -> StackIdentity {
        do { return try identity(in: view) } catch {
            var own = identity
            own.artifacts = nil
            return own
        }
    }
}
