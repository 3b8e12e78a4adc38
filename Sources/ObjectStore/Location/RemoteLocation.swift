// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Where objects are, as MLflow names the place. Its description has no credentials.
package struct RemoteLocation: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        case s3(bucket: String)
        case googleCloud(bucket: String)
        /// - `host`: of the account, as `ACCOUNT.blob.core.windows.net`; empty where the environment names it.
        case azureBlob(container: String, host: String)
        case sftp(Host), ftp(Host), hdfs(Host)
        /// - `isEncrypted`: HTTPS.
        case webDAV(Host, isEncrypted: Bool)
        /// A remote of an `rclone.conf`.
        case rclone(remote: String)
    }

    /// A server with a login in the location itself.
    package struct Host: Sendable, Equatable {
        package var name: String
        package var port: Int?
        package var user: String?
        package var password: Secret?
    }

    package let kind: Kind
    /// Below the bucket or the server's root, without a slash at either end, decoded; empty for the whole.
    package let path: [UInt8]

    /// What may be shown and kept: scheme, host and path.
    package var description: String {
        let path = String(decoding: path, as: UTF8.self).shown
        let tail = path.isEmpty ? "" : "/" + path
        return switch kind {
        case .s3(let bucket): "s3://\(bucket)" + tail
        case .googleCloud(let bucket): "gs://\(bucket)" + tail
        case .azureBlob(let container, let host):
            host.isEmpty ? "wasbs://\(container)" + tail : "wasbs://\(container)@\(host)" + tail
        case .sftp(let host): "sftp://\(host.shown)" + tail
        case .ftp(let host): "ftp://\(host.shown)" + tail
        case .hdfs(let host): "hdfs://\(host.shown)" + tail
        case .webDAV(let host, let isEncrypted): "webdav\(isEncrypted ? "s" : "")://\(host.shown)" + tail
        case .rclone(let remote): "rclone:\(remote):" + path
        }
    }
}

extension RemoteLocation.Host {
    /// Without a login: a user's name may be a token.
    fileprivate var shown: String {
        let name = name.contains(":") ? "[\(name)]" : name
        return port.map { "\(name):\($0)" } ?? name
    }
}
