// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What a restore replaced: a database under another name, a tree in our folder among the artifacts, or both.
///
/// The record lies where the journal does (`RestoreState`), and is written before the swap; the
/// new name of the restore's own folder, `kept-ID`, is what makes it a kept part. So a full disk after the swap changes
/// nothing.
package struct KeptPart: Sendable, Equatable, Codable {
    /// `STAMP_NONCE`, as in the names of the folder and the database.
    package var id: String
    /// What was brought back in its place.
    package var backup: String
    package var mode: RestoreMode
    /// Seconds since 1970 UTC.
    package var replacedAt: Int64
    /// The same by the clock of the machine's start; `nil` where it is not known.
    var replacedSinceBoot: BootClock? = .now()
    var stack: StackIdentity?
    /// The database, whatever it is called; `nil` where none was replaced.
    var databaseOID: UInt32?
    /// What it was renamed to.
    package var database: String?
    /// The backup that holds what is kept here, as far as was known when it was replaced; `nil` for none.
    package var coveredBy: String?
    /// Where rows in the kept database are younger than this (`pg_current_snapshot()`), that backup lacks them.
    var coveredUntil: String?
    /// What was live and is not in the backup that was brought back.
    package var replaced = NewerData()
    /// The time of the file system when the files were last compared.
    var mark: FileTime?
    /// The state of the database that was brought in, before anybody wrote to it: what is younger came after the restore.
    var broughtIn: String?
    /// Files that came in during the swap: now live, or kept here because the live tree has something else.
    package var carried: [String] = []
    package var aside: [String] = []
    /// Whether an undo replaced it: what that brought is then no backup's content, but what was live before.
    var isOfUndo: Bool?
    /// When it was last compared with its backup, and what that lacks: the reason why it stays.
    var checkedAt: Int64?
    package var missing: NewerData?
    /// Inodes of the children of the artifacts folder that the swap brought in: any other folder there came later.
    var arrived: [UInt64]?
    /// Names of those that it put aside, which are here; `nil` in records of before.
    var departed: [[UInt8]]?
    /// How many files and folders it held when its restore was done; `nil` where that was not counted.
    var entries: Int?
    /// Why it could not be removed when its time was over.
    package var obstacle: NewerData?
    /// Bytes that nothing else holds, as of when they were last counted (`KeptSizes`).
    package var bytes: UInt64?
    /// Which came first: clocks are turned back, and two restores end in one second. `nil` in records of before, which are
    /// older than all others.
    var sequence: Int64?
    /// Of an undo: what holds the data that it brought back, as it was then; `nil` for none. A restore's is in `backup`.
    var broughtCover: Cover?
    /// The database that was brought in.
    var broughtOID: UInt32?

    /// Which artifacts folder its files are of (`ArtifactFolder.name`); `nil` for the first.
    package var root: String?
    /// The part (`id`) that it was replaced together with, and is brought back with: of a folder beside the first.
    package var follows: String?
    /// The folders beside the first of which there are parts that follow this one.
    var roots: [String]?
    /// The remote roots of which there are records that follow this one (`RemoteJournal`).
    var stores: [String]?

    /// Whether its removal has begun: what is not there any more was proven to be elsewhere, or is not wanted.
    var isBeingRemoved: Bool?

    /// A backup, and how far it reaches.
    struct Cover: Sendable, Equatable, Codable {
        var backup: String
        /// As `coveredUntil`.
        var until: String?
    }

    /// Those that an undo of it needs, and its removal.
    var backups: Set<String> {
        // What is live again may be replaced once more, and is then in `broughtCover`.
        Set([backup, coveredBy, broughtCover?.backup].compactMap { $0 })
    }

    static let prefix = "kept-"

    /// `20261125_021500_7f3a9c01`, also with `_late` behind it: what may become part of a path.
    static func isID(_ text: String) -> Bool {
        let digits = text.hasSuffix("_late") ? text.dropLast(5) : text[...]
        let parts = digits.split(separator: "_", omittingEmptySubsequences: false)
        // 0.1.0's restores had no nonce.
        guard parts.count == 2 || parts.count == 3, parts[0].utf8.count == 8, parts[1].utf8.count == 6,
            parts.count == 2 || parts[2].utf8.count == 8
        else { return false }
        return parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }
    }

    /// Whether it holds what came in during a swap, and not what one replaced.
    var isLate: Bool { id.hasSuffix("_late") }

    var replacedTime: LocalTime { LocalTime(epoch: replacedAt) }
    var replacedMoment: Moment { Moment(epoch: replacedAt, boot: replacedSinceBoot) }

    /// The names of its files.
    private enum FileName {
        static func record(_ id: String) -> String { "\(prefix)\(id).json" }
        static func shared(_ id: String) -> String { "\(prefix)\(id).shared" }
        static func brought(_ id: String) -> String { "\(prefix)\(id).brought" }
    }

    /// Where its record is, or would be: for a person, and for who mends it.
    static func path(of id: String, in state: RestoreState) -> FilePath { state.shown(FileName.record(id)) }

    static func hasRecord(_ id: String, in state: RestoreState) throws -> Bool {
        try state.existing(FileName.record(id)) != nil
    }

    /// A part of what came in during a swap is of that restore, too.
    private static func place(for name: String, of id: String, in state: RestoreState) throws -> RestoreState.Place {
        let restore = id.hasSuffix("_late") ? String(id.dropLast("_late".count)) : id
        return try state.place(for: name, nextTo: [RestoreJournal.fileName(restore), FileName.record(restore)])
    }

    func write(in state: RestoreState) throws {
        let place = try Self.place(for: FileName.record(id), of: id, in: state)
        try SealedRecord.write(self, to: place.path, mode: place.mode)
    }

    func removeRecord(in state: RestoreState) throws { try Self.removeRecord(of: id, in: state) }

    static func removeRecord(of id: String, in state: RestoreState) throws {
        for name in [FileName.shared(id), FileName.brought(id), FileName.record(id)] { try state.remove(name) }
    }

    /// Which files the kept tree and the live one shared at the swap: inodes.
    static func write(shared inodes: [UInt64], of id: String, in state: RestoreState) throws {
        let place = try place(for: FileName.shared(id), of: id, in: state)
        try SealedNumbers.write(inodes, to: place.path, mode: place.mode)
    }

    static func shared(of id: String, in state: RestoreState) throws -> Set<UInt64> {
        try numbers(of: id, at: state.existing(FileName.shared(id))) ?? []
    }

    /// What an undo brought in: `BroughtTree`.
    static func write(brought marks: [UInt64], of id: String, in state: RestoreState) throws {
        let place = try place(for: FileName.brought(id), of: id, in: state)
        try SealedNumbers.write(marks, to: place.path, mode: place.mode)
    }

    /// - Returns: `nil` where that was not noted.
    static func brought(of id: String, in state: RestoreState) throws -> Set<UInt64>? {
        try numbers(of: id, at: state.existing(FileName.brought(id)))
    }

    private static func numbers(of id: String, at path: FilePath?) throws -> Set<UInt64>? {
        guard let path else { return nil }
        guard let numbers = try SealedNumbers.read(at: path) else {
            throw BackupError.keptRecordDamaged(id: id, path: path.string)
        }
        return numbers
    }

    /// - Returns: `nil` where there is none.
    /// - Throws: `BackupError.keptRecordDamaged`, also where it says that it is another's.
    static func read(_ id: String, in state: RestoreState) throws -> KeptPart? {
        guard let path = try state.existing(FileName.record(id)) else { return nil }
        guard let part = try SealedRecord.read(KeptPart.self, at: path), part.id == id, isID(id) else {
            throw BackupError.keptRecordDamaged(id: id, path: path.string)
        }
        return part
    }

    /// For who can describe it anew.
    /// - Returns: `nil` where there is none, or one that cannot be read, which goes aside: nothing of it is lost.
    static func readOrPutAside(_ id: String, in state: RestoreState, log: Log) throws -> KeptPart? {
        do { return try read(id, in: state) } catch BackupError.keptRecordDamaged {
            let path = path(of: id, in: state)
            let aside = path.parent.appending("damaged-\(LocalTime.now().stamp)-\(FileName.record(id))")
            try Directory.renameWithoutReplacing(path, to: aside)
            log.warning("a record that cannot be read was put aside", ["kept": id, "path": aside])
            return nil
        }
    }

    /// Of the part that is to be made now. A record that cannot be read does not count: another look names it.
    static func nextSequence(in state: RestoreState) throws -> Int64 {
        var last: Int64 = 0
        for id in try ids(in: state) {
            do { last = max(last, try read(id, in: state)?.sequence ?? 0) } catch is BackupError {}
        }
        return last.adding(clamped: 1)
    }

    /// All records, by their names.
    static func ids(in state: RestoreState) throws -> [String] {
        try state.names().compactMap { name in
            guard name.hasPrefix(prefix), name.hasSuffix(".json") else { return nil }
            let id = String(name.dropFirst(prefix.count).dropLast(".json".count))
            return try isID(id) && !state.isMemory(name, of: id) ? id : nil
        }
    }
}
