// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// Live files that a restore keeps because they are right already: cloned where blocks can be shared, else linked. Until the
/// swap linked ones have two names, a live one and one among the restored files, so a program that writes into the live one
/// writes into the restored one. Writes into cloned ones are the last comparison's to find.
struct UnchangedFiles: Sendable {
    /// By inode.
    private var files: [KeptFile] = []
    private(set) var clones: [ClonedFile] = []
    /// Files written to since are not kept: somebody may still be at it.
    private let stillSince: FileTime

    /// Names that live files have in kept trees, and the parts whose trees were looked at.
    private var keptNames: [UInt64: UInt64] = [:]
    private var keptParts: [String] = []

    /// Seconds: the coarsest stamps in use, as for `ArchiveIndex.Preamble`.
    private static let margin: Int64 = 2

    /// To be made before anything is unpacked.
    init() { stillSince = FileTime(seconds: FileTime.now().seconds - Self.margin) }

    var count: Int { files.count + clones.count }
    /// Of files that both trees have.
    var inodes: [UInt64] { files.map(\.inode) }

    /// - Parameter clones: whether files there can share blocks.
    func existing(_ artifacts: FilePath, clones: Bool) -> Extractor.Route.Existing {
        .init(artifacts, stillSince: stillSince, clones: clones, otherNames: clones ? [:] : keptNames)
    }

    /// Counts the names that files share with the trees of earlier restores. Only those that are on record as shared: a
    /// later write into them is found by that. What else their records say does
    /// not matter.
    mutating func count(in parts: KeptParts, cancellation: Cancellation) throws {
        (keptNames, keptParts) = ([:], [])
        for id in try KeptPart.ids(in: parts.state) {
            let tree = parts.folder(of: id).appending("old")
            guard try FileStatus.ifPresent(tree) != nil else { continue }
            // Of a damaged list nothing counts, so that files with names there are written anew.
            let shared: Set<UInt64>
            do { shared = try KeptPart.shared(of: id, in: parts.state) } catch BackupError.keptRecordDamaged {
                continue
            }
            guard !shared.isEmpty else { continue }
            keptParts.append(id)
            var walk = try TreeWalk(root: OpenFile(tree, .directory), prefix: nil)
            while let step = try walk.next() {
                try cancellation.check()
                guard case .entry(let entry, _, _) = step, entry.kind == .file, walk.linkCount > 1,
                    let inode = entry.origin?.inode, shared.contains(inode)
                else { continue }
                keptNames[inode, default: 0] += 1
            }
        }
    }

    /// Whether one of the trees that were counted is gone: removing a name changes the file's inode.
    private func isOneGone(_ parts: KeptParts) throws -> Bool {
        try keptParts.contains { try FileStatus.ifPresent(parts.folder(of: $0)) == nil }
    }

    mutating func note(_ outcome: Extractor.Outcome) {
        files = outcome.kept.sorted { $0.inode < $1.inode }
        clones = outcome.cloned
    }

    /// The last look before the swap. It asks for equality with what was noted, so that no clock is believed: copies
    /// that set their source's time (`cp -p`, Python's `shutil.copy2`) still change the time of the inode.
    /// - Throws: `BackupError.changedMeanwhile` where one was written to, removed or renamed since.
    func check(in staging: FilePath, _ parts: KeptParts, cancellation: Cancellation) throws {
        guard !files.isEmpty else { return }
        let isOneGone = try isOneGone(parts)
        var walk = try TreeWalk(root: OpenFile(staging, .directory), prefix: nil)
        while let step = try walk.next() {
            try cancellation.check()
            guard case .entry(let entry, _, _) = step, entry.kind == .file, let origin = entry.origin,
                let kept = file(origin.inode)
            else { continue }
            // Where the backup itself has further names for it, making these changed the inode, too; as did removing those
            // in a kept tree that had to make room.
            let expected = 2 + (keptNames[origin.inode] ?? 0)
            let isToBeBelieved = walk.linkCount > expected || (walk.linkCount < expected && isOneGone)
            let isSame = kept.modified == entry.modified && (kept.changed == origin.changed || isToBeBelieved)
            guard isSame else { throw BackupError.changedMeanwhile(path: entry.path.description) }
        }
    }

    private func file(_ inode: UInt64) -> KeptFile? {
        var range = files.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if files[middle].inode == inode { return files[middle] }
            range = files[middle].inode < inode ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }
}
