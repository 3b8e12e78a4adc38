// SPDX-License-Identifier: Apache-2.0

/// An entry of `operations/list` and `operations/stat`.
struct RcloneEntry: Decodable {
    let name: String
    /// In bytes; -1 where the store does not say.
    let size: Int64
    let modified: String?
    let isFolder: Bool
    let hashes: [String: String]?
    let metadata: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case size = "Size"
        case modified = "ModTime"
        case isFolder = "IsDir"
        case hashes = "Hashes"
        case metadata = "Metadata"
    }
}

/// What `operations/fsinfo` says of a store.
struct RcloneAbilities: Decodable, Sendable {
    struct Features: Decodable, Sendable {
        let isBucket: Bool?
        let hasSlowHashes: Bool?
        let hasSlowTimes: Bool?
        let writesUserMetadata: Bool?
        let readsMetadata: Bool?

        enum CodingKeys: String, CodingKey {
            case isBucket = "BucketBased"
            case hasSlowHashes = "SlowHash"
            case hasSlowTimes = "SlowModTime"
            case writesUserMetadata = "UserMetadata"
            case readsMetadata = "ReadMetadata"
        }
    }

    private let features: Features
    private let hashes: [String]?
    /// Of modification times, in nanoseconds; a hundred years where there are none.
    private let precision: Int64?

    private enum CodingKeys: String, CodingKey {
        case features = "Features"
        case hashes = "Hashes"
        case precision = "Precision"
    }

    var isBucket: Bool { features.isBucket == true }

    /// Whether the store's own times come with a listing, and rclone's cost a HEAD an object (S3, Swift).
    var usesServerTimes: Bool { features.hasSlowTimes == true }

    /// Whether a hash comes with a listing. Of S3 it costs a HEAD for each object that was sent in parts.
    var hasFreeHashes: Bool { features.hasSlowHashes != true && !usesServerTimes && hashes?.isEmpty == false }

    var keepsMarks: Bool { features.writesUserMetadata == true && features.readsMetadata == true }

    /// Of times, in nanoseconds; `nil` where there are none.
    var granularity: Int64? {
        if usesServerTimes { return 1_000_000_000 }
        guard let precision, precision > 0, precision < 86_400_000_000_000 else { return nil }
        return precision
    }
}
