// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// What a backup needs in the backup folder while it is made: the dump lies in the staging folder uncompressed, and the
/// archive grows beside it.
package struct BackupRoom: Sendable, Equatable {
    /// Bytes without which it certainly fails.
    var least: UInt64
    /// Bytes with which it certainly works, as far as anyone knows before.
    var most: UInt64
    /// Files and folders to be made.
    var files: UInt64

    /// What the dump will take: `known` of the one before, and what the tables hold now.
    package struct Dump: Sendable, Equatable {
        /// Bytes of all tables without their indices. Of rows that are gone the room stays.
        var tables: UInt64
        /// Bytes that the rows which are there certainly take.
        var least: UInt64
        var files: UInt64
    }

    /// What makes it up.
    struct Parts {
        let kind: BackupName.Kind
        let dump: Dump
        let estimate: BackupEstimate
        /// Whether what the backup before holds unchanged takes no room again.
        let sharesUnchanged: Bool
        /// How small fresh content becomes, between 0 and 1.
        let fraction: Double
        /// Whether the database is what it was when the backup before was made.
        let isSameDatabase: Bool
    }

    init(least: UInt64, most: UInt64, files: UInt64) { (self.least, self.most, self.files) = (least, most, files) }

    init(_ parts: Parts) {
        let (dump, estimate) = (parts.dump, parts.estimate)
        // Yesterday's dump is the measure only where nothing was written since: rows may be gone, and their room is not.
        let dumpLeast = parts.isSameDatabase ? estimate.dumpBytes : dump.least
        let dumpMost = max(dump.tables, estimate.dumpBytes)
        let index = UInt64(clamping: estimate.files + estimate.folders).multiplied(clamped: Self.indexLine)
        files = dump.files.adding(clamped: Self.own)
        switch parts.kind {
        case .compressed where estimate.isUnchanged && parts.isSameDatabase:
            // Another name of the one before.
            (least, most) = (dumpLeast, dumpMost)
        case .compressed:
            let kept =
                parts.sharesUnchanged
                ? 0 : estimate.keptLength.adding(clamped: parts.isSameDatabase ? estimate.dumpLength : 0)
            least = dumpLeast.adding(clamped: kept).adding(clamped: Self.part(parts.fraction, of: estimate.freshBytes))
            most = dumpMost.adding(clamped: dumpMost).adding(clamped: kept)
                .adding(clamped: estimate.freshBytesAtMost).adding(clamped: index)
        case .uncompressed:
            let fresh = UInt64(clamping: estimate.freshFiles)
            files = files.adding(clamped: dump.files).adding(clamped: fresh)
                .adding(clamped: UInt64(clamping: estimate.folders))
            // The dump is copied into the folder before it goes from the staging folder.
            least = dumpLeast.adding(clamped: estimate.freshBytesAtMost)
            most = dumpMost.adding(clamped: dumpMost).adding(clamped: estimate.freshBytesAtMost)
                .adding(clamped: files.multiplied(clamped: Self.block)).adding(clamped: index)
        }
    }

    /// What a file takes beside its content at most, in bytes: the rest of its last block, or a folder's own.
    private static let block: UInt64 = 4096
    /// Bytes of a line of the index, uncompressed.
    private static let indexLine: UInt64 = 256
    /// Archive, sidecar, intent, manifest, index, folders, and partial names of them.
    private static let own: UInt64 = 12

    private static func part(_ fraction: Double, of bytes: UInt64) -> UInt64 {
        UInt64(nearest: Double(bytes) * fraction)
    }
}
