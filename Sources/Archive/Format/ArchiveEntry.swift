// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One thing in a backup: a file, a folder or a link.
public struct ArchiveEntry: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case file
        case directory
        case symbolicLink(target: [UInt8])
        /// Another name of a file that came earlier in the same backup.
        case hardLink(target: EntryPath)
    }

    public var path: EntryPath
    public var kind: Kind
    /// Bytes of content; zero for everything but files.
    public var size: UInt64
    public var mode: UInt32
    public var owner: UInt32
    public var group: UInt32
    public var modified: FileTime
    /// Extended attributes; stored in tar headers only, not in the index.
    public var attributes: [OpenFile.Attribute] = []
    /// What its mode does not say of who may do what with it. The group bits of `mode` are the mask of it.
    public var access: AccessList?
    /// Of a folder: what is made in it gets this.
    public var defaultAccess: AccessList?
    /// What the live file was when it was read; not stored in tar headers, only in the index.
    public var origin: Origin?

    /// Tells whether a live file is still the one that was read.
    public struct Origin: Sendable, Equatable {
        public let device: UInt64
        public let inode: UInt64
        public let changed: FileTime
    }

    public init(
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
