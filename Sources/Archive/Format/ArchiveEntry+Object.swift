// SPDX-License-Identifier: Apache-2.0

extension ArchiveEntry {
    /// What a store said of an object when it was read. In the index only, but for the key, which is in the tar header, too.
    package struct Object: Sendable, Equatable {
        /// The key below the root, where the path is not made of it (`EntryPath.keys(of:)`).
        package var key: [UInt8]?
        /// The ETag, or `NAME:HASH`; `nil` where the store gives none.
        package var tag: String?
        /// Of a store that keeps versions.
        package var version: String?
        /// What the store counts `modified` in, in nanoseconds; zero where it gave no time.
        package var unit: UInt64

        package init(key: [UInt8]? = nil, tag: String? = nil, version: String? = nil, unit: UInt64 = 0) {
            (self.key, self.tag, self.version, self.unit) = (key, tag, version, unit)
        }
    }

    /// The same without what a store said of it: of content that ended early, and was filled up with zeros, that would prove later that
    /// nothing changed.
    var unproven: ArchiveEntry {
        guard let object else { return self }
        var entry = self
        entry.object = Object(key: object.key)
        return entry
    }

    /// The order in which a backup has its entries: that of a walk, and among the objects of one root that of their keys' bytes, in
    /// which stores list them.
    func precedes(_ other: ArchiveEntry) -> Bool {
        guard let mine = object, let theirs = other.object, path.isBesideInSection(other.path) else {
            return path.precedesInWalk(other.path)
        }
        return (mine.key.map { $0[...] } ?? ownKey).lexicographicallyPrecedes(
            theirs.key.map { $0[...] } ?? other.ownKey)
    }

    /// Below its section; of a folder what all keys in it begin with.
    private var ownKey: ArraySlice<UInt8> {
        let below = path.bytes.drop { $0 != UInt8(ascii: "/") }.dropFirst()
        return kind == .directory && !below.isEmpty ? below + [UInt8(ascii: "/")] : below
    }
}

extension EntryPath {
    /// Where objects are whose keys are no legal paths.
    package static func keys(of root: String) -> EntryPath {
        guard let path = EntryPath(ArchiveLayout.keysFolder + root) else { preconditionFailure("a name of a root") }
        return path
    }

    /// The order of a walk: depth first, names by their bytes, below the folders of a backup in the order they are
    /// written in.
    func precedesInWalk(_ other: EntryPath) -> Bool {
        let ranks = (sectionRank, other.sectionRank)
        if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
        if isOfKeys != other.isOfKeys {
            // Behind their root, and before the next one.
            let names = (rootName, other.rootName)
            return names.0 == names.1 ? other.isOfKeys : names.0.lexicographicallyPrecedes(names.1)
        }
        // A slash ends a name, so it sorts before every byte that could continue one.
        for (mine, others) in zip(bytes, other.bytes) where mine != others {
            return (mine == UInt8(ascii: "/") ? 0 : Int(mine)) < (others == UInt8(ascii: "/") ? 0 : Int(others))
        }
        return bytes.count < other.bytes.count
    }

    private var sectionRank: Int {
        if bytes.starts(with: EntryPath.database.bytes) { return 0 }
        return bytes.starts(with: EntryPath.manifest.bytes) ? 2 : 1
    }

    private var isOfKeys: Bool { bytes.starts(with: ArchiveLayout.keysFolder.utf8) }
    private var first: ArraySlice<UInt8> { bytes.prefix { $0 != UInt8(ascii: "/") } }

    fileprivate func isBesideInSection(_ other: EntryPath) -> Bool { first == other.first }

    /// The name of the further root that it is of; empty for the first.
    private var rootName: ArraySlice<UInt8> { first.drop { $0 != UInt8(ascii: "-") }.dropFirst() }

    /// The name of the further root that it is below.
    var furtherRoot: String? {
        guard first.count < bytes.count, isOfKeys || bytes.starts(with: ArchiveLayout.furtherArtifacts.utf8) else {
            return nil
        }
        return String(decoding: rootName, as: UTF8.self)
    }
}
