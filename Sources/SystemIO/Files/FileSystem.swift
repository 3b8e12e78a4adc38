// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Calls that concern a whole file system.
public enum FileSystem {
    /// Writes everything the kernel still holds for the file system of `path` to its disk (syncfs(2)).
    public static func sync(holding path: FilePath) throws(SystemError) {
        let folder = try OpenFile(path, .directoryThroughLink)
        try retryingInterrupts("syncfs", path.string) { clinux_syncfs(folder.descriptor) }
    }
}
