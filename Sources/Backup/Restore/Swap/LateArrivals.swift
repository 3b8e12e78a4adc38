// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// What reached the tree that went away, after it was last compared and before its names were exchanged: an upload that
/// a client was told is stored. It is carried over into the live tree where its path is free there.
///
/// It is told by the time of the inode's last change, which no program can set, against a mark made in the same tree by
/// the same clock. What a wrong answer costs is bounded: nothing is removed from the tree that went away before its bytes
/// are proven to be somewhere else (`KeptParts`).
struct LateArrivals {
    struct Outcome: Sendable, Equatable {
        /// Paths in the artifacts folder that are live now.
        var carried: [String] = []
        /// Paths where the live tree has something else: what came late stays in the tree that went away.
        var aside: [String] = []
    }

    /// The tree that went away, and the live one.
    let from: FilePath
    let live: FilePath
    let mark: FileTime
    /// What lay directly in the tree at the mark, by inode; `nil` where that is not known.
    private let present: [UInt64: ArtifactSwap.Present]?
    /// Of the folders that are made: the ones in which it came, or as much of that as may be given.
    private let looks = RestoredLooks(.recorded(placeOwner: (geteuid(), getegid())), tree: nil)
    /// What the plan of the swap names.
    private let planned: Set<[UInt8]>

    init(
        from: FilePath, live: FilePath, mark: FileTime, present: [ArtifactSwap.Present]? = nil,
        plan: ArtifactSwap.Plan? = nil
    ) {
        planned = Set(((plan?.arrivals ?? []) + (plan?.departures ?? [])).map(\.name))
        self.from = from
        self.live = live
        self.mark = mark
        self.present = present.map { Dictionary($0.map { ($0.inode, $0) }) { first, _ in first } }
    }

    /// The file system's own time now, by what it stamps on a file written in this folder.
    static func mark(in folder: FilePath) throws(SystemError) -> FileTime {
        let path = folder.appending("mark")
        if try FileStatus.ifPresent(path) != nil { try Directory.remove(path) }
        let file = try OpenFile(path, .createNew(mode: 0o600))
        let time = try file.status().changed
        try Directory.remove(path)
        return time
    }

    /// Safe to repeat: what was carried over is then the same file under both names.
    func carryOver() throws -> Outcome {
        var outcome = Outcome()
        guard try FileStatus.ifPresent(from) != nil else { return outcome }
        var walk = try TreeWalk(root: OpenFile(from, .directory), prefix: nil)
        // A folder that was moved in late has files whose own times are old; its own content did not change.
        var moved: EntryPath?
        while let step = try walk.next() {
            guard case .entry(let entry, let parent, let name) = step else { continue }
            if let folder = moved, entry.path.relative(to: folder) == nil { moved = nil }
            if case .directory = entry.kind {
                let isMoved =
                    entry.path.components.count > 1
                    ? isLate(entry) && entry.modified < mark
                    : entry.origin.flatMap { origin in present.map { $0[origin.inode] == nil } } ?? false
                if isMoved, moved == nil { moved = entry.path }
                continue
            }
            guard moved != nil || isLate(entry) else { continue }
            switch try carry(entry, parent, name) {
            case .carried: outcome.carried.append(livePath(of: entry).description)
            case .aside: outcome.aside.append(livePath(of: entry).description)
            case .thereAlready: break
            }
        }
        if !outcome.carried.isEmpty { try FileSystem.sync(holding: live) }
        return outcome
    }

    private func isLate(_ entry: ArchiveEntry) -> Bool {
        guard let changed = entry.origin?.changed, changed >= mark else { return false }
        guard entry.path.components.count == 1 else { return true }
        // The swap itself renamed the children of the root, which changes their inodes' times: what was there before has the
        // size and time it had. Where nobody noted that, the time of the content is all there is, which a copy may set.
        guard let present, let origin = entry.origin else { return entry.modified >= mark }
        return present[origin.inode].map {
            $0.modified != entry.modified || entry.kind == .file && $0.size != entry.size
        }
            ?? true
    }

    /// Where it was live. What was put aside beside another one of its name has a number behind it (`ArtifactSwap.putAside`).
    private func livePath(of entry: ArchiveEntry) -> EntryPath {
        let components = entry.path.components
        guard let first = components.first.map(Array.init), !planned.contains(first),
            let dot = first.lastIndex(of: UInt8(ascii: ".")), dot + 1 < first.count,
            first[(dot + 1)...].allSatisfy({ (0x30...0x39).contains($0) }), planned.contains(Array(first[..<dot]))
        else { return entry.path }
        let rest = components.dropFirst().flatMap { [UInt8(ascii: "/")] + $0 }
        return EntryPath(first[..<dot] + rest) ?? entry.path
    }

    private enum Carried { case carried, aside, thereAlready }

    private func carry(_ entry: ArchiveEntry, _ parent: OpenFile, _ name: [UInt8]) throws -> Carried {
        guard let folder = try liveFolder(of: entry), let target = livePath(of: entry).components.last.map(Array.init)
        else {
            return .aside
        }
        do throws(SystemError) {
            try parent.makeHardLink(name, to: folder, as: target)
            return .carried
        } catch {
            switch error.code {
            case EEXIST:
                let there = try folder.status(of: target)
                return there.inode == entry.origin?.inode && there.device == entry.origin?.device
                    ? .thereAlready : .aside
            // No hard links here, or no more of them: it stays where it is, and is named.
            case EXDEV, ENOENT: return .aside
            case _ where error.isWithoutLinks: return .aside
            default: throw error
            }
        }
    }

    /// The folder that the late file belongs into, made like the one it is in.
    /// - Returns: `nil` where something else stands in the way.
    private func liveFolder(of entry: ArchiveEntry) throws -> OpenFile? {
        var folder = try OpenFile(live, .directoryThroughLink)
        var source = try OpenFile(from, .directory)
        for (component, liveComponent) in zip(entry.path.components, livePath(of: entry).components).dropLast() {
            let name = Array(liveComponent)
            source = try source.open(Array(component), .directory)
            do throws(SystemError) { folder = try folder.open(name, .directory) } catch {
                guard error.code == ENOENT else {
                    if [ENOTDIR, ELOOP].contains(error.code) { return nil }
                    throw error
                }
                folder = try folder.openOrMakeFolder(name)
                try looks.give(ArchiveEntry(folder: source, path: entry.path), to: folder)
            }
        }
        return folder
    }
}
