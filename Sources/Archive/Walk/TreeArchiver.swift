// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Copies a live tree into a writer, and keeps account of what moved under its hands.
public struct TreeArchiver {
    /// What the walk could not keep exactly, for the manifest.
    public struct Report: Sendable {
        public var files = 0
        public var folders = 0
        public var bytes: UInt64 = 0
        public var skipped: [(path: EntryPath, reason: SkipReason)] = []
        /// Files that were being written while they were read: whole, but maybe a mix of two moments.
        public var changedWhileRead: [EntryPath] = []
    }

    private let writer: any ArchiveWriter
    private let cancellation: Cancellation?
    private let onBytes: ((UInt64) -> Void)?
    private let buffer = SmallFileBuffer()

    public init(
        into writer: any ArchiveWriter, cancellation: Cancellation? = nil, onBytes: ((UInt64) -> Void)? = nil
    ) {
        self.writer = writer
        self.cancellation = cancellation
        self.onBytes = onBytes
    }

    /// - Parameters:
    ///   - root: the live folder; it must exist.
    ///   - prefix: where it goes in the backup.
    ///   - ignoring: names directly in `root` that are ours and not data.
    /// - Throws: `ArchiveError.unreadable` for a file that exists and cannot be read.
    public func add(tree root: FilePath, as prefix: EntryPath, ignoring: Set<[UInt8]> = []) throws -> Report {
        let top: OpenFile
        do { top = try OpenFile(root, .directoryThroughLink) } catch {
            if error.isNotFound { throw ArchiveError.nothingToBackUp(folder: root.string) }
            throw ArchiveError.unreadable(path: root.string, reason: error.reason)
        }
        var report = Report()
        var folder = ArchiveEntry(path: prefix, status: try top.status())
        folder.kind = .directory
        try writer.add(folder)
        var walk = try TreeWalk(root: top, prefix: prefix, ignoring: ignoring)
        var linked: [FileIdentity: EntryPath] = [:]
        while let step = try walk.next() {
            try cancellation?.check()
            switch step {
            case .skipped(let path, let reason): report.skipped.append((path, reason))
            case .entry(let entry, let parent, let name):
                if entry.kind == .file {
                    try add(entry, parent, name, &linked, &report)
                } else {
                    if entry.kind == .directory { report.folders += 1 }
                    try writer.add(entry)
                }
            }
        }
        return report
    }

    private func add(
        _ listed: ArchiveEntry, _ parent: OpenFile, _ name: [UInt8], _ linked: inout [FileIdentity: EntryPath],
        _ report: inout Report
    ) throws {
        let file: OpenFile
        let status: FileStatus
        do {
            file = try parent.open(name, .readNoFollow)
            status = try file.status()
        } catch {
            // ENXIO: a socket stands there now. ESTALE: NFS says so of a file that was removed.
            if error.isNotFound || [ELOOP, ENXIO, ESTALE].contains(error.code) {
                report.skipped.append((listed.path, .vanished))
                return
            }
            throw ArchiveError.unreadable(path: error.path, reason: error.reason)
        }
        // It may have become something else since it was listed.
        guard status.kind == .file else {
            report.skipped.append((listed.path, .notAFile))
            return
        }
        var entry = ArchiveEntry(path: listed.path, status: status)
        entry.size = status.size
        let identity = FileIdentity(device: status.device, inode: status.inode)
        if status.linkCount > 1, let first = linked[identity] {
            entry.kind = .hardLink(target: first)
            entry.size = 0
            return try writer.add(entry)
        }
        file.advise(.sequential)
        let isSteady = try copy(file, status, &entry)
        if status.linkCount > 1 { linked[identity] = entry.path }
        if !isSteady { report.changedWhileRead.append(entry.path) }
        file.advise(.willNotNeed)
        report.files += 1
        report.bytes += entry.size
        onBytes?(entry.size)
    }

    /// Small files are read whole first, and again if they changed meanwhile; large ones pass through once.
    /// - Returns: whether the file stood still.
    private func copy(_ file: OpenFile, _ before: FileStatus, _ entry: inout ArchiveEntry) throws -> Bool {
        guard before.size <= UInt64(ArchiveLayout.chunkSize) else { return try copyLarge(file, before, entry) }
        var status = before
        for attempt in 1...3 {
            let bytes = try reading(file) { () throws(SystemError) in try buffer.read(file) }
            let after = try file.status()
            if max(UInt64(bytes.count), after.size) > UInt64(ArchiveLayout.chunkSize) {
                // It outgrew the buffer: what was read is only its head.
                entry = ArchiveEntry(path: entry.path, status: after)
                entry.size = after.size
                _ = try copyLarge(file, after, entry)
                return false
            }
            let isSteady = after.isUnchanged(since: status) && bytes.count == Int(after.size)
            status = after
            guard isSteady || attempt == 3 else { continue }
            entry = ArchiveEntry(path: entry.path, status: after)
            entry.size = UInt64(bytes.count)
            var rest = bytes
            try writer.add(entry) { target in
                let count = min(target.count, rest.count)
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                return count
            }
            return isSteady
        }
        return false
    }

    private func copyLarge(_ file: OpenFile, _ before: FileStatus, _ entry: ArchiveEntry) throws -> Bool {
        let missing = try writer.add(entry) { target in
            try cancellation?.check()
            return try reading(file) { () throws(SystemError) in try file.read(into: target) }
        }
        return try missing == 0 && file.status().isUnchanged(since: before)
    }

    private func reading<Result>(
        _ file: OpenFile, _ body: () throws(SystemError) -> Result
    ) throws(ArchiveError) -> Result {
        do throws(SystemError) { return try body() } catch {
            throw .unreadable(path: file.path.string, reason: error.reason)
        }
    }
}

private struct FileIdentity: Hashable {
    let device: UInt64
    let inode: UInt64
}

/// One buffer for all small files: a byte more than the largest, so that growth shows.
private final class SmallFileBuffer {
    private let bytes = UnsafeMutableRawBufferPointer.allocate(
        byteCount: ArchiveLayout.chunkSize + 1, alignment: 4096)

    deinit { bytes.deallocate() }

    /// The whole file. Valid until the next call.
    func read(_ file: OpenFile) throws(SystemError) -> UnsafeRawBufferPointer {
        let got = try file.read(into: bytes, at: 0)
        return UnsafeRawBufferPointer(rebasing: bytes[..<got])
    }
}

extension FileStatus {
    fileprivate func isUnchanged(since earlier: FileStatus) -> Bool {
        size == earlier.size && modified == earlier.modified && changed == earlier.changed
    }
}
