// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A folder of its own for one test, removed with the last reference.
package final class TemporaryFolder: Sendable {
    package let path: FilePath

    /// - Parameters:
    ///   - name: part of the folder's name, to tell whose it is.
    ///   - parent: an existing folder.
    package init(_ name: String = "test", in parent: FilePath = "/tmp") throws {
        var template = parent.appending("mlflow-backup-\(name)-XXXXXX").bytes.map { CChar(bitPattern: $0) } + [0]
        guard mkdtemp(&template) != nil else { throw SystemError("make a folder in", path: parent.string) }
        path = FilePath(bytes: template.map { UInt8(bitPattern: $0) })
    }

    deinit {
        // A folder that stays behind in /tmp harms no test.
        try? Directory.removeTree(path)
    }

    /// Writes a file, with the folders on the way to it.
    @discardableResult
    package func write(_ name: String, _ content: [UInt8], mode: UInt32 = 0o644) throws -> FilePath {
        let file = path.appending(name)
        try Directory.make(file.parent)
        try DurableFile.replace(file, with: content, mode: mode)
        return file
    }

    @discardableResult
    package func write(_ name: String, _ text: String, mode: UInt32 = 0o644) throws -> FilePath {
        try write(name, Array(text.utf8), mode: mode)
    }

    /// Writes a program. A child of another test that was forked while it was open for writing here would keep it from being
    /// run (ETXTBSY, execve(2)), so only a child of ours opens the file that is run.
    @discardableResult
    package static func write(program: FilePath, _ text: String) throws -> FilePath {
        let draft = FilePath(bytes: program.bytes + Array(".draft".utf8))
        try DurableFile.replace(draft, with: Array(text.utf8))
        try Shell.sh("install -m 755 '\(draft)' '\(program)' && rm '\(draft)'")
        return program
    }
}
