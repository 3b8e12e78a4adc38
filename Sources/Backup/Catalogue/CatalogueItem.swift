// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One backup in the folder, as a listing shows it.
public struct CatalogueItem: Sendable, Equatable {
    public enum Status: String, Sendable {
        /// Verified, and the file still has the size it was verified with.
        case completed
        case corrupt
        /// Nobody has vouched for it yet: dropped in by hand, or its sidecar is gone.
        case unverified
    }

    public let name: BackupName
    public let path: FilePath
    public let kind: BackupName.Kind
    public let size: UInt64
    public let created: LocalTime
    public let status: Status
    /// Why a corrupt one is corrupt.
    public let reason: String?
    public let sidecar: Sidecar?
}
