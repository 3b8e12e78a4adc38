// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// One backup in the folder, as a listing shows it.
package struct CatalogueItem: Sendable, Equatable {
    package enum Status: String, Sendable {
        /// Verified, and the file still has the size it was verified with.
        case completed
        case corrupt
        /// Verified, and far smaller than what was backed up before: a person has to accept it.
        case suspicious
        /// Nobody has vouched for it yet: dropped in by hand, or its sidecar is gone.
        case unverified
    }

    package let name: BackupName
    package let path: FilePath
    package let kind: BackupName.Kind
    package let size: UInt64
    package let created: LocalTime
    package let status: Status
    /// Why a corrupt one is corrupt, and a suspicious one suspicious.
    package let reason: BilingualText?
    package let sidecar: Sidecar?
    /// What is wrong with the file of that.
    var sidecarFault: SidecarFault?
    /// What the file is, whatever its names.
    let device: UInt64
    let inode: UInt64
    /// Which file it is, to tell it from a copy of it (`FileMark.listed`).
    let mark: String
    /// What it lacks, or is instead of a backup, by its looks (`BackupShape`).
    package var shapeFault: BilingualText?

    enum SidecarFault: Sendable, Equatable {
        case mended
        case damaged(isOurs: Bool)
        case unreadable(SystemError)

        init?(_ file: SidecarFile) {
            switch file {
            case .missing, .sound: return nil
            case .mended: self = .mended
            case .damaged(let isOurs): self = .damaged(isOurs: isOurs)
            case .unreadable(let error): self = .unreadable(error)
            }
        }
    }

    /// Whether its bytes are the ones that were written.
    package var isWhole: Bool { status == .completed || status == .suspicious }

    /// Whether its file has another size than the one that was verified.
    var hasOtherSize: Bool {
        guard kind == .compressed, shapeFault == nil, let sidecar, sidecar.isOfKnownBytes else { return false }
        return sidecar.size != size
    }

    /// Whether it is damaged to look at. What has another shape is not read, and that is written nowhere: it shows itself as
    /// long as it is so, and what is still being copied here becomes good by itself.
    var isDamagedToLookAt: Bool { shapeFault != nil || hasOtherSize }

    /// Whether what was found damaged was changed or replaced since. What was still being copied then may be whole now. The
    /// files in a folder are looked at.
    func wasCondemnedAsAnother() -> Bool {
        guard sidecar?.status == .corrupt, !isDamagedToLookAt else { return false }
        guard FileMark.agree(sidecar?.readFile, mark) else { return true }
        guard kind == .uncompressed, let noted = sidecar?.readFile, FileMark.isWhole(noted) else { return false }
        return (try? FileMark.whole(path)).map { !FileMark.agree(noted, $0) } ?? false
    }

    /// Whether both are names of one file.
    func isSameFile(as other: CatalogueItem) -> Bool { device == other.device && inode == other.inode }

    /// When its bytes were last read, in seconds since 1970 UTC; `nil` for never. A reading in the future is none, and so is
    /// that of another file, which this one is a copy of, or which this one was put over. The files in a folder are not
    /// looked at: that is for who decides by it (`lastReadLookingInside`).
    package func lastRead(_ now: LocalTime = .now()) -> Int64? {
        guard let sidecar, FileMark.agree(sidecar.readFile, mark), sidecar.verifiedAt > 0,
            sidecar.verifiedAt <= now.epoch
        else { return nil }
        return sidecar.verifiedAt
    }

    /// The same, and in a folder each file is looked at: what was put over one of them was not read. It takes the time of a
    /// walk through it.
    func lastReadLookingInside(_ now: LocalTime) -> Int64? {
        guard let read = lastRead(now) else { return nil }
        guard kind == .uncompressed, let noted = sidecar?.readFile, FileMark.isWhole(noted) else { return read }
        // What cannot be looked at was read by nobody, for all that is known.
        guard let mark = try? FileMark.whole(path) else { return nil }
        return FileMark.agree(noted, mark) ? read : nil
    }
}
