// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import SystemIO

/// Reads live files into a writer, whatever happens to them meanwhile.
final class FileCopier {
    enum Outcome {
        case skipped(SkipReason)
        /// It is another name of a file that is in the archive already.
        case link(ArchiveEntry)
        /// - identity: of a file with several names.
        case file(ArchiveEntry, isSteady: Bool, identity: FileIdentity?)
    }

    private let writer: any ArchiveWriter
    private let cancellation: Cancellation?
    /// One buffer for all small files: a byte more than the largest, so that growth shows.
    private let buffer = PageBuffer(count: ArchiveLayout.chunkSize + 1)

    /// Whether access lists count: those of files of ours come from the folder they happen to lie in.
    private let withLists: Bool

    init(into writer: any ArchiveWriter, cancellation: Cancellation?, withLists: Bool) {
        self.withLists = withLists
        self.writer = writer
        self.cancellation = cancellation
    }

    func copy(
        _ path: EntryPath, _ name: [UInt8], in parent: OpenFile, _ linked: [FileIdentity: EntryPath]
    ) throws -> Outcome {
        let file: OpenFile
        let status: FileStatus
        do {
            file = try parent.open(name, .readNoFollow)
            status = try file.status()
        } catch {
            // ENXIO: a socket stands there now. ESTALE: NFS says so of a file that was removed.
            if error.isNotFound || [ELOOP, ENXIO, ESTALE].contains(error.code) { return .skipped(.vanished) }
            throw ArchiveError.unreadable(path: error.path, reason: error.reasonText)
        }
        // It may have become something else since it was listed.
        guard status.kind == .file else { return .skipped(.notAFile) }
        var entry = ArchiveEntry(path: path, status: status)
        entry.size = status.size
        let identity = status.linkCount > 1 ? FileIdentity(status) : nil
        if let identity, let first = linked[identity] {
            entry.kind = .hardLink(target: first)
            entry.size = 0
            return .link(entry)
        }
        entry.extras = try reading(file) { () throws(SystemError) in
            withLists ? try file.extras() : OpenFile.Extras(attributes: try file.userAttributes())
        }
        let isSteady = try copy(file, status, &entry)
        file.advise(.willNotNeed)
        return .file(entry, isSteady: isSteady, identity: identity)
    }

    /// The digest of a live file's content.
    func digest(of file: OpenFile) throws -> Digest {
        var hash = SHA256()
        var position: UInt64 = 0
        while true {
            try cancellation?.check()
            let got = try reading(file) { () throws(SystemError) in try file.read(into: buffer.bytes, at: position) }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))
            position += UInt64(got)
            if got < buffer.bytes.count { return hash.finish() }
        }
    }

    /// Small files are read whole first, and again if they changed meanwhile; large ones pass through once.
    /// - Returns: whether the file stood still.
    private func copy(_ file: OpenFile, _ before: FileStatus, _ entry: inout ArchiveEntry) throws -> Bool {
        guard before.size <= UInt64(ArchiveLayout.chunkSize) else { return try copyLarge(file, before, entry) }
        var status = before
        for attempt in 1...3 {
            let got = try reading(file) { () throws(SystemError) in try file.read(into: buffer.bytes, at: 0) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got])
            let after = try file.status()
            if max(UInt64(bytes.count), after.size) > UInt64(ArchiveLayout.chunkSize) {
                // It outgrew the buffer: what was read is only its head.
                renew(&entry, after, size: after.size)
                _ = try copyLarge(file, after, entry)
                return false
            }
            let isSteady = after.isUnchanged(since: status) && bytes.count == Int(after.size)
            status = after
            guard isSteady || attempt == 3 else { continue }
            renew(&entry, after, size: UInt64(bytes.count))
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

    private func renew(_ entry: inout ArchiveEntry, _ status: FileStatus, size: UInt64) {
        let extras = entry.extras
        entry = ArchiveEntry(path: entry.path, status: status)
        entry.extras = extras
        entry.size = size
    }

    private func copyLarge(_ file: OpenFile, _ before: FileStatus, _ entry: ArchiveEntry) throws -> Bool {
        file.advise(.sequential)
        var position: UInt64 = 0
        let missing = try writer.add(entry) { [self] target in
            try cancellation?.check()
            let got = try reading(file) { () throws(SystemError) in try file.read(into: target, at: position) }
            // What was read is not needed again: a backup must not empty the machine's page cache.
            file.advise(.willNotNeed, offset: position, length: UInt64(got))
            position += UInt64(got)
            return got
        }
        return try missing == 0 && file.status().isUnchanged(since: before)
    }

    private func reading<Result>(
        _ file: OpenFile, _ body: () throws(SystemError) -> Result
    ) throws(ArchiveError) -> Result {
        do throws(SystemError) { return try body() } catch {
            throw .unreadable(path: file.path.string, reason: error.reasonText)
        }
    }
}

extension FileStatus {
    fileprivate func isUnchanged(since earlier: FileStatus) -> Bool {
        size == earlier.size && modified == earlier.modified && changed == earlier.changed
    }
}
