// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What rclone is told of one store. Nothing of it is ever an argument: parameters go over the daemon's own socket, and rclone keeps
/// them in a file (0600) in the daemon's private folder.
package struct RcloneConfiguration: Sendable, Equatable {
    /// Of a remote that is made for this operation; `nil` where the user's `rclone.conf` has it.
    let remote: Remote?
    /// The user's `rclone.conf`.
    let file: FilePath?
    /// `REMOTE:path`, which the store's root is.
    let root: String
    /// Of the child.
    let environment: [String: String]

    struct Remote: Sendable, Equatable {
        /// rclone's word for the kind of store.
        let type: String
        var parameters: [String: Parameter]
    }

    enum Parameter: Sendable, Equatable {
        case plain(String)
        /// What rclone obscures in its file, or what has to be kept from every eye.
        case secret(Secret)

        var text: String {
            switch self {
            case .plain(let text): text
            case .secret(let secret): secret.revealed
            }
        }
    }

    /// The remote that `Remote` becomes.
    static let name = "store"

    /// As MLflow's own client would reach the place.
    /// - Throws: `.badCredentials`.
    package init(_ location: RemoteLocation, _ variables: StoreVariables) throws(ObjectStoreError) {
        environment = variables.forRclone
        let path = String(decoding: location.path, as: UTF8.self)
        if case .rclone(let name) = location.kind {
            let named = try variables.file("RCLONE_CONFIG")
            guard let file = named ?? variables.home(".config/rclone/rclone.conf") else {
                throw .badCredentials(name: "RCLONE_CONFIG", reason: "no file has the remote \(name)")
            }
            (remote, self.file, root) = (nil, file, "\(name):\(path)")
            return
        }
        let made = try Self.remote(location, variables)
        for (name, value) in made.parameters where value.text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw .badCredentials(name: name, reason: "it has control characters")
        }
        remote = made
        file = nil
        let top = [location.bucket, path].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "/")
        // A server's paths are MLflow's from its root on, not from the home folder of who logs in.
        root = "\(Self.name):" + (location.isOnServer ? "/" + top : top)
    }

    private static func remote(
        _ location: RemoteLocation, _ variables: StoreVariables
    ) throws(ObjectStoreError) -> Remote {
        switch location.kind {
        case .s3: try s3(variables)
        case .googleCloud: try googleCloud(variables)
        case .azureBlob(let container, let host): try azure(container, host, variables)
        case .sftp(let host): sftp(host, variables)
        case .ftp(let host): Remote(type: "ftp", parameters: login(host, hostName: "host"))
        case .hdfs(let host): hdfs(host, variables)
        case .webDAV(let host, let isEncrypted): webDAV(host, isEncrypted)
        case .rclone: throw .badLocation(reason: "a remote of rclone.conf")
        }
    }
}

extension RemoteLocation {
    fileprivate var bucket: String? {
        switch kind {
        case .s3(let bucket), .googleCloud(let bucket): bucket
        case .azureBlob(let container, _): container
        default: nil
        }
    }

    fileprivate var isOnServer: Bool {
        switch kind {
        case .sftp, .hdfs: true
        default: false
        }
    }
}
