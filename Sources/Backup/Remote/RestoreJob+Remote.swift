// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension RestoreJob {
    /// Objects of a store are not brought back: whoever goes on without them says so.
    /// - Throws: without force `BackupError.remoteRootsNotRestored`.
    func refuseRemote(_ manifest: Manifest, _ item: CatalogueItem) throws {
        guard options.mode.includesArtifacts, !options.force, !manifest.remoteRoots.isEmpty else { return }
        throw Self.notRestored(manifest, item)
    }

    /// With force: what stays as it is, and how it is brought back by hand.
    func remoteLeft(_ manifest: Manifest, _ item: CatalogueItem) -> [BilingualText] {
        guard options.mode.includesArtifacts, !manifest.remoteRoots.isEmpty else { return [] }
        return [Self.notRestored(manifest, item).explanation]
    }

    private static func notRestored(_ manifest: Manifest, _ item: CatalogueItem) -> BackupError {
        .remoteRootsNotRestored(
            backup: item.path.string, isFolder: item.kind == .uncompressed,
            roots: manifest.remoteRoots.map { .init(name: $0.name, location: $0.store?.location ?? "") })
    }
}

extension BackupError {
    /// A root of a backup that is no folder.
    package struct RemoteRootName: Sendable, Equatable {
        package let name: String
        package let location: String

        package init(name: String, location: String) { (self.name, self.location) = (name, location) }
    }

    /// Of `remoteRootsNotRestored`.
    static func remoteExplanation(_ backup: String, isFolder: Bool, _ roots: [RemoteRootName]) -> BilingualText {
        let list = roots.prefix(5).map { "\($0.name) (\($0.location.shown))" }.joined(separator: ", ")
        let first = roots.first?.name ?? ""
        let target = "REMOTE:" + (roots.first.map { Self.path($0.location) } ?? "")
        let backup = backup.shellQuoted
        let commands =
            isFolder
            ? "rclone copy \(backup)/artifacts-\(first) \(target.shellQuoted)"
            : "tar -xzf \(backup) mlflow_backup/artifacts-\(first) && rclone copy mlflow_backup/artifacts-\(first) "
                + target.shellQuoted
        return BilingualText(
            zh: "该备份含有对象存储中的 artifacts：\(list)。恢复不会写回它们，存储中的对象保持原样。请用 \(commands) 写回"
                + "（keys-\(first) 中是名称不能作为路径的对象，其键在 tar 头的 MLFLOW.key 中）；其余部分用 --force 恢复。",
            en:
                "The backup has artifacts of stores: \(list). A restore does not bring these back; the objects there stay as they are. Upload "
                + "them by `\(commands)` (keys-\(first) has objects whose keys are no paths; the key is MLFLOW.key in the tar header). "
                + "Restore the rest with --force.")
    }

    /// `bucket/prefix` of a location.
    private static func path(_ location: String) -> String {
        guard let mark = location.firstRange(of: "://") else { return location }
        return String(location[mark.upperBound...])
    }
}
