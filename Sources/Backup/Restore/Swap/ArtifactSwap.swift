// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// Replaces the children of the artifacts folder with restored ones.
///
/// The folder itself may be a mount point, which cannot be renamed, so its children are. Everything lies in one
/// hidden folder inside it, on the same file system: `incoming` holds what shall be live, `old` receives what was.
/// Each step can be repeated: which of two things a name is at the moment is told by the inode in the plan. Folders keep the mode and
/// the time that they had.
struct ArtifactSwap: Sendable {
    static let folderName = ".mlflow-backup-restore"

    let root: FilePath
    /// This restore's own folder in ours; `nil` in journals of 0.1.0, which used our folder itself.
    let id: String?
    /// Relative to our folder.
    let incoming: String?

    init(root: FilePath, id: String?, incoming: String? = nil) {
        self.root = root
        self.id = id
        self.incoming = incoming
    }

    var folder: FilePath { root.appending(Self.folderName) }
    /// What belongs to this restore alone, and is removed with it.
    var work: FilePath { id.map { folder.appending("work-" + $0) } ?? folder }
    var new: FilePath {
        guard let incoming else { return work.appending("new") }
        return incoming.split(separator: "/").reduce(folder) { $0.appending(String($1)) }
    }
    var old: FilePath { work.appending("old") }

    /// Makes our own folder among the artifacts. Under the stack's lock.
    /// - Parameter backups: root makes it for the service's user, who has to go on with what lies in it: whose their state is. The folder
    ///   itself may be a person's, write-protected ones anybody's, and the artifacts MLflow's.
    static func makeFolder(in artifacts: FilePath, for backups: BackupFolder? = nil) throws {
        let folder = artifacts.appending(folderName)
        // A link is a person's, and may lead to what restores have kept.
        try LiveStack.makeWay(for: folder) { $0 == .file || $0 == .other }
        // What is there stays whose it is, and nobody has to be asked for.
        if try FileStatus.ifPresent(folder)?.kind == .directory { return }
        let heir = try backups.flatMap { try serviceUser(of: $0, in: artifacts) }
        if let heir {
            try Directory.make(folder, mode: 0o700, for: heir)
        } else {
            try Directory.makeInherited(folder, mode: 0o700)
        }
    }

    /// - Returns: `nil` where it is this one, where nothing tells, and where the artifacts are another service's, from whose folder no backup
    ///   is brought here.
    private static func serviceUser(of backups: BackupFolder, in artifacts: FilePath) throws -> Heir? {
        if geteuid() != 0 || backups.writeProtection != nil { return nil }
        if let mark = try ArtifactsMark.read(in: artifacts), try mark.isOnlyOfOthers(than: backups) { return nil }
        // A link is whoever's who made it.
        for path in [backups.state, backups.path] where try FileStatus.ifPresent(path) != nil {
            if let heir = Heir(of: try OpenFile(path, .directoryThroughLink).status()) { return heir }
        }
        return nil
    }

    /// Makes the staging folders, empty.
    /// - Parameter backups: as for `makeFolder`.
    func prepare(for backups: BackupFolder? = nil) throws {
        // Not with `make`'s parents: an artifacts folder that went away is not made again.
        _ = try FileStatus.of(root)
        try Self.makeFolder(in: root, for: backups)
        // A client may have made it, with another mode: by ours everybody knows that a restore is at work.
        if try FileStatus.of(folder).mode & 0o777 != 0o700 { try OpenFile(folder, .directory).setMode(0o700) }
        if id != nil { try Directory.removeTree(work) }
        try Directory.makeInherited(work, mode: 0o700)
        if incoming == nil { try Directory.makeInherited(new, mode: 0o700) }
        try Directory.makeInherited(old, mode: 0o700)
    }

    /// - Parameter isAddition: what has no name of an arrival's stays live.
    func plan(isAddition: Bool = false) throws -> Plan {
        let arrivals = try children(of: new)
        // No backup of ours has them; a journal that named one would be believed by nobody.
        if let ours = arrivals.first(where: { LiveStack.notArtifacts.contains($0.name) }) {
            throw SystemError("bring in", path: new.appending(ours.name).string, code: EPERM)
        }
        if isAddition { return Plan(arrivals: arrivals, departures: []) }
        let arriving = Set(arrivals.map(\.name))
        let departures = try children(of: root).filter {
            !arriving.contains($0.name) && !LiveStack.notArtifacts.contains($0.name)
        }
        return Plan(arrivals: arrivals, departures: departures)
    }

    func present() throws -> [Present] {
        try Directory.names(in: root).compactMap { name in
            try FileStatus.ifPresent(root.appending(name)).map {
                Present(inode: $0.inode, size: $0.size, modified: $0.modified)
            }
        }
    }

    private func children(of path: FilePath) throws -> [Plan.Child] {
        let parent = try OpenFile(path, .directoryThroughLink).status()
        // What vanishes between listing and looking needs no move.
        return try Directory.names(in: path).compactMap { try Plan.Child($0, in: path, parent) }
    }

    /// Carries the plan out, or the rest of it. What MLflow wrote under a new name meanwhile stays where it is.
    /// - Throws: also where the folders are not seen at the end of it.
    func forward(_ plan: Plan) throws { try untilNothingMoves { try forwardOnce(plan) } }

    /// Puts back what was live. The restored files return to where they came from.
    /// - Throws: as `forward`.
    func backward(_ plan: Plan) throws { try untilNothingMoves { try backwardOnce(plan) } }

    /// A name that is not there needs no move, and neither is there what is not seen: a folder that was away for a moment would
    /// pass for one that is done.
    private func untilNothingMoves(_ pass: () throws -> Int) throws {
        try requireSeen()
        while try pass() > 0 {}
        try requireSeen()
        try syncFolders()
    }

    private func requireSeen() throws {
        guard id != nil else { return }
        for path in incoming == nil ? [work] : [work, new] where try !exists(path) {
            throw SystemError("look at", path: path.string, code: ENOENT)
        }
    }

    /// - Returns: how many names were moved.
    private func forwardOnce(_ plan: Plan) throws -> Int {
        var moves = 0
        for child in plan.arrivals where try bring(child, from: new, puttingLiveInto: old) { moves += 1 }
        for child in plan.departures {
            let isMeant =
                child.inode == Plan.Child.unknown
                ? try exists(root.appending(child.name)) && !exists(old.appending(child.name))
                : try child.isAt(root.appending(child.name))
            guard isMeant else { continue }
            try putAside(root.appending(child.name), into: old)
            moves += 1
        }
        return moves
    }

    private func backwardOnce(_ plan: Plan) throws -> Int {
        var moves = 0
        for child in plan.arrivals {
            let live = root.appending(child.name)
            let restored = new.appending(child.name)
            let previous = old.appending(child.name)
            guard try child.isAt(live) else {
                // What was live: put aside, or only exchanged, and what was brought in is gone from its name since.
                let aside = try exists(previous) ? previous : restored
                if try !exists(live), try exists(aside), try !child.isAt(aside) {
                    try move(aside, to: live)
                    moves += 1
                }
                continue
            }
            if try child.isAt(restored) {
                // A file that both trees share, or one whose rename by a second name was cut short.
                if try isAside(child) {
                    try removeName(live, of: child)
                    try move(previous, to: live)
                    moves += 1
                }
                continue
            }
            moves += 1
            if try exists(restored) {
                // Exchanged, and the previous one not yet put aside.
                if try !exchanged(restored, live) { try putAside(restored, into: old) }
            } else if try exists(previous) {
                try moveIntoOwn(live, as: restored)
                try move(previous, to: live)
            } else {
                try moveIntoOwn(live, as: restored)
            }
        }
        for child in plan.departures {
            let previous = old.appending(child.name)
            let isMeant = child.inode == Plan.Child.unknown ? try exists(previous) : try child.isAt(previous)
            guard isMeant else { continue }
            let live = root.appending(child.name)
            // MLflow may have made another one under that name: what was in ours comes in beside it.
            if try exists(live) { continue }
            try move(previous, to: live)
            moves += 1
        }
        return moves
    }

    /// What lies in the restore's own folders and is not what it unpacked: data that was live, and whose name somebody else has
    /// by now.
    /// - Parameter plan: `nil` before there was one, when nothing had been moved.
    func stranded(_ plan: Plan?) throws -> [FilePath] {
        let arrivals = Dictionary(grouping: plan?.arrivals ?? [], by: \.inode)
        let left =
            try plan == nil
            ? [] : children(ifPresent: new).filter { !(arrivals[$0.inode] ?? []).contains(where: $0.isSame) }
        return left.map { new.appending($0.name) } + (try children(ifPresent: old).map { old.appending($0.name) })
    }

    /// What was exchanged and never put aside lies among what was unpacked: it is moved to what was replaced.
    func putStrandedAside(_ plan: Plan) throws {
        for path in try stranded(plan) where path.parent == new { try putAside(path, into: old) }
    }

    private func children(ifPresent path: FilePath) throws -> [Plan.Child] {
        try exists(path) ? children(of: path) : []
    }

    /// Removes what belongs to this restore, and our folder when nothing else is in it.
    func discard() throws {
        if id == nil {
            // 0.1.0 had its two folders in ours.
            for path in [new, old] { try Directory.removeTree(path) }
        } else {
            try Directory.removeTree(work)
        }
        removeFolderIfEmpty()
    }

    /// Among artifacts of another user's it may have to stay.
    func removeFolderIfEmpty() { Directory.removeWhereEmpty(folder) }

    /// One arrival. What is live under its name goes aside, whatever it is by now.
    /// - Returns: whether anything was moved.
    private func bring(_ child: Plan.Child, from source: FilePath, puttingLiveInto aside: FilePath) throws -> Bool {
        let live = root.appending(child.name)
        let restored = source.appending(child.name)
        guard try !child.isAt(live), try child.isAt(restored) else {
            // Exchanged before an interruption: what was live may still wait to be put aside, also where what was brought in is gone
            // from its name since, by a client or by hand.
            guard try exists(restored) else { return false }
            if try child.isAt(restored), try child.isAt(live), try isAside(child) {
                // Its rename by a second name was cut short: what was live is aside, and this is the name that it leaves.
                try Directory.remove(restored)
            } else {
                try putAside(restored, into: aside)
            }
            return true
        }
        // In the gap between two renames a client may make the name again: what it put there goes aside, too.
        for _ in 0..<Self.patience {
            if try exists(live) {
                // Readers never find the name empty where the file system can exchange two names.
                if try exchanged(restored, live) {
                    try putAside(restored, into: aside)
                    return true
                }
                try putAside(live, into: aside)
            }
            do throws(SystemError) {
                try move(restored, to: live)
                return true
            } catch { if !error.exists { throw error } }
        }
        throw SystemError("bring in", path: live.string, code: EEXIST)
    }

    /// How often a name that comes back is put aside.
    private static let patience = 1000

    /// Whether something else lies aside under the name of what arrives.
    private func isAside(_ child: Plan.Child) throws -> Bool {
        try exists(old.appending(child.name)) && !child.isAt(old.appending(child.name))
    }

    /// Takes a live name from what has another one in ours. A client may have given it to something else since it was looked at:
    /// that is no copy of anything, and stays aside.
    private func removeName(_ live: FilePath, of child: Plan.Child) throws {
        let moved = try putAside(live, into: old)
        if try child.isAt(moved) { try Directory.remove(moved) }
    }

    /// Moves a thing into a folder of ours, under another name where its own is taken.
    /// - Returns: where it is then.
    @discardableResult
    func putAside(_ path: FilePath, into folder: FilePath) throws -> FilePath {
        for number in 0..<1000 {
            let suffix = number == 0 ? [] : Array(".\(number)".utf8)
            let target = folder.appending(path.lastComponent + suffix)
            do throws(SystemError) {
                try moveIntoOwn(path, as: target)
                return target
            } catch {
                if !error.exists { throw error }
            }
        }
        throw SystemError("put aside", path: path.string, code: EEXIST)
    }

    /// - Returns: false where the file system cannot exchange names.
    private func exchanged(_ first: FilePath, _ second: FilePath) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try Directory.keepingLooks(of: [first, second]) { () throws(SystemError) in
                try Directory.exchange(first, second)
            }
        } catch {
            if error.isUnknownCall { return false }
            throw error
        }
        return true
    }

    private func move(_ from: FilePath, to: FilePath) throws(SystemError) {
        try Directory.keepingLooks(of: [from]) { () throws(SystemError) in
            try Directory.renameWithoutReplacing(from, to: to)
        }
    }

    private func moveIntoOwn(_ from: FilePath, as to: FilePath) throws(SystemError) {
        try Directory.keepingLooks(of: [from]) { () throws(SystemError) in try Directory.moveIntoOwn(from, as: to) }
    }

    private func exists(_ path: FilePath) throws -> Bool { try FileStatus.ifPresent(path) != nil }

    private func syncFolders() throws {
        for path in [root, new, old] where try exists(path) { try Directory.sync(path) }
    }
}
