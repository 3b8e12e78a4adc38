// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Gives restored things owner, mode, access lists, attributes and time: all of it, or as much as may be given without anybody
/// getting more rights than the backup says.
public final class RestoredLooks: Sendable {
    let owners: OwnerGiving
    private let noted = Monitor(DeniedLooks())

    /// - Parameter tree: what the backup says of the folder that was backed up; `nil` where it does not.
    public init(_ rule: RestoredOwner, tree: ArchiveEntry?) { owners = OwnerGiving(rule, tree: tree) }

    /// What could not be given until now.
    public var denied: DeniedLooks { noted.withLock { $0 } }

    /// Of a file or folder of ours that is complete.
    public func give(_ entry: ArchiveEntry, to file: OpenFile) throws(SystemError) {
        // While it is ours: the kernel asks for the right to write.
        for attribute in entry.attributes where try !file.set(attribute) {
            note(.attributes, entry)
            break
        }
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
    public func giveRights(
        _ entry: ArchiveEntry, to file: OpenFile, _ owner: (user: UInt32, group: UInt32)?
    ) throws(SystemError) {
        var mode = Self.settable(entry, owner)
        if owner != nil, mode != entry.mode { note(.setID, entry) }
        if let list = entry.access {
            if owner == nil {
                mode = list.strictMode(mode)
            } else if try file.set(list) {
                // While there is a list these bits are its mask, whatever a header says of them.
                mode = mode & ~0o070 | list.mask << 3
            } else {
                note(.accessList, entry)
                mode = list.strictMode(mode)
            }
        }
        if let list = entry.defaultAccess, owner != nil, try !file.setDefault(list), entry.access == nil {
            note(.accessList, entry)
        }
        try file.setMode(mode)
    }

    /// The mode of a file that is given an entry's looks, and belongs to the one of `status`.
    func mode(_ entry: ArchiveEntry, _ status: FileStatus) -> UInt32 {
        guard owners.isRecorded else { return entry.mode & OpenFile.plainModes }
        return Self.settable(entry, (status.owner, status.group))
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
