// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// What an undo brings into the artifacts folder, as far as stamps cannot tell it from what comes later. No backup describes
/// it. A file inside a folder is told by the time of its inode's last change; but a folder that is moved in has old files,
/// and the exchange itself changes the times of what lies directly in the artifacts folder.
///
/// So folders are known by inode and path, and what lies directly in the artifacts folder by its content: 64 bits of a
/// digest each.
enum BroughtTree {
    /// At a tree that is about to be brought in.
    /// - Returns: its marks, and how many files and folders it holds.
    static func look(at tree: FilePath, _ cancellation: Cancellation) throws -> (marks: [UInt64], entries: Int) {
        guard try FileStatus.ifPresent(tree) != nil else { return ([], 0) }
        var marks: [UInt64] = []
        var entries = 0
        let root = try OpenFile(tree, .directory)
        var walk = try TreeWalk(root: root, prefix: nil)
        while let step = try walk.next() {
            try cancellation.check()
            entries += 1
            switch step {
            case .entry(let entry, _, _):
                if case .directory = entry.kind {
                    if let mark = mark(ofFolder: entry) { marks.append(mark) }
                } else if let mark = try mark(ofTop: entry.path, in: root) {
                    marks.append(mark)
                }
            case .skipped(let path, _): if let mark = try mark(ofTop: path, in: root) { marks.append(mark) }
            }
        }
        return (marks.sorted(), entries)
    }

    /// The same number alone.
    static func entries(of tree: FilePath, _ cancellation: Cancellation) throws -> Int {
        var walk = try TreeWalk(root: OpenFile(tree, .directory), prefix: nil)
        var entries = 0
        while try walk.next() != nil {
            try cancellation.check()
            entries += 1
        }
        return entries
    }

    static func mark(ofFolder entry: ArchiveEntry) -> UInt64? {
        entry.origin.map { origin in mark("folder", [entry.path.bytes, Array("\(origin.inode)".utf8)]) }
    }

    /// What lies directly in the artifacts folder and is no folder; a file is read.
    /// - Returns: `nil` for what lies deeper, or has vanished.
    static func mark(ofTop path: EntryPath, in root: OpenFile) throws -> UInt64? {
        guard path.components.count == 1 else { return nil }
        let name = path.bytes
        do throws(SystemError) {
            switch try root.status(of: name).kind {
            case .symbolicLink: return mark("link", [name, try root.linkTarget(of: name)])
            case .file: break
            case .directory, .other: return mark("other", [name, Array("\(try root.status(of: name).inode)".utf8)])
            }
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
        do {
            let digest = try StoredFileVerifier.digest(of: root.path.appending(name)).digest
            let attributes = try root.open(name, .readNoFollow).userAttributes().flatMap { [$0.name, $0.value] }
            return mark("file", [name, digest.bytes] + attributes)
        } catch let error as SystemError where error.isNotFound {
            return nil
        }
    }

    private static func mark(_ kind: String, _ parts: [[UInt8]]) -> UInt64 {
        var bytes = Array(kind.utf8)
        // Lengths, so that no two lists of parts are the same bytes.
        for part in parts { bytes += Array("/\(part.count)/".utf8) + part }
        return SHA256.digest(of: bytes).bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
