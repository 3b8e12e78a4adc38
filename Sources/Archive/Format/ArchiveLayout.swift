// SPDX-License-Identifier: Apache-2.0

/// Where things are in a backup, and the sizes the format is built from.
public enum ArchiveLayout {
    /// The one folder at the top of every tar. It is the same in each backup on purpose: a member can be used
    /// again in tomorrow's archive only if the names in it are tomorrow's names too.
    public static let top: [UInt8] = Array("mlflow_backup".utf8)
    public static let databaseFolder = "database"
    public static let artifactsFolder = "artifacts"
    public static let manifestName = "manifest.json"
    public static let indexName = "index.json"
    /// The tar header of the index is always one block: its time has no fraction, so that it needs no pax record.
    static let indexHeaderLength = blockSize

    /// A pack member is closed when it holds this many tar bytes.
    public static let packSize = 1 << 20
    /// Bytes of a large file in one chunk member; files longer than this are large.
    public static let chunkSize = 4 << 20
    /// POSIX.1-2017 pax, "ustar Interchange Format": everything is in blocks of 512 bytes.
    public static let blockSize = 512
    /// What xfs and btrfs share: multiples of this many bytes (ioctl_ficlonerange(2)).
    static let sharedBlockSize = 4096

    static func padding(after size: UInt64) -> Int { Int((512 - size % 512) % 512) }
}
