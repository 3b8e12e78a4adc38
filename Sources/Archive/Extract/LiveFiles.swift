// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import SystemIO

/// The live tree that a restore is to replace. Files in it that are right already need not be written again: they share
/// the live ones' blocks where the file system can do that, so that a later write into one of the two leaves the other as it
/// was; else they become a further name (hard link) of the live ones.
///
/// Right is what has the same size, time, mode, owner, access list and attributes, and the same bytes.
final class LiveFiles {
    /// A live file that is right.
    struct Match {
        let folder: OpenFile
        let name: [UInt8]
        /// Open for reading.
        let file: OpenFile
        /// What it was when its bytes were found right.
        let status: FileStatus
        let isToBeCloned: Bool

        var identity: FileIdentity { FileIdentity(status) }
    }

    private let chain: FolderChain
    private let stillSince: FileTime
    private let clones: Bool
    private let otherNames: [UInt64: UInt64]
    private let looks: RestoredLooks
    private let cancellation: Cancellation?
    private let buffer = PageBuffer(count: 1 << 20)

    init(
        _ existing: Extractor.Route.Existing, _ looks: RestoredLooks, _ cancellation: Cancellation?
    ) throws(SystemError) {
        chain = FolderChain(root: try OpenFile(existing.root, .directoryThroughLink))
        stillSince = existing.stillSince
        clones = existing.clones
        otherNames = existing.otherNames
        self.looks = looks
        self.cancellation = cancellation
    }

    /// - Parameter entry: its path is relative to the tree.
    func match(_ entry: ArchiveEntry, content: UnsafeRawBufferPointer) -> Match? {
        match(entry) { file throws(SystemError) in
            var position = 0
            while position < content.count {
                let got = try file.read(into: buffer.bytes, at: UInt64(position))
                guard got > 0, got <= content.count - position, let live = buffer.bytes.baseAddress,
                    let stored = content.baseAddress, memcmp(live, stored.advanced(by: position), got) == 0
                else { return false }
                position += got
            }
            return true
        }
    }

    func match(_ entry: ArchiveEntry, digest: Digest) -> Match? {
        match(entry) { file throws(SystemError) in
            var hash = SHA256()
            var position: UInt64 = 0
            while position < entry.size {
                // Whoever cancelled hears of it before anything is written.
                if cancellation?.isCancelled == true { return false }
                let got = try file.read(into: buffer.bytes, at: position)
                guard got > 0 else { return false }
                hash.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))
                position += UInt64(got)
            }
            return hash.finish() == digest
        }
    }

    /// Whether a file seems to be right as far as its stamps can tell: for an estimate.
    func seemsRight(_ entry: ArchiveEntry) -> Bool {
        do throws(SystemError) {
            let (folder, name) = try chain.parent(of: entry.path)
            return looksRight(try folder.status(of: name), entry)
        } catch { return false }
    }

    /// A live file that cannot be read is not worth an error: it will be written from the backup.
    private func match(_ entry: ArchiveEntry, _ isEqual: (OpenFile) throws(SystemError) -> Bool) -> Match? {
        do throws(SystemError) {
            let (folder, name) = try chain.parent(of: entry.path)
            guard looksRight(try folder.status(of: name), entry) else { return nil }
            let file = try folder.open(name, .readNoFollow)
            let before = try file.status()
            guard looksRight(before, entry), try file.extras() == looks.due(entry, of: before).extras,
                try isEqual(file), try file.status() == before
            else { return nil }
            file.advise(.willNotNeed)
            return Match(folder: folder, name: name, file: file, status: before, isToBeCloned: clones)
        } catch { return nil }
    }

    private func looksRight(_ status: FileStatus, _ entry: ArchiveEntry) -> Bool {
        status.kind == .file && (clones ? isSettled(status) : isOnly(status)) && status.size == entry.size
            && status.modified == entry.modified && status.modified < stillSince
            && status.mode == looks.due(entry, of: status).mode && looks.owners.isRight(status, for: entry)
    }

    /// A second name would tie two files together that are two in the backup.
    private func isOnly(_ status: FileStatus) -> Bool {
        status.linkCount == 1 || status.linkCount == (otherNames[status.inode] ?? 0) &+ 1
    }

    /// What is written to a cloned file later is in the live one alone. By the time of the inode's last change, which no
    /// program can set, such a write shows: it cannot have the stamp of a change that was over when the restore began.
    private func isSettled(_ status: FileStatus) -> Bool { status.changed < stillSince }
}

/// A live file that was kept, as it was right after it got its second name. Whoever swaps the trees looks at it again:
/// a write changes one of these, and only a program that sets the clock could undo that.
package struct KeptFile: Sendable, Equatable {
    package let inode: UInt64
    package let modified: FileTime
    /// The time of the inode's last change (ctime), which utimes(2) cannot set.
    package let changed: FileTime
}

/// A file that shares the blocks of a live one, both as they were then. As long as the live one has these stamps, the two
/// are equal.
package struct ClonedFile: Sendable, Equatable {
    package let live: FileStatus
    package let clone: FileStatus
}

extension Extractor.Route {
    /// A tree whose files may be kept instead of being written again, on the same file system as the destination.
    package struct Existing: Sendable {
        package let root: FilePath
        /// Files written to at or after this moment are not kept: somebody may still be at it.
        package let stillSince: FileTime
        /// Whether files on its file system can share blocks (`FileSystem.sharesBlocks`): they are cloned then, not linked.
        package let clones: Bool
        /// Names, by inode, that files have in trees that are not part of what is backed up: these tie no two files of a
        /// backup together. At most as many as there are.
        package let otherNames: [UInt64: UInt64]

        package init(
            _ root: FilePath, stillSince: FileTime, clones: Bool = false, otherNames: [UInt64: UInt64] = [:]
        ) {
            self.otherNames = otherNames
            self.root = root
            self.stillSince = stillSince
            self.clones = clones
        }
    }
}

extension ParallelExtractor {
    /// Bytes and files that would have to be written, as far as stamps can tell.
    package func estimate(_ archive: IndexedArchive) throws -> Extractor.Outcome {
        let looks = try routes.map { RestoredLooks($0.owner, tree: try $0.tree(in: archive)) }
        let placers = try PlacerSet(routes, looks, archive.path.string)
        var outcome = Extractor.Outcome()
        try archive.forEachMember { member in
            for record in member.entries where record.entry.kind == .file && placers.mustWrite(record.entry) {
                outcome += Extractor.Outcome(files: 1, bytes: record.entry.size)
            }
            return true
        }
        return outcome
    }
}
