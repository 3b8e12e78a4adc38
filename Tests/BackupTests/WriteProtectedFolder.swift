// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// A backup folder that nobody can write to for a while, and is what it was afterwards.
enum WriteProtectedFolder: String, CaseIterable, CustomTestStringConvertible {
    /// A bind mount: as a disk that is mounted with `-o ro`.
    case readOnlyMount
    /// The image of a file system, of the backups alone: none of our own state is on it.
    case image
    /// The folder and our own one in it are immutable, as an administrator makes them.
    case immutable

    var testDescription: String { rawValue }

    /// Who may not mount in this environment runs none of these.
    static let canMount: Bool = {
        guard geteuid() == 0, let folder = try? TemporaryFolder("may-mount") else { return false }
        let path = folder.path
        return (try? Shell.sh("mount --bind '\(path)' '\(path)' && umount '\(path)'")) != nil
    }()

    func around<Result>(_ folder: BackupFolder, _ body: () throws -> Result) throws -> Result {
        let path = folder.path
        switch self {
        case .readOnlyMount:
            try ReadOnlyMount.make(over: path)
        case .image:
            try Shell.sh(
                """
                mkdir '\(path).only' && cp -a '\(path)'/mlflow* '\(path).only'/ && truncate -s 24M '\(path).img' &&
                mkfs.ext4 -q -d '\(path).only' '\(path).img' && mount -o ro,loop '\(path).img' '\(path)'
                """)
        case .immutable: try Shell.sh("chattr +i '\(folder.lock)' '\(folder.state)' '\(path)'")
        }
        defer {
            let end =
                self == .immutable
                ? "chattr -i '\(path)' '\(folder.state)' '\(folder.lock)'"
                : "umount '\(path)' && rm -rf '\(path).only' '\(path).img'"
            _ = try? Shell.sh(end)
        }
        return try body()
    }
}
