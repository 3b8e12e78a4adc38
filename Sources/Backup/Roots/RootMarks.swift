// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What the backups of a stack noted of the folders beside the first: by their marks an empty folder in the place of a disk that
/// is not mounted is known, and one that was given another's name.
struct RootMarks {
    /// By the names of the folders.
    private let noted: [String: String]

    /// - Parameter items: the catalogue, newest first. Of each folder the newest that noted a mark counts: one that was made while the
    ///   mark was away says nothing.
    init(of stack: StackIdentity, among items: [CatalogueItem]) {
        noted = items.reduce(into: [:]) { noted, item in
            guard item.isWhole, item.sidecar?.stack?.isSameStack(as: stack) == true else { return }
            noted.merge(item.sidecar?.summary?.rootMarks ?? [:]) { newer, _ in newer }
        }
    }

    /// The mark that a folder had and has no more; `nil` where it has one, or never had.
    func lost(in view: LiveStack) throws -> String? {
        guard let known = known(view), try ArtifactsMark.read(in: view.artifacts) == nil else { return nil }
        return known
    }

    func known(_ view: LiveStack) -> String? { view.root.flatMap { noted[$0] } }

    /// Whether the folder has the mark of another one.
    func isAnother(_ view: LiveStack) throws -> Bool {
        guard let known = known(view), let found = try ArtifactsMark.read(in: view.artifacts) else { return false }
        return found.id != known
    }

    /// - Throws: `BackupError.artifactsEmptied` for a folder that is another one.
    func refuseAnother(_ view: LiveStack) throws {
        guard try isAnother(view) else { return }
        throw BackupError.artifactsEmptied(path: view.artifacts.string, why: .another(name: view.root ?? ""))
    }

    /// - Throws: `BackupError.artifactsEmptied` for a folder that is empty and was not, or that is another one.
    func refuseAway(_ view: LiveStack) throws {
        try refuseAnother(view)
        guard try lost(in: view) != nil, try view.holdsNoArtifacts() else { return }
        throw BackupError.artifactsEmptied(path: view.artifacts.string)
    }

    /// - Returns: what a person should know of a folder that lost its mark.
    /// - Throws: `BackupError.artifactsEmptied`.
    func check(_ view: LiveStack) throws -> BilingualText? {
        try refuseAway(view)
        let (name, path) = (view.root ?? "", view.artifacts)
        guard try lost(in: view) != nil else { return nil }
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
    /// - Parameter only: the names of those that are meant; `nil` for all.
    func markFurther(
        _ workspace: Workspace, among items: [CatalogueItem], claiming: Bool = false, only: Set<String>? = nil
    ) throws {
        guard !workspace.stack.further.isEmpty else { return }
        let marks = RootMarks(of: identity, among: items)
        for view in workspace.views where only?.contains(view.stack.root ?? "") ?? true {
            var known = try marks.lost(in: view.stack)
            if known != nil, !claiming { continue }
            let mark = view.stack.artifacts.appending(ArtifactsMark.fileName)
            // A person says that it is the right one: it gets the mark that the name had.
            if claiming, try marks.isAnother(view.stack) {
                known = marks.known(view.stack)
                try Directory.remove(mark)
            }
            do throws(SystemError) { try LiveStack.makeWay(for: mark) { $0 == .directory } } catch {
                // That it cannot be moved is no reason against a backup.
                if claiming { throw error }
                workspace.log.warning("a folder is in the way of the mark", ["path": mark, "reason": error.reason])
            }
            _ = try ArtifactsMark.ensure(in: view.stack.artifacts, using: workspace.folder, known: known)
        }
    }

    func identity(in view: Workspace) throws -> StackIdentity { try identity.seen(in: view.stack) }

    /// The same for who stops for nothing: where the mark cannot be read, another check says so.
    func identityIfKnown(in view: Workspace) -> StackIdentity {
        do { return try identity(in: view) } catch {
            var own = identity
            own.artifacts = nil
            return own
        }
    }
}

extension StackIdentity {
    /// Whose a folder's journals and kept parts are: the stack's, by the mark of that folder.
    func seen(in view: LiveStack) throws -> StackIdentity {
        guard view.root != nil else { return self }
        var own = self
        own.artifacts = try ArtifactsMark.read(in: view.artifacts)?.id
        return own
    }
}
