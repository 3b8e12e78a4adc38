// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A folder that nobody else can look into (mkdtemp, mode 0700), for as long as a child process needs it.
///
/// On a memory file system where there is one: what is in it reaches no disk. What a killed process left of one, with a password in it
/// maybe, goes when the same user makes the next: its maker holds a lock on it as long as it lives.
final class PrivateFolder {
    let path: FilePath
    private let lock: OpenFile?
    private var isRemoved = false

    private static let prefix = "mlflow-backup-run-"
    /// Seconds between making one and locking it, at most.
    private static let youth: Int64 = 60
    /// Of 0.2.0 and before, which locked none: six characters follow. After a week no program of theirs runs any more.
    private static let oldPrefix = "mlflow-backup-"
    private static let oldAge: Int64 = 7 * 86400

    init() throws(SystemError) {
        let parent: FilePath = Directory.isWritable("/dev/shm") ? "/dev/shm" : "/tmp"
        Self.clear(parent)
        var template = parent.appending(Self.prefix + "XXXXXX").bytes.map { CChar(bitPattern: $0) } + [0]
        guard mkdtemp(&template) != nil else { throw SystemError("make a folder in", path: parent.string) }
        path = FilePath(bytes: template.map { UInt8(bitPattern: $0) })
        lock = try? OpenFile(path, .directory)
        if let lock { _ = try? AdvisoryLock.tryLock(lock) }
    }

    deinit {
        // Reached without `remove` only when something else has failed already, which is what the caller throws.
        if !isRemoved { try? Directory.removeTree(path) }
    }

    /// What cannot be looked at, or removed, is looked at another time: it stands in nobody's way.
    static func clear(_ parent: FilePath) {
        for name in (try? Directory.names(in: parent)) ?? [] where name.starts(with: oldPrefix.utf8) {
            let path = parent.appending(name)
            let isOld = name.count == oldPrefix.utf8.count + 6
            guard name.starts(with: prefix.utf8) || isOld else { continue }
            if isOld, (try? FileStatus.of(path.appending(PasswordFile.name))) == nil { continue }
            guard let found = try? OpenFile(path, .directory), let status = try? found.status(),
                status.owner == geteuid(), status.mode & 0o777 == 0o700,
                status.modified.seconds < FileTime.now().seconds.subtracting(clamped: isOld ? oldAge : youth),
                (try? AdvisoryLock.tryLock(found)) == true
            else { continue }
            try? Directory.removeTree(path)
        }
    }

    func remove() throws(SystemError) {
        isRemoved = true
        try Directory.removeTree(path)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws(SystemError) -> FilePath {
        let file = try OpenFile(path.appending(name), .createNew(mode: 0o600))
        try file.write(bytes)
        return file.path
    }
}
