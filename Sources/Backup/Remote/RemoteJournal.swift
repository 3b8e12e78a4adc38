// SPDX-License-Identifier: Apache-2.0

import Crypto
import ObjectStore
import SystemIO
import Wording

/// What a restore or an undo does with the objects of one remote root. It follows the journal of the first folder (`RestoreJournal`) as
/// those of further folders do: it is in *committing* before that one is, nothing of it moves before that one is where it is to be, and
/// on which side it ends the same database or journal says. At its end it is the record of what is kept.
struct RemoteJournal: Sendable, Equatable, Codable {
    enum Stage: String, Sendable, Codable { case preparing, committing, kept }

    /// One object, and what becomes of it.
    struct Item: Sendable, Equatable, Codable {
        enum Role: String, Sendable, Codable {
            /// Another one takes its place, and it is kept.
            case replaced
            /// There was none.
            case added
            /// It goes aside.
            case removed
        }

        /// Bytes of the key, in base64.
        var key: String
        var role: Role
        /// What lay there when it was compared last.
        var before: Stamps?
        /// What lies there since.
        var after: Stamps?

        init(_ key: ObjectKey, _ role: Role, before: ObjectStamps? = nil) {
            self.key = String(decoding: Base64.encoded(key.bytes), as: UTF8.self)
            self.role = role
            self.before = before.map { Stamps($0) }
        }

        var object: ObjectKey { ObjectKey(bytes: Base64.decoded(Array(key.utf8)) ?? []) }
    }

    struct Stamps: Sendable, Equatable, Codable {
        var size: UInt64
        var tag: String?
        /// Nanoseconds since 1970 UTC, and their unit.
        var modified: Int64?
        var unit: Int64?

        init(_ stamps: ObjectStamps) {
            (size, tag) = (stamps.size, stamps.tag)
            (modified, unit) = (stamps.modified?.nanoseconds, stamps.modified?.granularity)
        }

        func agree(with other: ObjectStamps) -> Bool {
            let time = modified.map { ObjectStamps.ModificationTime(nanoseconds: $0, granularity: unit ?? 1) }
            return ObjectStamps(size: size, tag: tag, modified: time).agree(with: other)
        }
    }

    static let currentFormat = 1

    var format = Self.currentFormat
    /// That of the journal that it follows.
    var id: String
    var root: String
    var location: String
    var kind: RestoreJournal.Kind
    var stage = Stage.preparing
    var stack: StackIdentity?
    var liveDatabase: String
    /// Of the journal that it follows, where a database decides.
    var newOID: UInt32?
    var oldOID: UInt32?
    /// Of an undo: the record whose objects come back.
    var undoes: String?
    var items: [Item] = []
    /// Keys of what clients wrote while objects were swapped, and which are kept beside (base64).
    var late: [String] = []

    /// What its own objects are called, below the root.
    static let folder = Array((ArtifactSwap.folderName + "/").utf8)

    /// Where what is to come in lies; for a restore what was uploaded, for an undo what was kept.
    func source(of key: ObjectKey) -> ObjectKey {
        undoes.map { Self.kept($0, key) } ?? Self.place("work-\(id)/new/", key)
    }

    func kept(_ key: ObjectKey) -> ObjectKey { Self.kept(id, key) }
    func late(_ key: ObjectKey) -> ObjectKey { Self.place("\(KeptPart.prefix)\(id)/late/", key) }
    private static func kept(_ id: String, _ key: ObjectKey) -> ObjectKey { place("\(KeptPart.prefix)\(id)/old/", key) }

    /// A key has 1,024 bytes at most; of one that would be longer by ours the digest stands for it.
    private static func place(_ folder: String, _ key: ObjectKey) -> ObjectKey {
        let name = key.bytes.count <= 900 ? key.bytes : Array("sha256-\(SHA256.digest(of: key.bytes).hex)".utf8)
        return ObjectKey(bytes: Self.folder + Array(folder.utf8) + name)
    }

    // MARK: on disk

    private static let filePrefix = "store-journal-"
    private var fileName: String { "\(Self.filePrefix)\(id)-\(root).json" }

    func write(in state: RestoreState) throws {
        let place = try state.onlyPlace(for: fileName)
        try SealedRecord.write(self, to: place.path, mode: place.mode)
    }

    func remove(in state: RestoreState) throws { try state.remove(fileName) }

    func path(in state: RestoreState) -> FilePath { state.shown(fileName) }

    /// Those of this stack, at whatever stage.
    /// - Throws: `BackupError.needsRecovery` where one cannot be read.
    static func all(_ workspace: Workspace, system: String? = nil) throws -> [RemoteJournal] {
        let state = workspace.firstState
        return try state.names().filter { $0.hasPrefix(filePrefix) && $0.hasSuffix(".json") }.compactMap { name in
            guard let path = try state.existing(name) else { return nil }
            guard let journal = try SealedRecord.read(RemoteJournal.self, at: path), journal.format <= currentFormat,
                KeptPart.isID(journal.id), ArtifactFolder.isName(journal.root), journal.fileName == name,
                journal.undoes.map(KeptPart.isID) ?? true
            else {
                throw BackupError.needsRecovery(
                    reason: BilingualText(
                        zh: "恢复日志 \(path) 已损坏，或由更新的版本写成",
                        en: "the restore journal \(path) is damaged, or was written by a newer version"))
            }
            guard journal.liveDatabase == workspace.stack.database.name,
                system == nil || journal.stack == nil || journal.stack?.system == system
            else { return nil }
            return journal
        }
    }

    /// Whether one has not come to its end. What cannot be read is there.
    static func isPending(_ workspace: Workspace) -> Bool {
        do { return try all(workspace).contains { $0.stage != .kept } } catch is BackupError { return true } catch {
            return false
        }
    }
}
