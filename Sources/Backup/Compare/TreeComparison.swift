// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

/// Tells which files and links of the live artifacts the restored tree, which would take their place, lacks or has
/// with another content or other extended attributes (`user.`). Modes, owners, times and empty folders are no content.
///
/// `first` reads what it must while clients go on writing; `last`, once nobody writes any more, walks again and reads
/// only what has changed since. One thread at a time.
package final class TreeComparison {
    /// What a live file was when its bytes were found equal. A write changes the time of its inode's last change, which
    /// no call can set back; the other stamps catch a clock that was turned back between two writes.
    private struct Stamp: Equatable {
        let device: UInt64
        let inode: UInt64
        let size: UInt64
        let modified: FileTime
        let changed: FileTime

        init(_ status: FileStatus) {
            (device, inode, size) = (status.device, status.inode, status.size)
            (modified, changed) = (status.modified, status.changed)
        }
    }

    /// A live file and the restored one that it was found equal to.
    private struct Pair: Equatable {
        let live: Stamp
        let restored: Stamp
    }

    private let live: FilePath
    private let restored: FilePath
    private let ignoring: Set<[UInt8]>
    private let cancellation: Cancellation
    /// Files that were read and found equal, and are not the same inode. Those that a restore kept are, so that there
    /// are few of these as a rule.
    private var equal: [EntryPath: Pair] = [:]
    /// By inode of the restored one.
    private var clones: [UInt64: ClonedFile] = [:]
    private let tick: FileSystemTick
    private let buffers = (PageBuffer(count: 1 << 20), PageBuffer(count: 1 << 20))

    /// - Parameters:
    ///   - live: the artifacts folder.
    ///   - restored: the folder that the backup was unpacked into.
    ///   - clones: restored files made of live ones, found equal then.
    ///   - ignored: names directly in the live folder that are no artifacts.
    ///   - marks: a folder of ours on the same file system, in which a file is made for a moment to learn what time the
    ///     file system has; the restored one by default.
    package init(
        live: FilePath, restored: FilePath, clones: [ClonedFile] = [],
        ignoring ignored: Set<[UInt8]> = LiveStack.notArtifacts, marksIn marks: FilePath? = nil,
        cancellation: Cancellation = Cancellation()
    ) {
        tick = FileSystemTick(in: marks ?? restored)
        for file in clones { self.clones[file.clone.inode] = file }
        self.live = live
        self.restored = restored
        self.ignoring = ignored
        self.cancellation = cancellation
    }

    /// Compares everything.
    /// - Parameter progress: live files and links looked at so far.
    /// - Throws: `SystemError`, `ArchiveError.unreadable`, or `CancelledError`.
    package func first(progress: (_ done: Int) -> Void = { _ in }) throws -> TreeFindings {
        equal = [:]
        return try compare(progress)
    }

    /// Compares everything again, and takes the word of `first` for files none of whose stamps has changed since. Stamps
    /// have the file system's grain: what was written so shortly before it was read that a later write could have the
    /// same stamp is read again.
    /// - Throws: `SystemError`, `ArchiveError.unreadable`, or `CancelledError`.
    package func last(progress: (_ done: Int) -> Void = { _ in }) throws -> TreeFindings { try compare(progress) }

    private func compare(_ progress: (Int) -> Void) throws -> TreeFindings {
        var findings = TreeFindings()
        var next: [EntryPath: Pair] = [:]
        guard let root = try folderIfPresent() else { return findings }
        var counterpart = TreeLookup(try OpenFile(restored, .directoryThroughLink))
        var outside = TreeLookup(root)
        var walk = try TreeWalk(root: root, prefix: nil, ignoring: ignoring)
        var done = 0
        while let step = try walk.next() {
            try cancellation.check()
            switch step {
            case .skipped(_, .vanished): continue
            case .skipped(let path, .linkLeavesTree), .skipped(let path, .notAFile):
                // No backup has it; a restore leaves it where it is if it can.
                if try !OutsideThings.isSame(path, in: &outside, and: &counterpart) {
                    findings.add(TreeFinding(.outsideBackups, path))
                }
            case .entry(let entry, let parent, let name):
                switch try verdict(entry, parent, name, &counterpart, &next) {
                case .same: break
                case .added: findings.add(TreeFinding(.added, entry.path))
                case .changed: findings.add(TreeFinding(.changed, entry.path))
                case .attributesChanged: findings.add(TreeFinding(.attributesChanged, entry.path))
                }
            }
            done += 1
            if done % 1000 == 0 { progress(done) }
        }
        equal = next
        return findings
    }

    private enum Verdict { case same, added, changed, attributesChanged }

    private func verdict(
        _ entry: ArchiveEntry, _ parent: OpenFile, _ name: [UInt8], _ counterpart: inout TreeLookup,
        _ next: inout [EntryPath: Pair]
    ) throws -> Verdict {
        let folder = try counterpart.parent(of: entry.path)
        let stored = try folder.flatMap { try Self.statusIfPresent($0, name) }
        switch entry.kind {
        case .directory:
            // An empty one is no content; one that holds something is told by what it holds.
            guard let stored, stored.kind != .directory else { return .same }
            return .changed
        case .symbolicLink(let target):
            guard let folder, let stored else { return .added }
            return try stored.kind == .symbolicLink && folder.linkTarget(of: name) == target ? .same : .changed
        case .file, .hardLink:
            guard let folder, let stored else { return .added }
            guard stored.kind == .file else { return .changed }
            if let origin = entry.origin, origin.device == stored.device, origin.inode == stored.inode { return .same }
            guard stored.size == entry.size else { return .changed }
            return try content(entry, parent, folder, name, stored, &next)
        }
    }

    /// A live file whose counterpart is another inode of the same size.
    private func content(
        _ entry: ArchiveEntry, _ parent: OpenFile, _ folder: OpenFile, _ name: [UInt8], _ stored: FileStatus,
        _ next: inout [EntryPath: Pair]
    ) throws -> Verdict {
        guard let before = try Self.statusIfPresent(parent, name) else { return .same }
        if let known = equal[entry.path], known == Pair(live: Stamp(before), restored: Stamp(stored)) {
            next[entry.path] = known
            return .same
        }
        if isClone(stored, of: before) { return .same }
        let file: OpenFile
        do throws(SystemError) { file = try parent.open(name, .readNoFollow) } catch {
            // Deleted while we looked; or something else by now, which the next look tells.
            if error.isNotFound { return .same }
            if error.code == ELOOP { return .changed }
            throw error
        }
        let opened = try file.status()
        guard opened.kind == .file, opened.size == stored.size else { return .changed }
        // Asked before reading: a write after this gets a stamp that differs, if the last one's is older than now.
        let isSettled = try tick.isAfter(opened.changed, device: opened.device)
        let other = try folder.open(name, .readNoFollow)
        guard try isEqual(file, other, size: stored.size) else { return .changed }
        // Those of the live file that were removed since are no loss.
        let attributes = try file.userAttributes()
        if !attributes.isEmpty, try attributes != other.userAttributes() { return .attributesChanged }
        if isSettled, try file.status() == opened {
            next[entry.path] = Pair(live: Stamp(opened), restored: Stamp(stored))
        }
        return .same
    }

    /// Whether nobody has written to the live file since its clone was made. Making a further name of the clone, as a backup
    /// may have one, changes the time of its inode.
    private func isClone(_ restored: FileStatus, of live: FileStatus) -> Bool {
        guard let known = clones[restored.inode] else { return false }
        return Stamp(known.live) == Stamp(live) && known.clone.device == restored.device
            && known.clone.size == restored.size && known.clone.modified == restored.modified
    }

    private func isEqual(_ one: OpenFile, _ other: OpenFile, size: UInt64) throws -> Bool {
        var position: UInt64 = 0
        while position < size {
            try cancellation.check()
            let got = try one.read(into: buffers.0.bytes, at: position)
            let stored = try other.read(into: buffers.1.bytes, at: position)
            guard got > 0, got == stored, let left = buffers.0.bytes.baseAddress,
                let right = buffers.1.bytes.baseAddress, memcmp(left, right, got) == 0
            else { return false }
            position += UInt64(got)
        }
        return position == size
    }

    private func folderIfPresent() throws -> OpenFile? {
        do throws(SystemError) { return try OpenFile(live, .directoryThroughLink) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private static func statusIfPresent(_ folder: OpenFile, _ name: [UInt8]) throws -> FileStatus? {
        do throws(SystemError) { return try folder.status(of: name) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
