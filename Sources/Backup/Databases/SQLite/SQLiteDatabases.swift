// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import MLflowStore
import SQLite
import SystemIO

/// The live database file, and beside it, in a folder of ours, those that a restore loads or puts aside: a file each. Their contents
/// change places through SQLite (`Exchange`), never the files.
struct SQLiteDatabases: DatabaseSet {
    /// The live file, without links.
    let path: FilePath
    /// Its name, by which journals know it.
    let live: String

    init(_ path: FilePath) {
        self.path = path
        live = String(decoding: path.lastComponent, as: UTF8.self)
    }

    private static let suffix = ".mlflow-backup.d"
    /// What SQLite itself makes beside a database.
    private static let besides = ["-journal", "-wal", "-shm"]

    /// `NAME.mlflow-backup.d`, for us alone.
    var folder: FilePath { FilePath(bytes: path.bytes + Array(Self.suffix.utf8)) }

    /// All that belongs to the live database: nothing but SQLite may open it.
    var files: [FilePath] {
        [path, folder] + (Self.besides + [SQLiteIdentity.suffix]).map { FilePath(bytes: path.bytes + Array($0.utf8)) }
    }

    /// - Throws: `DatabaseStoreError.noFolder`.
    func prepareFolder() throws {
        do throws(SystemError) {
            try Directory.makeInherited(folder, mode: 0o700)
            let status = try FileStatus.of(folder)
            guard status.kind == .directory, status.mode & 0o077 == 0 else {
                throw SystemError("use", path: folder.string, code: EACCES)
            }
        } catch { throw DatabaseStoreError.noFolder(path: folder.string, reason: error.reasonText) }
    }

    /// Where a database of that name lies.
    /// - Throws: `DatabaseStoreError.nameTaken` for what is no name: journals and records are read from a disk.
    func file(_ name: String) throws -> FilePath {
        if name == live { return path }
        guard !name.isEmpty, name != ".", name != "..",
            !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
        else { throw DatabaseStoreError.nameTaken(name: name, path: folder.string) }
        return folder.appending(name)
    }

    static func partial(_ file: FilePath) -> FilePath {
        FilePath(bytes: file.bytes + Array(DurableFile.partialSuffix.utf8))
    }

    // MARK: Names and numbers

    func systemIdentifier() throws -> String? { try SQLiteIdentity.known(of: path)?.id }

    func exists(_ name: String) throws -> Bool {
        guard name == live else { return try FileStatus.ifPresent(file(name)) != nil }
        guard let status = try FileStatus.ifPresent(path), status.size > 0 else { return false }
        return try Self.reading(path) { connection in
            try connection.run(
                "SELECT 1 FROM main.sqlite_schema WHERE name <> ? LIMIT 1", [.text(ContentNumber.table)]
            ).first != nil
        }
    }

    /// - Returns: `nil` also for a live file that has no number: one that nothing was brought into yet, or that somebody put there.
    func oid(of name: String) throws -> UInt32? {
        guard try exists(name) else { return nil }
        if name != live { return try number(ofFile: file(name)) }
        return try Self.reading(path) { try ContentNumber.read($0)?.value }
    }

    func numbered(_ name: String) throws -> UInt32? {
        guard name == live, try exists(name) else { return try oid(of: name) }
        // Of a file that somebody copied and put back, the number may be that of what was kept of it since.
        return try ContentNumber.given(to: LiveDatabase(path), but: numbersBeside()).value
    }

    /// - Returns: `nil` for one that cannot be read: it is none of ours then, and nobody's trouble but its own.
    private func number(ofFile file: FilePath) -> UInt32? {
        do throws(SQLiteError) {
            let connection = try SQLiteConnection(file, as: .copy, .finished, busyTimeout: 0)
            return try ContentNumber.read(connection)?.value
        } catch { return nil }
    }

    /// One that none has.
    func freshNumber() throws -> UInt32 {
        ContentNumber.fresh(but: try numbersBeside().union([oid(of: live)].compactMap(\.self))).value
    }

    private func numbersBeside() throws -> Set<UInt32> {
        try Set(beside().compactMap { try number(ofFile: file($0)) })
    }

    /// What is beside comes first: a person may have copied a live file, with its number, and put it back.
    func name(of number: UInt32) throws -> String? {
        if let name = try beside().first(where: { try self.number(ofFile: file($0)) == number }) { return name }
        return try oid(of: live) == number ? live : nil
    }

    func found(_ number: UInt32) throws -> FoundDatabase? {
        try name(of: number).map { FoundDatabase(name: $0, isOurs: true, isInvalid: false) }
    }

    func names(withPrefix prefix: String) throws -> [String] {
        try ((exists(live) ? [live] : []) + beside()).filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// Whole ones in our folder that a restore gave their names.
    private func beside() throws -> [String] {
        guard try FileStatus.ifPresent(folder) != nil else { return [] }
        let prefixes = ["before", "restore"].map { RestoreJournal.databaseName(live, $0, "") }
        return try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.filter { name in
            prefixes.contains { name.hasPrefix($0) && KeptPart.isID(String(name.dropFirst($0.count))) }
        }.sorted()
    }

    func size(of name: String) throws -> Int64 {
        Int64(clamping: try FileStatus.of(file(name)).size)
    }

    // MARK: Changes

    func drop(_ name: String) throws {
        let file = try file(name)
        guard name != live else { throw DatabaseStoreError.nameTaken(name: name, path: path.parent.string) }
        for suffix in [""] + Self.besides + [DurableFile.partialSuffix] {
            let path = FilePath(bytes: file.bytes + Array(suffix.utf8))
            if try FileStatus.ifPresent(path) != nil { try Directory.remove(path) }
        }
        if try FileStatus.ifPresent(folder) != nil { try Directory.sync(folder) }
        Directory.removeWhereEmpty(folder)
    }

    func rename(_ name: String, to other: String) throws {
        guard name == live else {
            return try Directory.renameWithoutReplacing(file(name), to: file(other))
        }
        // Nothing was there before: an empty database takes its place.
        try prepareFolder()
        let empty = RestoreJournal.databaseName(live, "restore", RestoreJournal.newID())
        _ = try OpenFile(file(empty), .createNew(mode: 0o600))
        try ContentNumber(freshNumber()).give(to: file(empty))
        do { try swap(live: live, replacement: empty, keepingOldAs: other) } catch {
            // What failed is what the caller needs to hear.
            do { try drop(empty) } catch {}
            throw error
        }
    }

    func swap(live: String, replacement: String, keepingOldAs old: String) throws {
        let look = try SQLiteLook(self, DatabaseNames(live: live, replacement: replacement, old: old), judge: nil)
        defer { look.close() }
        _ = try look.last()
        try look.swap()
    }

    func removeCopy(ofLive live: String, called name: String, isElsewhere: Bool) throws -> Bool {
        guard !name.isEmpty, name != live, try FileStatus.ifPresent(folder) != nil, try exists(name),
            let number = try oid(of: live), try oid(of: name) == number
        else { return false }
        // A number may be in a file that a person has copied.
        guard try isElsewhere || holdsAll(of: file(name)) else { return true }
        try drop(name)
        return false
    }

    /// Whether the live database has every row of a copy of it.
    private func holdsAll(of copy: FilePath) throws -> Bool {
        try SQLiteComparison(live: copy, restored: path).findings().isEmpty
    }

    /// Copies that were not finished, and what SQLite makes beside a file for as long as it has it open. A log with something in it is
    /// a part of its database.
    func removeLeftovers() throws {
        guard try FileStatus.ifPresent(folder) != nil else { return }
        let names = try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
        for name in names {
            let path = folder.appending(name)
            let base = Self.besides.first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
            let isHalf = (base ?? name).hasSuffix(DurableFile.partialSuffix)
            let isIdle = try base.map { try !names.contains($0) || self.isIdle(folder.appending($0)) } ?? false
            if isHalf || isIdle { try Directory.remove(path) }
        }
        Directory.removeWhereEmpty(folder)
    }

    /// Whether nothing of a database is in a log or a journal beside it.
    private func isIdle(_ file: FilePath) throws -> Bool {
        try ["-journal", "-wal"].allSatisfy { suffix in
            try FileStatus.ifPresent(FilePath(bytes: file.bytes + Array(suffix.utf8))).map { $0.size == 0 } ?? true
        }
    }

    /// Milliseconds that whoever holds the file is waited for.
    private static let patience: Int32 = 5000

    static func reading<Answer>(_ path: FilePath, _ body: (SQLiteConnection) throws -> Answer) throws -> Answer {
        try body(SQLiteConnection(path, as: .live, .readWrite, busyTimeout: patience))
    }
}
