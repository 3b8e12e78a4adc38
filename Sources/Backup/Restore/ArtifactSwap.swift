// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Replaces the children of the artifacts folder with restored ones.
///
/// The folder itself may be a mount point, which cannot be renamed, so its children are. Everything lies in one
/// hidden folder inside it, on the same file system: `new` holds what was unpacked, `old` receives what was live.
/// Each step can be repeated: which of two things a name is at the moment is told by the inode in the plan.
struct ArtifactSwap: Sendable {
    static let folderName = ".mlflow-backup-restore"

    /// What shall happen to each name, written down before anything happens.
    struct Plan: Sendable, Equatable, Codable {
        /// A child that was unpacked; it is in place once the artifacts folder has this inode under its name.
        struct Arrival: Sendable, Equatable, Codable {
            let name: [UInt8]
            let inode: UInt64
        }

        let arrivals: [Arrival]
        /// Live children that the backup does not have.
        let departures: [[UInt8]]
    }

    let root: FilePath

    var folder: FilePath { root.appending(Self.folderName) }
    var new: FilePath { folder.appending("new") }
    var old: FilePath { folder.appending("old") }

    /// Makes the staging folders, empty.
    func prepare() throws {
        try discard()
        try Directory.make(folder, mode: 0o700)
        try Directory.make(new, mode: 0o700)
        try Directory.make(old, mode: 0o700)
    }

    func plan() throws -> Plan {
        let arrivals = try Directory.names(in: new).map { name in
            Plan.Arrival(name: name, inode: try FileStatus.of(new.appending(name)).inode)
        }
        let arriving = Set(arrivals.map(\.name))
        let departures = try Directory.names(in: root).filter {
            !arriving.contains($0) && !LiveStack.notArtifacts.contains($0)
        }
        return Plan(arrivals: arrivals, departures: departures)
    }

    /// Carries the plan out, or the rest of it. What MLflow wrote under a new name meanwhile stays where it is.
    func forward(_ plan: Plan) throws {
        for arrival in plan.arrivals {
            let live = root.appending(arrival.name)
            let restored = new.appending(arrival.name)
            let previous = old.appending(arrival.name)
            if try inode(live) == arrival.inode {
                // Exchanged before an interruption: what was live may still wait to be put aside.
                if try exists(restored) { try Directory.renameWithoutReplacing(restored, to: previous) }
            } else if try exists(live) {
                try exchange(restored, live, aside: previous)
            } else {
                try Directory.renameWithoutReplacing(restored, to: live)
            }
        }
        for name in plan.departures where try exists(root.appending(name)) {
            try Directory.renameWithoutReplacing(root.appending(name), to: old.appending(name))
        }
        try syncFolders()
    }

    /// Puts back what was live. The restored files return to `new`.
    func backward(_ plan: Plan) throws {
        for arrival in plan.arrivals {
            let live = root.appending(arrival.name)
            let restored = new.appending(arrival.name)
            let previous = old.appending(arrival.name)
            if try inode(live) == arrival.inode {
                if try exists(restored) {
                    // Exchanged, and the previous one not yet put aside.
                    try Directory.exchange(restored, live)
                } else if try exists(previous) {
                    try exchange(previous, live, aside: restored)
                } else {
                    try Directory.renameWithoutReplacing(live, to: restored)
                }
            } else if try !exists(live), try exists(previous) {
                try Directory.renameWithoutReplacing(previous, to: live)
            }
        }
        for name in plan.departures where try exists(old.appending(name)) {
            try Directory.renameWithoutReplacing(old.appending(name), to: root.appending(name))
        }
        try syncFolders()
    }

    /// Removes the staging folders with whatever is in them.
    func discard() throws { try Directory.removeTree(folder) }

    /// Puts `incoming` at `live`, and what was live at `aside`. Readers never find the name empty where the file
    /// system can exchange two names.
    private func exchange(_ incoming: FilePath, _ live: FilePath, aside: FilePath) throws(SystemError) {
        do throws(SystemError) { try Directory.exchange(incoming, live) } catch {
            guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(error.code) else { throw error }
            try Directory.renameWithoutReplacing(live, to: aside)
            return try Directory.renameWithoutReplacing(incoming, to: live)
        }
        try Directory.renameWithoutReplacing(incoming, to: aside)
    }

    private func exists(_ path: FilePath) throws -> Bool { try FileStatus.ifPresent(path) != nil }
    private func inode(_ path: FilePath) throws -> UInt64? { try FileStatus.ifPresent(path)?.inode }

    private func syncFolders() throws {
        for path in [root, new, old] { try Directory.sync(path) }
    }
}
