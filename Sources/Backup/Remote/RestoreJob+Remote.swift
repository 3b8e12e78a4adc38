// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension RestoreJob {
    /// Objects of a store are not brought back, or not of one that is not configured: whoever goes on without them says so.
    /// - Throws: without force `BackupError.remoteRootsNotRestored`.
    func refuseRemote(_ manifest: Manifest, _ item: CatalogueItem) throws {
        guard options.mode.includesArtifacts, !options.force, !unknownRemote(manifest).isEmpty else { return }
        throw notRestored(manifest, item)
    }

    /// With force: what stays as it is, and how it is brought back by hand.
    func remoteLeft(_ manifest: Manifest, _ item: CatalogueItem) -> [BilingualText] {
        guard options.mode.includesArtifacts, !unknownRemote(manifest).isEmpty else { return [] }
        return [notRestored(manifest, item).explanation]
    }

    /// Of those that are not configured nobody knows where they are to go.
    private func unknownRemote(_ manifest: Manifest) -> [Manifest.Root] {
        guard options.bringsObjects else { return manifest.remoteRoots }
        return manifest.remoteRoots.filter { root in !stack.remote.contains { $0.name == root.name } }
    }

    private func notRestored(_ manifest: Manifest, _ item: CatalogueItem) -> BackupError {
        .remoteRootsNotRestored(
            backup: item.path.string, isFolder: item.kind == .uncompressed,
            roots: unknownRemote(manifest).map { .init(name: $0.name, location: $0.store?.location ?? "") })
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
            zh: "该备份含有对象存储中的 artifacts：\(list)，恢复不会写回它们（数据库恢复后可能引用其中缺少的对象）。请先用 \(commands) 写回"
                + "（keys-\(first) 中是名称不能作为路径的对象，其键在 tar 头的 MLFLOW.key 中）；其余部分用强制恢复（force）。",
            en:
                "The backup has artifacts of stores: \(list), and a restore does not bring them back; the restored database may refer to objects "
                + "that are not there. Upload them first by `\(commands)` (keys-\(first) has objects whose keys are no paths; the key is MLFLOW.key in the tar header). "
                + "Restore the rest with force.")
    }

    /// `bucket/prefix` of a location.
    private static func path(_ location: String) -> String {
        guard let mark = location.firstRange(of: "://") else { return location }
        return String(location[mark.upperBound...])
    }
}
