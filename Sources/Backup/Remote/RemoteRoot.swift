// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO

/// A root of artifacts that is no folder (`ARTIFACT_ROOTS`): a bucket, a part of one, a server's folder.
package struct RemoteRoot: Sendable {
    /// What backups call it, as `ArtifactFolder.name`.
    package let name: String
    package let location: RemoteLocation
    private let variables: StoreVariables
    private let rclone: FilePath
    var patience: RequestPatience

    /// - Parameters:
    ///   - variables: MLflow's own, with the credentials.
    ///   - rclone: the program; S3 with keys at hand does not need it.
    /// - Returns: `nil` for a name that is none.
    package init?(
        name: String, location: RemoteLocation, variables: StoreVariables, rclone: FilePath = "/usr/bin/rclone",
        patience: RequestPatience = RequestPatience()
    ) {
        guard ArtifactFolder.isName(name) else { return nil }
        (self.name, self.location, self.variables) = (name, location, variables)
        (self.rclone, self.patience) = (rclone, patience)
    }

    /// For the life of one operation, or of one look.
    /// - Parameter folder: where rclone may have a folder of its own, which goes with the store.
    /// - Throws: `ObjectStoreError.badCredentials`, `.rcloneMissing`.
    func open(
        in folder: FilePath = "/tmp", cancellation: Cancellation, patience other: RequestPatience? = nil
    ) throws -> any RemoteStore {
        let patience = other ?? patience
        if let settings = try S3Settings(location, variables) {
            return S3Store(settings, place: location.description, patience: patience, cancellation: cancellation)
        }
        let daemon = try RcloneDaemon(
            try RcloneConfiguration(location, variables), program: rclone, in: folder, patience: patience,
            cancellation: cancellation)
        return RcloneStore(daemon, place: location.description, patience: patience, cancellation: cancellation)
    }

    /// What it is for a manifest: `s3`, `gs`, `sftp`.
    var kind: String { String(location.description.prefix { $0 != ":" }) }

    /// Keys of ours directly below the root: the mark, and what restores keep aside.
    static func isOurs(_ key: ObjectKey) -> Bool {
        LiveStack.ownNames.contains { name in
            key.bytes.starts(with: name)
                && (key.bytes.count == name.count || key.bytes[name.count] == UInt8(ascii: "/"))
        }
    }
}

extension LiveStack {
    /// Of the names that are not artifacts those that are ours in any root.
    static let ownNames: Set<[UInt8]> = [
        Array(ArtifactSwap.folderName.utf8), Array(ArtifactsMark.fileName.utf8),
    ]

    /// A root beside the first folder.
    enum Further {
        case folder(ArtifactFolder)
        case remote(RemoteRoot)

        var name: String {
            switch self {
            case .folder(let folder): folder.name
            case .remote(let root): root.name
            }
        }
    }

    /// All of them in the order of their names, which is that in which they are in a backup.
    var furtherRoots: [Further] {
        (further.map { .folder($0) } + remote.map { .remote($0) }).sorted { $0.name < $1.name }
    }

    /// - Throws: `BackupError.rootsOverlap` for remote roots of which one lies in another.
    func refuseNestedRemotes() throws {
        for (number, inner) in remote.enumerated() {
            for (other, outer) in remote.enumerated() where other != number && outer.location.holds(inner.location) {
                throw BackupError.rootsOverlap(inner: inner.location.description, outer: outer.location.description)
            }
        }
    }
}
