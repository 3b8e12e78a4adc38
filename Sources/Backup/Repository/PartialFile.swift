// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A file or a probe's folder in a folder of ours that somebody did not finish, or has not finished yet.
struct PartialFile {
    private let isAdoption: Bool
    /// Who writes it without the operation lock, by process; `nil` where only the lock's holder does.
    private let writer: Int32?

    /// What is written under the operation lock alone: whoever holds the lock knows that nobody is at it.
    private static let locked = ["restore-journal", "claims.json.", KeptPart.prefix, PublicationIntent.prefix]

    init?(_ name: String) {
        guard name.hasSuffix(DurableFile.partialSuffix) else { return nil }
        isAdoption = name.hasPrefix(Catalogue.adoptionPrefix)
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
        if isAdoption {
            // Its maker holds a lock on it as long as it lives, and looks whether it is still there once it has the lock.
            guard let file = try? OpenFile(path, .readNoFollow), (try? AdvisoryLock.tryLock(file)) == true else {
                return
            }
            return try withExtendedLifetime(file) { try remove(path) }
        }
        if let writer, kill(writer, 0) == 0 || errno == EPERM {
            // The number may be another process's by now, in a container above all. A small file is written in no time.
            guard let status = try? FileStatus.of(path), FileTime.now().seconds - 600 > status.modified.seconds else {
                return
            }
        }
        try remove(path)
    }
}
