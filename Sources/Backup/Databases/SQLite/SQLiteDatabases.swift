// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
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
        guard !name.isEmpty, !name.hasPrefix("."), !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
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

    func oid(of name: String) throws -> UInt32? {
        guard try exists(name) else { return nil }
        if name != live { return try number(ofFile: file(name)) }
        return try Self.reading(path) { try ContentNumber.read($0)?.value } ?? unwritten()
    }

    private func number(ofFile file: FilePath) throws -> UInt32? {
        let connection = try SQLiteConnection(file, as: .copy, .finished, busyTimeout: 0)
        return try ContentNumber.read(connection)?.value
    }

    /// Of a live file that nothing was ever brought into: another one for another file, and for another database of the same inode.
    private func unwritten() throws -> UInt32 {
        let key = "\(try systemIdentifier() ?? path.string)\u{0}\(try FileStatus.of(path).inode)"
        return SHA256.digest(of: Array(key.utf8)).bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } | 1
    }

    /// One that none has.
    func freshNumber() throws -> UInt32 {
        while true {
            let number = UInt32.random(in: 1 ... .max)
            if try name(of: number) == nil { return number }
        }
    }

    func name(of number: UInt32) throws -> String? {
        if try oid(of: live) == number { return live }
        return try beside().first { try self.number(ofFile: file($0)) == number }
    }

    func found(_ number: UInt32) throws -> FoundDatabase? {
        try name(of: number).map { FoundDatabase(name: $0, isOurs: true, isInvalid: false) }
    }

    func names(withPrefix prefix: String) throws -> [String] {
        try ((exists(live) ? [live] : []) + beside()).filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// Whole ones in our folder.
    private func beside() throws -> [String] {
        guard try FileStatus.ifPresent(folder) != nil else { return [] }
        let endings = Self.besides + [DurableFile.partialSuffix]
        return try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.filter { name in
            !endings.contains { name.hasSuffix($0) }
        }
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
        let empty = try file("empty_\(freshNumber())")
        _ = try OpenFile(empty, .createNew(mode: 0o600))
        defer { do { try drop(String(decoding: empty.lastComponent, as: UTF8.self)) } catch {} }
        try ContentNumber(freshNumber()).give(to: empty)
        try swap(live: live, replacement: String(decoding: empty.lastComponent, as: UTF8.self), keepingOldAs: other)
    }

    func swap(live: String, replacement: String, keepingOldAs old: String) throws {
        let look = try SQLiteLook(self, DatabaseNames(live: live, replacement: replacement, old: old)) { _, _ in nil }
        defer { look.close() }
        _ = try look.last()
        try look.swap()
    }

    func removeCopies(ofLive live: String, among names: [String]) throws {
        guard try FileStatus.ifPresent(folder) != nil, let number = try oid(of: live) else { return }
        for name in names where name != live && !name.isEmpty {
            if try exists(name), try oid(of: name) == number { try drop(name) }
        }
        Directory.removeWhereEmpty(folder)
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
