// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What time a file system would stamp a change with now, found by making one. Its grain may be milliseconds: two writes
/// within it look like one.
struct FileSystemTick {
    private let folder: FilePath
    private static let name = ".mlflow-backup-tick"

    /// - Parameter folder: ours to write to, on the file system that is asked about.
    init(in folder: FilePath) { self.folder = folder }

    /// Whether a change from now on would get a later stamp than `time`. False where it cannot be told.
    func isAfter(_ time: FileTime, device: UInt64) throws(SystemError) -> Bool {
        let mark = folder.appending(Self.name)
        let file = try OpenFile(mark, .readWrite(create: 0o600))
        try file.setMode(0o600)
        let status = try file.status()
        try Directory.remove(mark)
        return status.device == device && time < status.changed
    }
}
