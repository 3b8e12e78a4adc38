// SPDX-License-Identifier: Apache-2.0

import Glibc

extension Directory {
    /// Why this process may not create names in a folder, as the kernel says it beforehand; `nil` where it may. On a network
    /// file system the server may still refuse.
    package static func writeRefusal(_ path: FilePath) -> SystemError? {
        refusal(path, W_OK | X_OK, "write into")
    }

    /// Why this process may not move a folder into another one, which rewrites its `..`: that needs the right to write into it
    /// (rename(2), EACCES), and none to enter it.
    package static func moveRefusal(_ path: FilePath) -> SystemError? { refusal(path, W_OK, "move") }

    /// Why this process may not list and enter a folder.
    package static func readRefusal(_ path: FilePath) -> SystemError? { refusal(path, R_OK | X_OK, "read") }

    /// Whether this process may read a file, as the kernel says it beforehand.
    package static func isReadable(_ path: FilePath) -> Bool { refusal(path, R_OK, "read") == nil }

    /// Why this process may not write to a file, as the kernel says it beforehand.
    package static func changeRefusal(_ path: FilePath) -> SystemError? { refusal(path, W_OK, "write to") }

    private static func refusal(_ path: FilePath, _ wanted: Int32, _ operation: String) -> SystemError? {
        guard path.withCString({ faccessat(AT_FDCWD, $0, wanted, AT_EACCESS) }) != 0 else { return nil }
        return SystemError(operation, path: path.string)
    }

    /// Makes one folder whose parent is there, and fails where anything has that name.
    package static func makeNew(_ path: FilePath, mode: UInt32) throws(SystemError) {
        try retryingInterrupts("mkdir", path.string) { path.withCString { mkdir($0, mode) } }
    }

    /// Removes an empty folder.
    package static func removeEmpty(_ path: FilePath) throws(SystemError) {
        try retryingInterrupts("rmdir", path.string) { path.withCString { rmdir($0) } }
    }
}
