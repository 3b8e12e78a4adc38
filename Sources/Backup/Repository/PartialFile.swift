// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A file or a probe's folder in a folder of ours that somebody did not finish, or has not finished yet.
struct PartialFile {
    /// Whether its maker holds a lock on it as long as it lives.
    private let isLocked: Bool
    /// Who writes it without the operation lock, by process; `nil` where only the lock's holder does.
    private let writer: Int32?

    /// What is written under the operation lock alone: whoever holds the lock knows that nobody is at it.
    private static let locked = ["restore-journal", "claims.json.", KeptPart.prefix, PublicationIntent.prefix]

    init?(_ name: String) {
        guard name.hasSuffix(DurableFile.partialSuffix) else { return nil }
        let isAdoption = name.hasPrefix(Catalogue.adoptionPrefix)
        isLocked = isAdoption || name.hasPrefix(FileSystemProbe.prefix)
        guard !isAdoption, !Self.locked.contains(where: { name.hasPrefix($0) }) else {
            writer = nil
            return
        }
        // NAME.PID-NUMBER.partial, as `DurableFile` names them.
        let parts = name.split(separator: ".")
        guard parts.count >= 3, let pid = Int32(parts[parts.count - 2].prefix { $0 != "-" }), pid > 0 else {
            return nil
        }
        writer = pid
    }

    /// Calls `remove` where nobody is at it, and nobody can begin to be.
    func whereDead(_ path: FilePath, _ remove: (FilePath) throws -> Void) rethrows {
        // What cannot be looked at is looked at another time.
        if isLocked {
            // Its maker looks whether it is still there once it has the lock, or at its end.
            guard let file = try? OpenFile(path, .readNoFollow) else { return }
            do throws(SystemError) {
                guard try AdvisoryLock.tryLock(file) else { return }
            } catch {
                // A folder of NFS: its name says who makes it.
                guard writer != nil else { return }
                return try whereNamedDead(path, remove)
            }
            return try withExtendedLifetime(file) { try remove(path) }
        }
        try whereNamedDead(path, remove)
    }

    private func whereNamedDead(_ path: FilePath, _ remove: (FilePath) throws -> Void) rethrows {
        if let writer, kill(writer, 0) == 0 || errno == EPERM {
            // The number may be another process's by now, in a container above all. A small file is written in no time.
            guard let status = try? FileStatus.of(path), FileTime.now().seconds - 600 > status.modified.seconds else {
                return
            }
        }
        try remove(path)
    }
}
