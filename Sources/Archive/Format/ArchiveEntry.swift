// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One thing in a backup: a file, a folder or a link.
package struct ArchiveEntry: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case file
        case directory
        case symbolicLink(target: [UInt8])
        /// Another name of a file that came earlier in the same backup.
        case hardLink(target: EntryPath)
    }

    package var path: EntryPath
    package var kind: Kind
    /// Bytes of content; zero for everything but files.
    package var size: UInt64
    package var mode: UInt32
    package var owner: UInt32
    package var group: UInt32
    package var modified: FileTime
    /// Extended attributes; stored in tar headers only, not in the index.
    package var attributes: [OpenFile.Attribute] = []
    /// What its mode does not say of who may do what with it. The group bits of `mode` are the mask of it.
    package var access: AccessList?
    /// Of a folder: what is made in it gets this.
    package var defaultAccess: AccessList?
    /// What the live file was when it was read; not stored in tar headers, only in the index.
    package var origin: Origin?
    /// Of an object of a store, and of the folders that are made for them; `nil` for what is a file.
    package var object: Object?

    /// Tells whether a live file is still the one that was read.
    package struct Origin: Sendable, Equatable {
        package let device: UInt64
        package let inode: UInt64
        package let changed: FileTime
    }

    package init(
        path: EntryPath, kind: Kind, size: UInt64 = 0, mode: UInt32, owner: UInt32 = 0, group: UInt32 = 0,
        modified: FileTime, origin: Origin? = nil
    ) {
        self.path = path
        self.kind = kind
        self.size = size
        self.mode = mode
        self.owner = owner
        self.group = group
        self.modified = modified
        self.origin = origin
    }
}

extension ArchiveEntry {
    /// What is beside content, owner, mode and time.
    var extras: OpenFile.Extras {
        get {
            var extras = OpenFile.Extras()
            (extras.attributes, extras.access, extras.defaultAccess) = (attributes, access, defaultAccess)
            return extras
        }
        set { (attributes, access, defaultAccess) = (newValue.attributes, newValue.access, newValue.defaultAccess) }
    }

    /// Takes what a tar header says beside the entry. A list that this machine cannot make out gives nobody anything.
    mutating func take(_ pax: PaxRecords) {
        if let key = pax.values[PaxRecords.keyOfObject] { object = Object(key: key) }
        attributes = pax.attributes
        switch pax.accessList(for: .access) {
        case .list(let list)?: access = list
        case .unknown?: mode &= ~0o070
        case .mode?, nil: break
        }
        guard kind == .directory, case .list(let list)? = pax.accessList(for: .inheritance) else { return }
        defaultAccess = list
    }
}
