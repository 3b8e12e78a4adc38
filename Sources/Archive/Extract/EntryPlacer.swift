// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import SystemIO
import Wording

/// Puts entries into a folder of ours, and nowhere else.
///
/// Folders are opened one component at a time without following links, and every link is made last, so no entry
/// can be written through a link that an earlier entry planted.
final class EntryPlacer {
    let looks: RestoredLooks
    /// Of files of ours; what is restored is given to whom the backup says, and to nobody before.
    private let heir: Heir?
    /// The way to the folder of the last path.
    private var descent: FolderDescent
    /// Folder modes and times are set at the end: writing into a folder changes its time, and mode 000 bars the way.
    private var folders: [ArchiveEntry] = []
    private var links: [ArchiveEntry] = []
    /// Nothing was placed yet.
    var isUnused: Bool { !hasOpened && folders.isEmpty && links.isEmpty }
    private var hasOpened = false

    /// Lets nothing that is made in a folder of ours inherit an access list, which the backup does not have.
    static func prepare(_ root: FilePath) throws(SystemError) {
        try OpenFile(root, .directory).removeDefaultAccessList()
    }

    /// - Parameters:
    ///   - root: an existing folder that nobody else writes to.
    init(root: FilePath, looks: RestoredLooks) throws {
        self.looks = looks
        let folder = try OpenFile(root, .directory)
        heir = looks.owners.isRecorded ? nil : Heir(of: try folder.status())
        descent = FolderDescent(root: folder)
    }

    /// A folder or a link.
    func place(_ entry: ArchiveEntry) throws {
        switch entry.kind {
        case .directory:
            _ = try folder(for: entry.path.components[...])
            folders.append(entry)
        case .symbolicLink, .hardLink: links.append(entry)
        case .file: _ = try place(entry) { _ in 0 }
        }
    }

    /// A file. Returns the digest of what was written and how many bytes the source was short of.
    @discardableResult
    func place(_ entry: ArchiveEntry, content: ContentSource) throws -> (Digest, missing: UInt64) {
        let file = try create(entry.path, size: 0).file
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(max(entry.size, 1), 1 << 20)), alignment: 4096)
        defer { buffer.deallocate() }
        var hash = SHA256()
        var rest = entry.size
        var missing: UInt64 = 0
        while rest > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(rest, UInt64(buffer.count)))])
            let got = try content(piece)
            if got < piece.count {
                UnsafeMutableRawBufferPointer(rebasing: piece[got...]).initializeMemory(as: UInt8.self, repeating: 0)
                missing += UInt64(piece.count - got)
            }
            hash.update(UnsafeRawBufferPointer(piece))
            try file.write(UnsafeRawBufferPointer(piece))
            rest -= UInt64(piece.count)
        }
        try looks.give(entry, to: file)
        return (hash.finish(), missing)
    }

    /// A file whose content is in memory, and known to be right.
    func place(_ entry: ArchiveEntry, bytes: UnsafeRawBufferPointer) throws(SystemError) {
        let new = try create(entry.path, size: UInt64(bytes.count))
        try new.write(bytes, at: 0)
        try looks.give(entry, to: new.file)
    }

    /// - Parameter size: how long it will be, in bytes.
    func create(_ path: EntryPath, size: UInt64) throws(SystemError) -> NewFile {
        let components = path.components
        let parent = try folder(for: components.dropLast())
        let new = try NewFile(Array(components[components.count - 1]), in: parent, size: size)
        try heir?.take(new.file)
        return new
    }

    /// What another placer of the same root has left for the end.
    func takeOver(_ other: EntryPlacer) {
        folders += other.folders
        links += other.links
        other.folders = []
        other.links = []
    }

    /// Another name of a file that lies elsewhere on this file system. The file itself stays as it is.
    func link(_ path: EntryPath, to source: (folder: OpenFile, name: [UInt8])) throws(SystemError) {
        let components = path.components
        let parent = try folder(for: components.dropLast())
        try source.folder.makeHardLink(source.name, to: parent, as: Array(components[components.count - 1]))
    }

    /// How a live file that is right already became a restored one.
    enum Kept {
        case linked(KeptFile)
        case cloned(ClonedFile)
    }

    /// - Returns: `nil` where it must be written after all.
    func keep(_ entry: ArchiveEntry, _ live: LiveFiles.Match) throws(SystemError) -> Kept? {
        live.isToBeCloned ? try clone(entry, live) : try link(entry, live)
    }

    /// A new file that shares the blocks of the live one.
    private func clone(_ entry: ArchiveEntry, _ live: LiveFiles.Match) throws(SystemError) -> Kept? {
        let (parent, name) = try parent(of: entry.path)
        let new = try parent.open(name, .createNew(mode: 0o600))
        let isEmpty = entry.size == 0
        let isCloned = isEmpty ? true : try new.clone(from: live.file, at: 0, length: entry.size, to: 0)
        // Since it was looked at, it may have been written to.
        guard isCloned, try live.file.status() == live.status else {
            try parent.remove(name)
            return nil
        }
        try looks.give(entry, to: new)
        return .cloned(ClonedFile(live: live.status, clone: try new.status()))
    }

    /// Another name of the live file.
    private func link(_ entry: ArchiveEntry, _ live: LiveFiles.Match) throws(SystemError) -> Kept? {
        let components = entry.path.components
        let parent = try folder(for: components.dropLast())
        let name = Array(components[components.count - 1])
        do throws(SystemError) { try live.folder.makeHardLink(live.name, to: parent, as: name) } catch {
            // No more names for it, another file system, or it has gone. EEXIST is the archive's own contradiction.
            guard error.code != EEXIST else { throw error }
            return nil
        }
        // Since it was looked at, the live name may have been given to another file, or the file written to.
        let status = try parent.status(of: name)
        if FileIdentity(status) == live.identity, status.size == entry.size, status.modified == entry.modified {
            return .linked(KeptFile(inode: status.inode, modified: status.modified, changed: status.changed))
        }
        try parent.remove(name)
        return nil
    }

    /// Makes the links, then sets what folders shall look like, the deepest first.
    func finish() throws {
        // Hard links first: while no symbolic link is there, none can be given a second name higher up, from where
        // its target would lead out of the root.
        for link in links.filter(\.kind.isHardLink) + links.filter({ !$0.kind.isHardLink }) {
            let components = link.path.components
            let parent = try folder(for: components.dropLast())
            let name = Array(components[components.count - 1])
            switch link.kind {
            case .symbolicLink(let target):
                try parent.makeSymbolicLink(name, to: target, modified: link.modified)
                try looks.give(link, toLink: name, in: parent)
            case .hardLink(let target):
                let targetComponents = target.components
                let source = try folder(for: targetComponents.dropLast())
                try source.makeHardLink(Array(targetComponents[targetComponents.count - 1]), to: parent, as: name)
            case .file, .directory: break
            }
        }
        links = []
        // Each folder is done before its parent: its parent's time must be set after it.
        for entry in folders.sorted(by: { $0.path.components.count > $1.path.components.count }) {
            try looks.give(entry, to: folder(for: entry.path.components[...]))
        }
        folders = []
        try descent.leave(to: 0)
    }

    /// A failure that only the archive's own entries can cause, such as two of one name.
    static func isContradiction(_ error: SystemError) -> Bool {
        [EEXIST, ELOOP, ENOTDIR, ENOENT, EISDIR].contains(error.code)
            || (error.operation == "link" && error.code == EPERM)
    }

    static func contradiction(_ error: SystemError, in archive: String) -> ArchiveError {
        .unsafeEntry(
            archive: archive, path: error.path,
            reason: BilingualText(zh: "与其他条目矛盾的链接：", en: "a link that other entries contradict: ")
                + error.reasonText)
    }

    func parent(of path: EntryPath) throws(SystemError) -> (folder: OpenFile, name: [UInt8]) {
        let components = path.components
        return (try folder(for: components.dropLast()), Array(components[components.count - 1]))
    }

    /// Takes back a link that has not been made yet.
    func withdrawLink(_ path: EntryPath) -> ArchiveEntry? {
        links.firstIndex { $0.path == path && $0.kind.isHardLink }.map { links.remove(at: $0) }
    }

    private func folder(for components: ArraySlice<ArraySlice<UInt8>>) throws(SystemError) -> OpenFile {
        hasOpened = true
        return try descent.go(to: components) { [heir] folder, name throws(SystemError) in
            try folder.openOrMakeFolder(name, for: heir)
        }
    }
}

extension ArchiveEntry.Kind {
    fileprivate var isHardLink: Bool {
        if case .hardLink = self { true } else { false }
    }
}
