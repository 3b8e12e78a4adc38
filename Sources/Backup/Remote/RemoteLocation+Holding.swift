// SPDX-License-Identifier: Apache-2.0

import ObjectStore

extension RemoteLocation {
    /// Whether another place is this one or below it, by whole parts of its path. By which endpoint, and with which login it is reached,
    /// makes no other place.
    func holds(_ other: RemoteLocation) -> Bool {
        guard isSameStore(as: other) else { return false }
        if path.isEmpty || other.path == path { return true }
        return other.path.starts(with: path + [UInt8(ascii: "/")])
    }

    /// - Parameter uri: as MLflow has it. What is no place of ours is below none.
    func holds(uri: String) -> Bool {
        do throws(ObjectStoreError) { return holds(try RemoteLocation(uri)) } catch { return false }
    }

    private func isSameStore(as other: RemoteLocation) -> Bool {
        switch (kind, other.kind) {
        case (.s3(let mine), .s3(let others)), (.googleCloud(let mine), .googleCloud(let others)): mine == others
        case (.azureBlob(let mine, let host), .azureBlob(let others, let otherHost)):
            mine == others && (host == otherHost || host.isEmpty || otherHost.isEmpty)
        case (.sftp(let mine), .sftp(let others)): mine.isSame(as: others, port: 22)
        case (.ftp(let mine), .ftp(let others)): mine.isSame(as: others, port: 21)
        case (.hdfs(let mine), .hdfs(let others)): mine.isSame(as: others, port: 8020)
        case (.webDAV(let mine, let isEncrypted), .webDAV(let others, let isOtherEncrypted)):
            isEncrypted == isOtherEncrypted && mine.isSame(as: others, port: isEncrypted ? 443 : 80)
        case (.rclone(let mine), .rclone(let others)): mine == others
        default: false
        }
    }
}

extension RemoteLocation.Host {
    fileprivate func isSame(as other: RemoteLocation.Host, port usual: Int) -> Bool {
        name.lowercased() == other.name.lowercased() && (port ?? usual) == (other.port ?? usual)
    }
}
