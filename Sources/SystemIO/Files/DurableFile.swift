// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Publishing: a name either holds the whole new content, on disk, or what it held before.
///
/// The order is the one LWN's "A way to do atomic writes" gives: write, fsync, rename, fsync the folder.
package enum DurableFile {
    /// The suffix of what is not finished. Such names are never listed and are cleaned up under the lock.
    package static let partialSuffix = ".partial"

    private static let replacements = Atomic<UInt64>(0)

    /// Renames a finished `partial` to `final`, which must not exist yet.
    /// The partial file's data must have been synced by its writer.
    package static func publish(_ partial: FilePath, as final: FilePath) throws(SystemError) {
        try Directory.renameWithoutReplacing(partial, to: final)
        try Directory.sync(final.parent)
    }

    /// Writes a small file under a name that may exist; readers see the old or the new content, never a mix.
    /// - Parameter mode: permission bits of the new file.
    package static func replace(_ path: FilePath, with bytes: [UInt8], mode: UInt32 = 0o644) throws(SystemError) {
        // A name for this call alone: two threads that replace one file must not write into each other's.
        let number = replacements.add(1, ordering: .relaxed).newValue
        let partial = FilePath(bytes: path.bytes + Array(".\(getpid())-\(number)\(partialSuffix)".utf8))
        if try FileStatus.ifPresent(partial) != nil { try Directory.remove(partial) }
        do throws(SystemError) {
            let file = try OpenFile.makeInherited(partial, mode: mode)
            try file.write(bytes)
            try file.sync()
            try Directory.rename(partial, to: path)
            try Directory.sync(path.parent)
        } catch {
            // The partial name is ours alone; the failure above is what the caller needs to hear.
            _ = partial.withCString { unlink($0) }
            throw error
        }
    }
}
