// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A folder that nobody else can look into (mkdtemp, mode 0700), for as long as a child process needs it.
///
/// On a memory file system where there is one: what is in it reaches no disk, and a killed service leaves nothing
/// behind past the next start of the machine.
final class PrivateFolder {
    let path: FilePath
    private var isRemoved = false

    init() throws(SystemError) {
        let parent: FilePath = Directory.isWritable("/dev/shm") ? "/dev/shm" : "/tmp"
        var template = parent.appending("mlflow-backup-XXXXXX").bytes.map { CChar(bitPattern: $0) } + [0]
        guard mkdtemp(&template) != nil else { throw SystemError("make a folder in", path: parent.string) }
        path = FilePath(bytes: template.map { UInt8(bitPattern: $0) })
    }

    deinit {
        // Reached without `remove` only when something else has failed already, which is what the caller throws.
        if !isRemoved { try? Directory.removeTree(path) }
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
