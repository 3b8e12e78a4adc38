// SPDX-License-Identifier: Apache-2.0

import Backup
import ObjectStore
import SystemIO
import Wording

extension Settings {
    /// `ARTIFACT_ROOTS`: a line each, a folder of this machine or a store.
    /// - Parameter variables: where MLflow has the credentials of stores.
    static func artifactRoots(
        _ reader: SettingsReader, _ variables: StoreVariables
    ) throws(SettingsError) -> (folders: [ArtifactFolder], remote: [RemoteRoot]) {
        let text = reader.text(.artifactRoots) ?? ""
        var (folders, remote): ([ArtifactFolder], [RemoteRoot]) = ([], [])
        for (number, line) in text.split(whereSeparator: \.isWhitespace).enumerated() {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            let isTaken = folders.contains { $0.name == parts.first } || remote.contains { $0.name == parts.first }
            guard parts.count == 2, !isTaken else { throw bad(text, number) }
            if parts[1].hasPrefix("/") {
                guard let folder = ArtifactFolder(name: parts[0], path: FilePath(parts[1])) else {
                    throw bad(text, number)
                }
                folders.append(folder)
                continue
            }
            let location: RemoteLocation
            do throws(ObjectStoreError) { location = try RemoteLocation(parts[1]) } catch {
                throw bad(text, number, error.explanation)
            }
            guard
                let root = RemoteRoot(
                    name: parts[0], location: location, variables: variables, rclone: rclone(variables["PATH"]))
            else { throw bad(text, number) }
            remote.append(root)
        }
        return (folders, remote)
    }

    private static func rclone(_ path: String?) -> FilePath {
        let found = (path ?? "").split(separator: ":").filter { $0.hasPrefix("/") }
            .map { FilePath(String($0)).appending("rclone") }
            .first { (try? FileStatus.of($0).kind) == .file }
        return found ?? "/usr/bin/rclone"
    }

    /// - Parameter reason: why a URI is none, which says nothing of what is in it.
    private static func bad(_ text: String, _ number: Int, _ reason: BilingualText = .empty) -> SettingsError {
        // A URI may hold a password anywhere.
        let shown = text.contains(":") || text.contains("@") ? "#\(number + 1)" : text
        let allowed = BilingualText(
            zh: "名称=绝对路径 或 名称=URI（s3://桶/前缀），用空格或换行分隔，名称各不相同，由小写字母、数字和连字符组成，例如 models=/mnt/models",
            en:
                "NAME=/absolute/path or NAME=URI (s3://bucket/prefix), separated by spaces or line ends, with names of lower-case letters, digits and hyphens, each once, such as models=/mnt/models"
        )
        return .badValue(
            variable: SettingName.artifactRoots.rawValue, shown: shown,
            allowed: reason.english.isEmpty
                ? allowed
                : allowed + BilingualText(zh: "；", en: "; ") + reason)
    }
}
