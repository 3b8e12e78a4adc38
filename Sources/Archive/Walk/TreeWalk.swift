// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Why something in a tree is not in its backup.
public enum SkipReason: String, Sendable, Codable {
    /// A socket, a pipe or a device.
    case notAFile = "not a file, folder or link"
    /// A link to something outside the tree. Restoring it could reach outside, too.
    case linkLeavesTree = "a link that leaves the tree"
    /// It was listed, and gone when it was read.
    case vanished = "removed while the backup ran"
}

/// Walks a tree depth first in byte order of names, with few descriptors however deep it is.
///
/// Links are reported, never followed, and each folder is opened relative to its parent, so that paths
/// longer than PATH_MAX and folders swapped for links during the walk do no harm.
public struct TreeWalk {
    public enum Step {
        /// `parent` is the open folder that holds it, `name` its name there.
        case entry(ArchiveEntry, parent: OpenFile, name: [UInt8])
        case skipped(EntryPath, SkipReason)
    }

    private struct Level {
        let path: EntryPath?
        var names: ArraySlice<[UInt8]>
    }

    /// How many names the entry of the last step has.
    public private(set) var linkCount: UInt64 = 1
    private var levels: [Level]
    /// At the folder of the last level.
    private var descent: FolderDescent
    private let prefix: EntryPath?
    private let ignored: Set<[UInt8]>
    private let rootPath: FilePath

    /// - Parameters:
    ///   - prefix: what paths start with; `nil` makes them relative to the root itself.
    ///   - ignoring: names directly in the root that are left out without a word.
    public init(root: OpenFile, prefix: EntryPath?, ignoring ignored: Set<[UInt8]> = []) throws {
        self.prefix = prefix
        self.ignored = ignored
        rootPath = root.path
        let names = try Directory.names(in: root).filter { !ignored.contains($0) }
        levels = [Level(path: prefix, names: names[...])]
        descent = FolderDescent(root: root)
    }

    public mutating func next() throws -> Step? {
        while let level = levels.last {
            guard let name = level.names.first else {
                if let lost = try goUp() { return .skipped(lost, .vanished) }
                continue
            }
            let folder = descent.folder
            levels[levels.count - 1].names.removeFirst()
            guard let path = level.path.map({ $0.appending(name: name) }) ?? EntryPath(name) else { continue }
            do {
                return try steadyStep(path, in: folder, name)
            } catch let error as SystemError where error.isNotFound || error.code == ESTALE || Self.isReplaced(error) {
                return .skipped(path, .vanished)
            } catch let error as SystemError {
                throw ArchiveError.unreadable(path: folder.path.appending(name).string, reason: error.reason)
            }
        }
        return nil
    }

    /// - Returns: a folder that is not where it was any more, with names in it that were not looked at yet. What was seen of it was
    ///   whole when it was seen.
    private mutating func goUp() throws -> EntryPath? {
        levels.removeLast()
        do throws(SystemError) { try descent.leave(to: max(0, levels.count - 1)) } catch {
            guard error.isNotFound || error.code == ESTALE || Self.isReplaced(error) else { throw error }
            // Nor are those above it where they were; the root always is.
            let lost = levels.dropFirst().first { !$0.names.isEmpty }?.path
            levels.removeLast(levels.count - 1)
            return lost
        }
        return nil
    }

    /// A name may become another kind of thing between two calls; it is then looked at again, a few times at most.
    private mutating func steadyStep(_ path: EntryPath, in folder: OpenFile, _ name: [UInt8]) throws -> Step {
        for _ in 0..<3 {
            do { return try step(path, in: folder, name) } catch let error as SystemError where Self.isReplaced(error) {
            }
        }
        return try step(path, in: folder, name)
    }

    /// A link that is none any more (EINVAL), a folder that is none (ENOTDIR) or has become a link (ELOOP).
    private static func isReplaced(_ error: SystemError) -> Bool {
        [EINVAL, ENOTDIR, ELOOP].contains(error.code)
    }

    private mutating func step(_ path: EntryPath, in folder: OpenFile, _ name: [UInt8]) throws -> Step {
        let status = try folder.status(of: name)
        linkCount = status.linkCount
        var entry = ArchiveEntry(path: path, status: status)
        switch status.kind {
        case .file: entry.size = status.size
        case .directory:
            let opened = try folder.open(name, .directory)
            let names = try Directory.names(in: opened)[...]
            try descent.enter(name, opened)
            levels.append(Level(path: path, names: names))
            entry.kind = .directory
        case .symbolicLink:
            let target = try folder.linkTarget(of: name)
            guard below(path).staysInside(linkTarget: target) else { return .skipped(path, .linkLeavesTree) }
            entry.kind = .symbolicLink(target: target)
        case .other: return .skipped(path, .notAFile)
        }
        return .entry(entry, parent: folder, name: name)
    }

    /// A link is judged by the tree it is in: `artifacts/../database` would be outside.
    private func below(_ path: EntryPath) -> EntryPath {
        prefix.flatMap { path.relative(to: $0) } ?? path
    }
}

extension ArchiveEntry {
    /// A file's entry as the walk saw it; the kind is the caller's to set.
    public init(path: EntryPath, status: FileStatus) {
        self.init(
            path: path, kind: .file, mode: status.mode, owner: status.owner, group: status.group,
            modified: status.modified,
            origin: Origin(device: status.device, inode: status.inode, changed: status.changed))
    }
}
