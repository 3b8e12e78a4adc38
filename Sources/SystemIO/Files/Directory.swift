// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Folders: listing, making, removing. Names are bytes. The path of a folder may lead through links; those in it are not followed.
package enum Directory {
    /// The names in a folder without `.` and `..`, sorted by bytes so that walks repeat.
    package static func names(in folder: OpenFile) throws(SystemError) -> [[UInt8]] {
        // A second description: fdopendir moves the position and closedir closes it.
        let copy = try retryingInterrupts("open", folder.path.string) {
            folder.withDescriptor { clinux_open($0, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        }
        guard let stream = fdopendir(copy) else {
            let code = errno
            close(copy)
            throw SystemError("list", path: folder.path.string, code: code)
        }
        defer { closedir(stream) }
        var found: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw SystemError("list", path: folder.path.string) }
                break
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in Array(raw.prefix { $0 != 0 }) }
            if name != [dot] && name != [dot, dot] { found.append(name) }
        }
        found.sort { $0.lexicographicallyPrecedes($1) }
        return found
    }

    package static func names(in path: FilePath) throws(SystemError) -> [[UInt8]] {
        try names(in: OpenFile(path, .directoryThroughLink))
    }

    /// `mkdir -p`: an existing folder is fine.
    package static func make(_ path: FilePath, mode: UInt32 = 0o755) throws(SystemError) {
        do throws(SystemError) {
            try retryingInterrupts("mkdir", path.string) { path.withCString { mkdir($0, mode) } }
        } catch {
            if error.code == ENOENT, path.parent != path {
                try make(path.parent, mode: mode)
                try retryingInterrupts("mkdir", path.string) { path.withCString { mkdir($0, mode) } }
            } else if error.code == EEXIST {
                var status = stat()
                try retryingInterrupts("stat", path.string) { path.withCString { stat($0, &status) } }
                if status.st_mode & S_IFMT != S_IFDIR { throw SystemError("mkdir", path: path.string, code: ENOTDIR) }
            } else {
                throw error
            }
        }
    }

    /// `rm -rf`: what is not there is fine, folders without permission bits are opened up first, and depth has no limit. It
    /// crosses no mount.
    /// - Throws: EXDEV with the path of what is mounted there, which is left as it is.
    package static func removeTree(_ path: FilePath) throws(SystemError) {
        var bare = path.bytes
        while bare.count > 1, bare.last == slash { bare.removeLast() }
        let target = FilePath(bytes: bare)
        guard let status = try FileStatus.ifPresent(target) else { return }
        guard status.kind == .directory else { return try remove(target) }
        let parent = try OpenFile(target.parent, .directoryThroughLink)
        var removal: TreeRemoval
        do throws(SystemError) { removal = try TreeRemoval(target.lastComponent, in: parent) } catch {
            // Another one removed it meanwhile.
            if error.code == ENOENT { return }
            throw error
        }
        try removal.run()
    }

    /// Removes one file or link; it is an error if it is not there.
    package static func remove(_ path: FilePath) throws(SystemError) {
        try retryingInterrupts("remove", path.string) { path.withCString { unlink($0) } }
    }

    /// Removes a folder with nothing in it; one that has something, or is not there, stays as it is.
    package static func removeWhereEmpty(_ path: FilePath) { _ = path.withCString { rmdir($0) } }

    /// Whether this process may create names here; asked of the kernel, not guessed from mode bits.
    package static func isWritable(_ path: FilePath) -> Bool {
        path.withCString { faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) } == 0
    }
}

private let dot = UInt8(ascii: ".")
private let slash = UInt8(ascii: "/")
