// SPDX-License-Identifier: Apache-2.0

/// Where things are in a backup, and the sizes the format is built from.
package enum ArchiveLayout {
    /// The one folder at the top of every tar. It is the same in each backup on purpose: a member can be used
    /// again in tomorrow's archive only if the names in it are tomorrow's names too.
    package static let top: [UInt8] = Array("mlflow_backup".utf8)
    package static let databaseFolder = "database"
    package static let artifactsFolder = "artifacts"
    /// What the folder of a further root begins with; its name follows.
    static let furtherArtifacts = "artifacts-"
    /// The same of the folder of objects whose keys are no legal paths.
    static let keysFolder = "keys-"
    package static let manifestName = "manifest.json"
    package static let indexName = "index.json"
    /// The tar header of the index is always one block: its time has no fraction, so that it needs no pax record.
    static let indexHeaderLength = blockSize

    /// A pack member is closed when it holds this many tar bytes.
    package static let packSize = 1 << 20
    /// Bytes of a large file in one chunk member; files longer than this are large.
    package static let chunkSize = 4 << 20
    /// POSIX.1-2017 pax, "ustar Interchange Format": everything is in blocks of 512 bytes.
    package static let blockSize = 512
    /// What xfs and btrfs share: multiples of this many bytes (ioctl_ficlonerange(2)).
    static let sharedBlockSize = 4096

    static func padding(after size: UInt64) -> Int { Int((512 - size % 512) % 512) }
}
