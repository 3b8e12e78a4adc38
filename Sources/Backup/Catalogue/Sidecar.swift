// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import FoundationEssentials
import Glibc
import SystemIO
import Wording

/// `NAME.json`: what was known of a backup when it was last verified. Without it a backup is only a file.
package struct Sidecar: Sendable, Equatable, Codable {
    package enum Status: String, Sendable, Codable { case completed, corrupt, suspicious }

    package static let currentFormat = 1

    package var format = Sidecar.currentFormat
    package var name: String
    package var type: BackupName.Kind
    package var status: Status
    /// Why a corrupt one is corrupt: in English, and in Chinese, which those of 0.1.0 have not.
    var reason: String?
    var reasonInChinese: String?
    /// Bytes on disk, and the SHA-256 of the file; of `index.json` for a folder.
    package var size: UInt64
    package var sha256: String
    package var indexOffset: UInt64
    /// Seconds since 1970 UTC.
    package var createdAt: Int64
    package var verifiedAt: Int64
    /// Put here by a person: retention leaves it alone.
    package var adopted: Bool
    package var durationSeconds: Double?
    /// What the manifest says, so that a listing need not open the archive.
    package var summary: Manifest.Summary?
    /// SHA-256 of the stored index of an archive of ours: it lets every member be checked on its own, in parallel.
    package var indexSHA256: String?
    /// How many backups in a row shared bytes with the one before; zero for an independent one.
    package var generation: Int?
    /// Bytes shared with, and copied from, the backup before.
    package var clonedBytes: UInt64?
    package var copiedBytes: UInt64?
    /// Whose backup it is; `nil` in those of 0.1.0.
    package var stack: StackIdentity?
    /// The independent backup whose bytes it shares, by name; its own where it is one. `nil` in those of 0.1.0.
    package var chain: String?
    /// What makes it suspicious, as long as nobody accepted it.
    package var suspicion: Suspicion?
    /// When a person accepted it in spite of that, in seconds since 1970 UTC.
    package var acceptedAt: Int64?
    /// The last acceptance of a backup of the stack, of whichever.
    var acceptance: Acceptance?
    /// Which file was read then (`FileMark`); `nil` in those of 0.1.0. A copy of it, sidecar and all, was read by nobody.
    var readFile: String?
    /// In a file: the digest of all the rest of it (`RecordSeal`).
    var seal: String?

    enum CodingKeys: String, CodingKey {
        case format, name, type, status, reason, size, sha256
        case reasonInChinese = "reason_zh"
        case indexOffset = "index_offset"
        case createdAt = "created_at"
        case verifiedAt = "verified_at"
        case adopted
        case durationSeconds = "duration_seconds"
        case summary
        case indexSHA256 = "index_sha256"
        case generation
        case clonedBytes = "cloned_bytes"
        case copiedBytes = "copied_bytes"
        case stack, chain, suspicion
        case acceptedAt = "accepted_at"
        case acceptance
        case readFile = "read_file"
        case seal
    }

    /// Why it is corrupt.
    package var damage: BilingualText? {
        get { reason.map { BilingualText(zh: reasonInChinese ?? $0, en: $0) } }
        set { (reason, reasonInChinese) = (newValue?.english, newValue?.chinese) }
    }

    /// Whether somebody vouched for bytes of this size. One that was condemned before anybody did knows of none.
    var isOfKnownBytes: Bool { Digest(hex: sha256) != nil }

    /// The status of one whose bytes are good.
    var goodStatus: Status { suspicion == nil ? .completed : .suspicious }

    package func write(in folder: BackupFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var blank = self
        blank.seal = RecordSeal.blank
        let bytes = RecordSeal.sealed(Array(try encoder.encode(blank)) + [UInt8(ascii: "\n")])
        try DurableFile.replace(folder.path.appending(name + BackupName.sidecarSuffix), with: bytes, mode: 0o640)
    }

    /// - Parameter isSealed: whether the seal was there and right.
    /// - Returns: `nil` where it is none, or one that has lost its seal.
    fileprivate static func decoded(_ bytes: [UInt8], isSealed: Bool) -> Sidecar? {
        guard var sidecar = try? JSONDecoder().decode(Sidecar.self, from: Data(bytes)),
            sidecar.format == Self.currentFormat, sidecar.isPlausible, isSealed || !sidecar.isSealedByItsMaker
        else { return nil }
        sidecar.seal = nil
        return sidecar
    }

    /// Whether it has what 0.1.0, which knew no seal, never wrote.
    private var isSealedByItsMaker: Bool {
        chain != nil || stack != nil || suspicion != nil || acceptedAt != nil || readFile != nil
    }
}

/// `NAME.json` as it lies on the disk.
enum SidecarFile {
    case missing
    case sound(Sidecar)
    /// A bit of it had flipped, and which one is certain.
    case mended(Sidecar)
    /// Nothing it says is to be believed.
    /// - Parameter isOurs: whether it still says that a backup of this service lies beside it under this name, not one that
    ///   a person put there or renamed.
    case damaged(isOurs: Bool)
    /// The disk did not give it now; it may be sound.
    case unreadable(SystemError)

    init(of name: BackupName, in folder: BackupFolder) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try OpenFile(folder.path.appending(name.sidecar), .readNoFollow).readAll(limit: 4 << 20)
        } catch {
            // What is no file was put there by a person; else it says as much as it ever did to whoever may read it.
            let isNone = error.isOfAnotherKind || error.code == EFBIG
            self = error.isNotFound ? .missing : isNone ? .damaged(isOurs: false) : .unreadable(error)
            return
        }
        let isWhole = RecordSeal.isWhole(bytes)
        if isWhole != false, let sidecar = Sidecar.decoded(bytes, isSealed: isWhole == true) {
            // One under another name was given that by a person, who then keeps the backup.
            self = sidecar.name == name.string ? .sound(sidecar) : .damaged(isOurs: false)
        } else if isWhole != true, let whole = RecordSeal.withoutFlippedBit(bytes),
            let sidecar = Sidecar.decoded(whole, isSealed: true)
        {
            // Of one whose seal is right no bit flipped: looking for it takes longer than all the rest of a listing.
            self = sidecar.name == name.string ? .mended(sidecar) : .damaged(isOurs: false)
        } else {
            let text = String(decoding: bytes, as: UTF8.self)
            let isOurs = ["\"adopted\" : false", "\"name\" : \"\(name)\""].allSatisfy { text.contains($0) }
            self = .damaged(isOurs: isOurs)
        }
    }

    /// Whose a damaged one says its backup is; `nil` where that cannot be made out. It is a hint of whom to tell, and proves
    /// nothing.
    static func remainingOwner(of name: BackupName, in folder: BackupFolder) -> StackIdentity? {
        struct Owner: Decodable { let stack: StackIdentity? }
        guard let file = try? OpenFile(folder.path.appending(name.sidecar), .readNoFollow),
            let bytes = try? file.readAll(limit: 4 << 20)
        else { return nil }
        return (try? JSONDecoder().decode(Owner.self, from: Data(bytes)))?.stack
    }

    /// What may be believed of it.
    var sidecar: Sidecar? {
        switch self {
        case .sound(let sidecar), .mended(let sidecar): sidecar
        case .missing, .damaged, .unreadable: nil
        }
    }
}

/// Numbers in a sidecar or a manifest are the folder's word, and anybody may have written them. Beyond these bounds they
/// are no backup's, and sums of them could overflow.
enum PlausibleNumber {
    /// 2⁵³ bytes are nine petabytes, and the last whole number that every reader of JSON agrees on.
    static let largest: UInt64 = 1 << 53
    /// The end of the year 9999, in seconds since 1970 UTC.
    static let latest: Int64 = 253_402_300_799

    static func isCount(_ number: Int64?) -> Bool { number.map { $0 >= 0 && UInt64($0) <= largest } ?? true }
    static func isCount(_ number: UInt64?) -> Bool { number.map { $0 <= largest } ?? true }
    static func isDate(_ seconds: Int64?) -> Bool { seconds.map { (0...latest).contains($0) } ?? true }
}

extension Sidecar {
    fileprivate var isPlausible: Bool {
        [size, indexOffset, clonedBytes, copiedBytes].allSatisfy { PlausibleNumber.isCount($0) }
            && [createdAt, verifiedAt, acceptedAt].allSatisfy { PlausibleNumber.isDate($0) }
            && (0...1_000_000).contains(generation ?? 0) && (0...1e9).contains(durationSeconds ?? 0)
            && (summary?.isPlausible ?? true) && (suspicion?.isPlausible ?? true)
            && (acceptance?.isPlausible ?? true)
    }
}

extension Acceptance {
    fileprivate var isPlausible: Bool {
        PlausibleNumber.isDate(created) && PlausibleNumber.isDate(acceptedAt) && (summary?.isPlausible ?? true)
    }
}

extension Manifest.Summary {
    fileprivate var isPlausible: Bool {
        PlausibleNumber.isCount(contentBytes)
            && [experiments, runs, registeredModels, rows, Int64(files), Int64(skipped)].allSatisfy {
                PlausibleNumber.isCount($0)
            } && (lack?.isPlausible ?? true)
    }
}
