// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// What a tree has at the path of a thing in another one, found one component at a time and without following links: a path below
/// one folder may be longer than a system call takes, or become so below another one (PATH_MAX).
///
/// Keeps one chain of open folders, as a walk of the other tree does.
struct TreeLookup {
    private var descent: FolderDescent?
    /// A folder that the tree does not have; nothing below it is looked for.
    private var missing: [ArraySlice<UInt8>]?

    init(_ root: OpenFile) { descent = FolderDescent(root: root) }

    /// - Parameter root: a tree that may not be there: then nothing is in it.
    init(ifPresent root: FilePath) throws(SystemError) {
        guard try FileStatus.ifPresent(root) != nil else { return }
        descent = FolderDescent(root: try OpenFile(root, .directoryThroughLink))
    }

    /// - Returns: the folder that the path is in; `nil` where it is not there, or is no folder.
    mutating func parent(of path: EntryPath) throws(SystemError) -> OpenFile? {
        let names = path.components.dropLast()
        if let missing, names.starts(with: missing) { return nil }
        missing = nil
        do throws(SystemError) {
            return try descent?.go(to: names) { folder, name throws(SystemError) in
                // Asked first: what is no folder is no error here, whatever opening it would say.
                guard try folder.status(of: name).kind == .directory else {
                    throw SystemError("open", path: folder.path.appending(name).string, code: ENOTDIR)
                }
                return try folder.open(name, .directory)
            }
        } catch {
            guard error.isNotFound else { throw error }
            missing = Array(names.prefix((descent?.depth ?? 0) + 1))
            return nil
        }
    }

    /// - Returns: `nil` where nothing is there.
    mutating func status(of path: EntryPath) throws(SystemError) -> FileStatus? {
        guard let folder = try parent(of: path) else { return nil }
        do throws(SystemError) { return try folder.status(of: path.name) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// - Returns: the file at the path.
    /// - Throws: ENOENT where none is there, ELOOP where a link is.
    mutating func open(_ path: EntryPath) throws(SystemError) -> OpenFile {
        guard let folder = try parent(of: path) else {
            throw SystemError("open", path: path.description, code: ENOENT)
        }
        return try folder.open(path.name, .readNoFollow)
    }
}

extension EntryPath {
    /// The last component.
    var name: [UInt8] { components.last.map(Array.init) ?? [] }
}
