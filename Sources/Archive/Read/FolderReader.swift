// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Reads an uncompressed backup: a folder with the same layout as the tar.
package final class FolderReader: ArchiveReader {
    package let name: String
    private let root: FilePath
    private let observer: ReadObserver

    package init(_ path: FilePath, observer: ReadObserver = ReadObserver()) throws {
        name = path.string
        root = path
        self.observer = observer
    }

    package func forEachEntry(_ visit: (ArchiveEntry, EntryContent) throws -> Void) throws {
        // The index is read last, as in a tar, so that a visitor may compare it with everything it saw.
        let top = try StoredPart.folder(root, of: name)
        var walk = try TreeWalk(root: top, prefix: nil, ignoring: [Array(ArchiveLayout.indexName.utf8)])
        var names = try LinkedNames(root)
        var looks = IndexedLooks(root)
        var done: UInt64 = 0
        while let step = try walk.next() {
            try observer.cancellation?.check()
            switch step {
            case .skipped(let path, let reason):
                throw ArchiveError.unsafeEntry(archive: name, path: path.description, reason: reason.text)
            case .entry(let listed, let parent, let fileName):
                var entry = try looks.giving(names.linking(listed))
                let content = try content(of: &entry, parent, fileName)
                try visit(entry, content)
                done = done.adding(clamped: entry.size)
                try observer.didRead(entry.size, upTo: done)
            }
        }
        let indexName = Array(ArchiveLayout.indexName.utf8)
        do {
            let status = try top.status(of: indexName)
            var entry = ArchiveEntry(
                path: .index, kind: .file, size: status.size, mode: status.mode, modified: status.modified)
            let content = try content(of: &entry, top, indexName)
            try visit(entry, content)
        } catch let error as SystemError where error.isNotFound {
            return
        }
    }

    /// Opens a file, and reads its attributes into its entry.
    private func content(
        of entry: inout ArchiveEntry, _ parent: OpenFile, _ fileName: [UInt8]
    ) throws -> EntryContent {
        guard entry.kind == .file else {
            if entry.kind == .directory { entry.attributes = try parent.open(fileName, .directory).userAttributes() }
            return EntryContent(size: 0) { _ in 0 }
        }
        let file = try parent.open(fileName, .readNoFollow)
        entry.attributes = try file.userAttributes()
        let size = entry.size
        return EntryContent(size: size) { [name] buffer in
            let got = try file.read(into: buffer)
            if got < buffer.count {
                throw ArchiveError.truncated(archive: name, expected: size, found: UInt64(got))
            }
            return got
        }
    }
}

/// Which names of an uncompressed backup are further names of one file. The index says so; its files, taken alone, do not
/// tell: each shares its inode with the backups before and after.
private struct LinkedNames {
    private var targets: [EntryPath: EntryPath] = [:]
    /// The inodes of what links name, once the walk came by.
    private var inodes: [EntryPath: UInt64?] = [:]

    init(_ folder: FilePath) throws {
        let records: RecordStream
        do { records = try RecordStream(folder: folder) } catch let error as SystemError where error.isNotFound {
            return
        }
        while let record = try records.next() {
            guard case .hardLink(let target) = record.entry.kind else { continue }
            targets[record.entry.path] = target
            inodes[target] = .some(nil)
        }
    }

    /// Two names that somebody's copy has made two files of are two entries, each with its content.
    mutating func linking(_ listed: ArchiveEntry) -> ArchiveEntry {
        guard listed.kind == .file, let inode = listed.origin?.inode else { return listed }
        if inodes[listed.path] != nil { inodes[listed.path] = inode }
        guard let target = targets[listed.path], inodes[target] == .some(inode) else { return listed }
        var link = listed
        link.kind = .hardLink(target: target)
        link.size = 0
        return link
    }
}
