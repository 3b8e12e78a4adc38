// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Why something in a tree is not in its backup.
package enum SkipReason: String, Sendable, Codable {
    /// A socket, a pipe or a device.
    case notAFile = "not a file, folder or link"
    /// A link to something outside the tree. Restoring it could reach outside, too.
    case linkLeavesTree = "a link that leaves the tree"
    /// It was listed, and gone when it was read.
    case vanished = "removed while the backup ran"

    package var text: BilingualText {
        let chinese =
            switch self {
            case .notAFile: "不是文件、目录或链接"
            case .linkLeavesTree: "指向目录树之外的链接"
            case .vanished: "备份期间被删除"
            }
        return BilingualText(zh: chinese, en: rawValue)
    }
}

/// Walks a tree depth first in byte order of names, with few descriptors however deep it is.
///
/// Links are reported, never followed, and each folder is opened relative to its parent, so that paths
/// longer than PATH_MAX and folders swapped for links during the walk do no harm.
package struct TreeWalk {
    package enum Step {
        /// `parent` is the open folder that holds it, `name` its name there.
        case entry(ArchiveEntry, parent: OpenFile, name: [UInt8])
        case skipped(EntryPath, SkipReason)
    }

    private struct Level {
        let path: EntryPath?
        var names: ArraySlice<[UInt8]>
    }

    /// How many names the entry of the last step has.
    package private(set) var linkCount: UInt64 = 1
    private var levels: [Level]
    /// At the folder of the last level.
    private var descent: FolderDescent
    private let prefix: EntryPath?
    private let ignored: Set<[UInt8]>
    private let rootPath: FilePath

    /// - Parameters:
    ///   - prefix: what paths start with; `nil` makes them relative to the root itself.
    ///   - ignoring: names directly in the root that are left out without a word.
    package init(root: OpenFile, prefix: EntryPath?, ignoring ignored: Set<[UInt8]> = []) throws(SystemError) {
        self.prefix = prefix
        self.ignored = ignored
        rootPath = root.path
        let names = try Directory.names(in: root).filter { !ignored.contains($0) }
        levels = [Level(path: prefix, names: names[...])]
        descent = FolderDescent(root: root)
    }

    /// - Throws: `ArchiveError.unreadable` for what is there and cannot be looked at.
    package mutating func next() throws -> Step? {
        do throws(SystemError) { return try nextOrRefusal() } catch {
            throw ArchiveError.unreadable(path: error.path, reason: error.reasonText)
        }
    }

    /// The same for whoever goes on behind what cannot be looked at.
    /// - Throws: what the kernel says of it.
    package mutating func nextOrRefusal() throws(SystemError) -> Step? {
        while let level = levels.last {
            guard let name = level.names.first else {
                if let lost = try goUp() { return .skipped(lost, .vanished) }
                continue
            }
            let folder = descent.folder
            levels[levels.count - 1].names.removeFirst()
            guard let path = level.path.map({ $0.appending(name: name) }) ?? EntryPath(name) else { continue }
            do throws(SystemError) { return try steadyStep(path, in: folder, name) } catch {
                guard error.isOfChange else { throw error }
                return .skipped(path, .vanished)
            }
        }
        return nil
    }

    /// - Returns: a folder that is not where it was any more, with names in it that were not looked at yet. What was seen of it was
    ///   whole when it was seen.
    private mutating func goUp() throws(SystemError) -> EntryPath? {
        levels.removeLast()
        do throws(SystemError) { try descent.leave(to: max(0, levels.count - 1)) } catch {
            // Nor are those above it where they were; the root always is.
            let lost = levels.dropFirst().first { !$0.names.isEmpty }?.path
            levels.removeLast(levels.count - 1)
            guard error.isOfChange else { throw error }
            return lost
        }
        return nil
    }

    /// A name may become another kind of thing between two calls; it is then looked at again, a few times at most.
    private mutating func steadyStep(_ path: EntryPath, in folder: OpenFile, _ name: [UInt8]) throws(SystemError)
        -> Step
    {
        for _ in 0..<3 {
            do throws(SystemError) { return try step(path, in: folder, name) } catch {
                guard Self.isReplaced(error) else { throw error }
            }
        }
        return try step(path, in: folder, name)
    }

    /// A link that is none any more (EINVAL), a folder that is none (ENOTDIR) or has become a link (ELOOP).
    private static func isReplaced(_ error: SystemError) -> Bool {
        [EINVAL, ENOTDIR, ELOOP].contains(error.code)
    }

    private mutating func step(_ path: EntryPath, in folder: OpenFile, _ name: [UInt8]) throws(SystemError) -> Step {
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
    package init(path: EntryPath, status: FileStatus) {
        self.init(
            path: path, kind: .file, mode: status.mode, owner: status.owner, group: status.group,
            modified: status.modified,
            origin: Origin(device: status.device, inode: status.inode, changed: status.changed))
    }

    /// An open folder's, with all that it has beside its mode.
    package init(folder: OpenFile, path: EntryPath) throws(SystemError) {
        self.init(path: path, status: try folder.status())
        kind = .directory
        extras = try folder.extras()
    }
}
