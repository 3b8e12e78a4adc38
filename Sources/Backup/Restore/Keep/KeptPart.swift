// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO
import Wording

/// What a restore replaced: a database under another name, a tree beside this record, or both.
///
/// The record is written before the swap, in the folder of the restore; that folder's new name, `kept-ID`, is what makes
/// it a kept part. So a full disk after the swap changes nothing, and a copy of the artifacts folder describes itself.
public struct KeptPart: Sendable, Equatable, Codable {
    /// `STAMP_NONCE`, as in the names of the folder and the database.
    public var id: String
    /// What was brought back in its place.
    public var backup: String
    public var mode: RestoreMode
    /// Seconds since 1970 UTC.
    public var replacedAt: Int64
    var stack: StackIdentity?
    /// The database, whatever it is called; `nil` where none was replaced.
    var databaseOID: UInt32?
    /// What it was renamed to.
    public var database: String?
    /// The backup that holds what is kept here, as far as was known when it was replaced; `nil` for none.
    public var coveredBy: String?
    /// Where rows in the kept database are younger than this (`pg_current_snapshot()`), that backup lacks them.
    var coveredUntil: String?
    /// What was live and is not in the backup that was brought back.
    public var replaced: NewerData
    /// The time of the file system when the files were last compared.
    var mark: FileTime?
    /// The state of the database that was brought in, before anybody wrote to it: what is younger came after the restore.
    var broughtIn: String?
    /// Files that came in during the swap: now live, or kept here because the live tree has something else.
    public var carried: [String]
    public var aside: [String]
    /// When it was last compared with its backup, and what that lacks: the reason why it stays.
    var checkedAt: Int64?
    public var missing: NewerData?

    static let recordName = "kept.json"
    static let prefix = "kept-"

    var replacedTime: LocalTime { LocalTime(epoch: replacedAt) }

    func write(in folder: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try DurableFile.replace(folder.appending(Self.recordName), with: Array(encoder.encode(self)), mode: 0o600)
    }

    static func read(in folder: FilePath) throws -> KeptPart? {
        guard try FileStatus.ifPresent(folder.appending(recordName)) != nil else { return nil }
        let bytes = try OpenFile(folder.appending(recordName), .readNoFollow).readAll(limit: 64 << 20)
        return try JSONDecoder().decode(KeptPart.self, from: Data(bytes))
    }
}
