// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Who restored files shall belong to.
package enum RestoredOwner: Sendable {
    /// Whoever this process is, or works for (`Heir`). For files of ours: nobody else gets a right to them, whatever a list says.
    case writer
    /// Whoever owned each when it was backed up, by number. Who owned the whole tree then stands for who owns its place now:
    /// a stack that moved to another machine, where MLflow runs as another user.
    case recorded(placeOwner: (user: UInt32, group: UInt32))
}

/// Owners as far as this process may give them away.
struct OwnerGiving: Sendable {
    private struct StandIn: Sendable {
        let recorded: UInt32
        let now: UInt32

        func callAsFunction(_ id: UInt32) -> UInt32 { id == recorded ? now : id }
    }

    private let users: StandIn?
    private let groups: StandIn?
    let isRecorded: Bool
    private let process = ProcessOwner.current

    /// - Parameter tree: the backed up folder itself; `nil` where the archive does not say.
    init(_ rule: RestoredOwner, tree: ArchiveEntry?) {
        guard case .recorded(let place) = rule else {
            (isRecorded, users, groups) = (false, nil, nil)
            return
        }
        isRecorded = true
        users = tree.map { StandIn(recorded: $0.owner, now: place.user) }
        groups = tree.map { StandIn(recorded: $0.group, now: place.group) }
    }

    func wanted(_ entry: ArchiveEntry) -> (user: UInt32, group: UInt32) {
        (users?(entry.owner) ?? entry.owner, groups?(entry.group) ?? entry.group)
    }

    /// Gives a new file what may be given of it.
    /// - Parameters:
    ///   - status: what it is now.
    ///   - give: sets user and group; -1 leaves one as it is (chown(2)).
    /// - Returns: who owns it then.
    func give(
        _ entry: ArchiveEntry, _ status: FileStatus, _ give: (UInt32, UInt32) throws(SystemError) -> Void
    ) throws(SystemError) -> (user: UInt32, group: UInt32) {
        let wanted = wanted(entry)
        let same = UInt32.max
        var user = wanted.user == status.owner ? same : wanted.user
        var group = wanted.group == status.group ? same : wanted.group
        // The fewest calls: both at once, else what is left may be given alone.
        while user != same || group != same {
            do throws(SystemError) {
                try give(user, group)
                return (
                    user == same ? status.owner : user, group == same ? status.group : group
                )
            } catch {
                // EINVAL: nobody of that number is known in this user namespace. EOPNOTSUPP and ENOSYS: FAT, and some of FUSE.
                guard [EPERM, EACCES, EINVAL, EOPNOTSUPP, ENOSYS].contains(error.code) else { throw error }
                if user != same { user = same } else { group = same }
            }
        }
        return (status.owner, status.group)
    }

    /// Whether a live file may stand for the restored one: it belongs to whom the restored one would belong to.
    func isRight(_ status: FileStatus, for entry: ArchiveEntry) -> Bool {
        guard isRecorded else { return status.owner == process.user }
        let wanted = wanted(entry)
        if status.owner == wanted.user, status.group == wanted.group { return true }
        if process.mayGiveAway { return false }
        // What a new file would come to.
        let group = process.groups.contains(wanted.group) ? wanted.group : status.group
        return status.owner == process.user && status.group == group
    }
}

/// Who this process is to the kernel.
private struct ProcessOwner: Sendable {
    let user: UInt32
    let groups: Set<UInt32>
    let mayGiveAway: Bool

    static var current: ProcessOwner {
        ProcessOwner(
            user: geteuid(), groups: ProcessPrivilege.groups, mayGiveAway: ProcessPrivilege.mayGiveAway)
    }
}
