// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Gives restored things owner, mode, access lists, attributes and time: all of it, or as much as may be given without anybody
/// getting more rights than the backup says, but for who restores and holds the backup anyway.
package final class RestoredLooks: Sendable {
    let owners: OwnerGiving
    private let noted = Monitor(DeniedLooks())

    /// - Parameter tree: what the backup says of the folder that was backed up; `nil` where it does not.
    package init(_ rule: RestoredOwner, tree: ArchiveEntry?) { owners = OwnerGiving(rule, tree: tree) }

    /// What could not be given until now.
    package var denied: DeniedLooks { noted.withLock { $0 } }

    /// Of a file or folder of ours that is complete.
    package func give(_ entry: ArchiveEntry, to file: OpenFile) throws(SystemError) {
        // While it is ours: the kernel asks for the right to write.
        var isDenied = false
        for attribute in entry.attributes where try !file.set(attribute) { isDenied = true }
        if isDenied { note(.attributes, entry) }
        var owner: (user: UInt32, group: UInt32)?
        if owners.isRecorded {
            owner = try owners.give(entry, file.status()) { user, group throws(SystemError) in
                try file.setOwner(user: user, group: group)
            }
            noteOwner(owner, entry)
        }
        // After the owner, since that takes set-uid and set-gid away.
        try giveRights(entry, to: file, owner)
        // At last, because all else changes it.
        try file.setModified(entry.modified)
    }

    /// Access lists and mode, also of a file that had others.
    /// - Parameter owner: who it belongs to; `nil` for a file of ours, which nobody else gets a right to.
    package func giveRights(
        _ entry: ArchiveEntry, to file: OpenFile, _ owner: (user: UInt32, group: UInt32)?
    ) throws(SystemError) {
        let due = due(entry, owner)
        var mode = due.mode
        // Of a folder only its owner is told: there it says whose new files in it are.
        if owner != nil, entry.kind != .directory, mode & 0o6000 != entry.mode & 0o6000 { note(.setID, entry) }
        var isListDenied = false
        if let list = due.access {
            if owner == nil {
                mode = list.strictMode(mode)
            } else if try file.set(list) {
                // While there is a list these bits are its mask, whatever a header says of them.
                mode = mode & ~0o070 | list.mask << 3
            } else {
                isListDenied = true
                mode = list.strictMode(mode)
            }
        }
        if let list = due.defaultAccess, owner != nil, try !file.setDefault(list) { isListDenied = true }
        if isListDenied { note(.accessList, entry) }
        try file.setMode(mode)
    }

    /// The entry with the rights that a thing which belongs to somebody is given of it.
    ///
    /// Where the group is not the one that it should be, neither those who are in it nor those who were in the other may do more
    /// than before: the first were others, the second are others now.
    /// - Parameter owner: as in `giveRights`.
    package func due(_ entry: ArchiveEntry, _ owner: (user: UInt32, group: UInt32)?) -> ArchiveEntry {
        var due = entry
        due.mode = Self.settable(entry, owner)
        guard owners.isRecorded, let owner, owner.group != owners.wanted(entry).group else { return due }
        let isSetGroup = entry.kind == .directory && entry.mode & 0o2000 != 0
        // What is made in it would belong to that group, and does now to whoever makes it.
        if isSetGroup { due.mode &= ~0o2000 }
        if isSetGroup { due.defaultAccess = entry.defaultAccess?.ofAnotherGroup }
        if let list = entry.access?.ofAnotherGroup {
            due.access = list
            due.mode = due.mode & ~0o077 | list.mask << 3 | list.others
        } else {
            let both = due.mode >> 3 & due.mode & 0o7
            due.mode = due.mode & ~0o077 | both << 3 | both
        }
        return due
    }

    /// As `due`, of a live file that may stand for a restored one.
    func due(_ entry: ArchiveEntry, of status: FileStatus) -> ArchiveEntry {
        due(entry, owners.isRecorded ? (status.owner, status.group) : nil)
    }

    func give(
        _ entry: ArchiveEntry, toLink name: [UInt8], in folder: OpenFile
    ) throws(SystemError) {
        guard owners.isRecorded else { return }
        let owner = try owners.give(entry, folder.status(of: name)) { user, group throws(SystemError) in
            try folder.setOwner(ofLink: name, user: user, group: group)
        }
        noteOwner(owner, entry)
    }

    /// Set-uid and set-gid of a file speak for its owner, so they are given to a file of that very owner alone, and never for
    /// root: an archive may be anybody's. Of a folder they say whose new files in it are.
    private static func settable(_ entry: ArchiveEntry, _ owner: (user: UInt32, group: UInt32)?) -> UInt32 {
        guard let owner else { return entry.mode & OpenFile.plainModes }
        if entry.kind == .directory { return entry.mode }
        var mode = entry.mode
        if owner.user != entry.owner || owner.user == 0 { mode &= ~0o4000 }
        if owner.group != entry.group || owner.group == 0 { mode &= ~0o2000 }
        return mode
    }

    private func noteOwner(_ owner: (user: UInt32, group: UInt32)?, _ entry: ArchiveEntry) {
        guard let owner, owner != owners.wanted(entry) else { return }
        note(.owner, entry)
    }

    private func note(_ kind: DeniedLooks.Kind, _ entry: ArchiveEntry) { noted.withLock { $0.note(kind, entry.path) } }
}
