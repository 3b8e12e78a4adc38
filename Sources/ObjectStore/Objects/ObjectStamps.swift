// SPDX-License-Identifier: Apache-2.0

/// What a store says of an object without its content.
package struct ObjectStamps: Sendable, Equatable {
    /// In bytes.
    package let size: UInt64
    /// The ETag without its quotes, or `NAME:HASH` of another kind of store; `nil` where it gives none, or only by reading the object.
    package let tag: String?
    /// Nanoseconds since 1970 UTC, and the unit that the store counts in, in nanoseconds; `nil` where it has no such time.
    package let modified: ModificationTime?
    /// Of a store that keeps versions. A listing does not have it.
    package let version: String?

    package struct ModificationTime: Sendable, Equatable {
        package let nanoseconds: Int64
        package let granularity: Int64

        package init(nanoseconds: Int64, granularity: Int64) {
            (self.nanoseconds, self.granularity) = (nanoseconds, granularity)
        }

        /// Whether both may be one moment, in the coarser of the two units.
        func mayBe(_ other: ModificationTime) -> Bool {
            let unit = max(granularity, other.granularity, 1)
            return nanoseconds / unit == other.nanoseconds / unit
        }
    }

    package init(size: UInt64, tag: String? = nil, modified: ModificationTime? = nil, version: String? = nil) {
        (self.size, self.tag, self.modified, self.version) = (size, tag, modified, version)
    }

    /// Whether equal stamps say that the content is the same: with a tag, or with times finer than a second. A store that has neither may
    /// have replaced an object by another of the same size within the second.
    package var tellContent: Bool {
        if tag != nil { return true }
        guard let modified else { return false }
        return modified.granularity < 1_000_000_000
    }

    /// Whether nothing that both have differs. Of what only one has nothing is said: a listing has no version.
    package func agree(with other: ObjectStamps) -> Bool {
        if size != other.size { return false }
        if let tag, let theirs = other.tag, tag != theirs { return false }
        if let version, let theirs = other.version, version != theirs { return false }
        // An object that is written anew with the same bytes is the same: a tag says more than a time.
        if tag != nil, other.tag != nil { return true }
        if let modified, let theirs = other.modified { return modified.mayBe(theirs) }
        return true
    }
}

/// An object of a listing.
package struct ListedObject: Sendable, Equatable {
    package let key: ObjectKey
    package let stamps: ObjectStamps

    package init(key: ObjectKey, stamps: ObjectStamps) { (self.key, self.stamps) = (key, stamps) }
}

/// What a store says of one object that it was asked about.
package struct ObjectDescription: Sendable, Equatable {
    package let stamps: ObjectStamps
    /// Our own mark (`StoreConnection.put`), which a copy by the server keeps.
    package let mark: String?

    package init(stamps: ObjectStamps, mark: String? = nil) { (self.stamps, self.mark) = (stamps, mark) }
}
