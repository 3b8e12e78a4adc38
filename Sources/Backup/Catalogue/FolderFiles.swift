// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// All that lies in an uncompressed backup and is no folder, as the file system describes it: nothing is read.
enum FolderFiles {
    /// - Parameter visit: is given the path inside the folder and the status of each, in the order of their names.
    static func forEach(
        in folder: FilePath, _ visit: (FilePath, FileStatus) -> Void
    ) throws(SystemError) {
        try walk(OpenFile(folder, .directory), FilePath(bytes: []), visit)
    }

    private static func walk(
        _ folder: OpenFile, _ place: FilePath, _ visit: (FilePath, FileStatus) -> Void
    ) throws(SystemError) {
        for name in try Directory.names(in: folder) {
            let status = try folder.status(of: name)
            let path = place.appending(name)
            if status.kind == .directory {
                try walk(folder.open(name, .directory), path, visit)
            } else {
                visit(path, status)
            }
        }
    }
}
