// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Puts the content of a restored database in the place of a live one's, through SQLite: the file stays the same, whoever has it
/// open goes on with the new content, and after a crash at any instant it holds one of the two wholly.
///
/// All is one transaction on the live file, in which the other is only read. Nothing can be written meanwhile; with a rollback
/// journal nothing read either, once more has changed than fits into memory. It needs room beside the file for as long as it
/// lasts (`room`).
package struct Exchange {
    /// What a live file keeps, whatever the restored one has.
    package struct Kept: Sendable, Equatable {
        package enum Property: String, Sendable {
            case pageSize = "page_size", autoVacuum = "auto_vacuum", journalMode = "journal_mode"
        }

        package let property: Property
        package let live: String
        package let restored: String

        package init(property: Property, live: String, restored: String) {
            (self.property, self.live, self.restored) = (property, live, restored)
        }
    }

    package enum Outcome: Sendable, Equatable {
        /// With what of the file stayed as it was.
        case exchanged([Kept])
        /// It has that content already.
        case wasThere
    }

    /// As the restored file is called on the connection.
    package static let attached = "restored"
    /// Seconds until a lock is had.
    package static let usualPatience = 10.0

    let live: LiveDatabase
    let restored: FilePath
    package let number: ContentNumber
    let cancellation: Cancellation
    let patience: Double

    /// - Parameters:
    ///   - restored: the file whose content is wanted; nobody writes to it.
    ///   - number: that content's, which the live file will have afterwards.
    ///   - patience: seconds to wait for the locks of others.
    package init(
        in live: LiveDatabase, of restored: FilePath, as number: ContentNumber,
        patience: Double = Exchange.usualPatience, cancellation: Cancellation = Cancellation()
    ) {
        (self.live, self.restored, self.number) = (live, restored, number)
        (self.patience, self.cancellation) = (patience, cancellation)
    }

    /// `begin`, a last look, and `finish`.
    /// - Parameters:
    ///   - lookOnceMore: runs when nobody can write any more, and before anything is changed; what it throws ends the exchange.
    ///   - progress: `done` of `all` tables, and the one that is next.
    /// - Throws: what `begin` and `finish` throw, and what `lookOnceMore` does. Nothing is changed then.
    package func run(
        lookOnceMore: (HeldDatabase) throws -> Void = { _ in }, progress: ProgressSink = { _, _, _ in }
    ) throws -> Outcome {
        guard let held = try begin() else { return .wasThere }
        do { try lookOnceMore(held) } catch {
            giveUp()
            throw error
        }
        return .exchanged(try finish(progress))
    }

    package typealias ProgressSink = (_ done: Int, _ all: Int, _ table: String) -> Void

    /// Shuts the writers out, until `finish` or `giveUp`. Nothing is changed yet.
    /// - Returns: `nil` where the live file has that content already, and nobody is shut out.
    /// - Throws: `DatabaseFileError.inUse`, `.notExchangeable`, `SQLiteError`, `CancelledError`; nobody is shut out then.
    package func begin() throws -> HeldDatabase? {
        let connection = live.connection
        try prepareWhereEmpty()
        for setting in [
            "foreign_keys = OFF", "ignore_check_constraints = ON", "main.synchronous = EXTRA",
            "main.cache_size = -65536",
            // What is overwritten in this very transaction need not be zeroed first.
            "main.secure_delete = FAST",
        ] { try connection.run("PRAGMA \(setting)") }
        try live.waiting("BEGIN IMMEDIATE", atMost: patience, cancellation)
        return try lettingGoAfterError {
            if try ContentNumber.read(connection) == number {
                connection.rollBack()
                return nil
            }
            try refuseMoved()
            try attach()
            return HeldDatabase(live, cancellation)
        }
    }

    /// Puts the content in its place, after `begin`, and lets go.
    /// - Returns: what of the file stayed as it was.
    /// - Throws: `DatabaseFileError.inUse`, `.noRoom`, `.notExchangeable`, `SQLiteError`, `SystemError`, `CancelledError`. Nothing is
    ///   changed then, and nobody is shut out.
    package func finish(_ progress: ProgressSink = { _, _, _ in }) throws -> [Kept] {
        let kept = try lettingGoAfterError {
            let kept = try propertiesKept()
            try checkRoom()
            try write(progress)
            return kept
        }
        // What is in the log is there for good; where somebody reads, whoever writes next brings it into the file.
        if try live.journal() == .wal { _ = try? live.connection.run("PRAGMA main.wal_checkpoint(TRUNCATE)") }
        _ = try? live.connection.detach(Self.attached)
        return kept
    }

    /// Lets the writers go on; nothing was changed.
    package func giveUp() {
        live.connection.rollBack()
        _ = try? live.connection.detach(Self.attached)
    }

    private func lettingGoAfterError<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch {
            giveUp()
            if let error = error as? SQLiteError, error.isBusy {
                throw DatabaseFileError.inUse(
                    path: live.path.string, seconds: patience, holders: LockHolders.of(database: live.path))
            }
            throw error
        }
    }

    /// In WAL mode SQLite itself goes on writing to a file that has no name any more.
    private func refuseMoved() throws {
        if try live.connection.hasMoved() { throw DatabaseFileError.moved(path: live.path.string) }
    }

    /// Only now: BEGIN IMMEDIATE locks all that is attached, and the restored file is to be read alone.
    private func attach() throws {
        do throws(SQLiteError) { try live.connection.attach(restored, as: Self.attached) } catch {
            guard error.message.contains("same text encoding") else { throw error }
            throw refusal("两个文件的文本编码不同", "the two files have other encodings of text")
        }
    }

    private func write(_ progress: ProgressSink) throws {
        live.connection.wait(atMost: Int32(clamping: Int(nearest: patience * 1000)))
        defer { live.connection.wait(atMost: LiveDatabase.pause) }
        try live.connection.heeding(cancellation) { try rewrite(progress) }
        try number.write(live.connection)
        try refuseMoved()
        try live.waiting("COMMIT", atMost: patience, cancellation)
    }

    /// A file that nobody wrote to yet gets the form of the restored one.
    private func prepareWhereEmpty() throws {
        let connection = live.connection
        guard try connection.number("main.page_count") == 0 else { return }
        let other = try SQLiteConnection(restored, as: .copy, .readWrite, busyTimeout: LiveDatabase.pause)
        try connection.run("PRAGMA main.page_size = \(other.number("page_size"))")
        try connection.run("PRAGMA main.auto_vacuum = \(other.number("auto_vacuum"))")
        let encoding = try other.run("PRAGMA encoding").first?[0].text ?? "UTF-8"
        try connection.run("PRAGMA encoding = \(encoding.sqliteLiteral)")
        if try other.run("PRAGMA journal_mode").first?[0].text == "wal" {
            try connection.run("PRAGMA main.journal_mode = WAL")
        }
    }

    private func propertiesKept() throws(SQLiteError) -> [Kept] {
        var kept: [Kept] = []
        for property in [Kept.Property.pageSize, .autoVacuum, .journalMode] {
            var values: [String] = []
            for schema in ["main", Self.attached] {
                let value = try live.connection.run("PRAGMA \(schema).\(property.rawValue)").first?[0] ?? .null
                values.append(value.text ?? value.integer.map(String.init) ?? "")
            }
            if values[0] != values[1] { kept.append(Kept(property: property, live: values[0], restored: values[1])) }
        }
        return kept
    }

    private func refusal(_ chinese: String, _ english: String) -> DatabaseFileError {
        .notExchangeable(path: live.path.string, reason: BilingualText(zh: chinese, en: english))
    }

    /// What an exchange needs beside a live file: with a rollback journal what the file holds now, in WAL mode what it will hold; and what
    /// it grows by.
    package static func room(live: UInt64, restored: UInt64, _ journal: LiveDatabase.Journal) -> UInt64 {
        let growth = restored.subtracting(clamped: live)
        let beside = journal == .wal ? restored : live
        // Headers of pages, and tables that end in pages of their own.
        return beside.adding(clamped: growth).adding(clamped: beside / 50).adding(clamped: 1 << 20)
    }

    private func checkRoom() throws {
        let connection = live.connection
        let restored = UInt64(clamping: try connection.number("\(Self.attached).page_count"))
            .multiplied(clamped: UInt64(clamping: try connection.number("\(Self.attached).page_size")))
        let needed = Self.room(live: try live.size(), restored: restored, try live.journal())
        let available = try DiskSpace.at(live.path.parent).available
        guard available >= needed else {
            throw DatabaseFileError.noRoom(path: live.path.string, needed: needed, available: available)
        }
    }

    private func rewrite(_ progress: ProgressSink) throws {
        let connection = live.connection
        let (old, new) = (
            try SchemaObject.all(in: "main", of: connection), try SchemaObject.all(in: Self.attached, of: connection)
        )
        if let table = (old + new).first(where: \.isVirtual) {
            throw refusal("含有虚拟表 \(table.name)", "\(table.name) is a virtual table")
        }
        for view in old where view.kind == .view { try connection.run("DROP VIEW main.\(view.name.sqliteQuoted)") }
        for table in old where table.kind == .table { try connection.run("DROP TABLE main.\(table.name.sqliteQuoted)") }
        // Indices before the rows: their entries are then copied, too, and not sorted anew.
        for kind in [SchemaObject.Kind.table, .index] {
            for object in new where object.kind == kind { try make(object) }
        }
        let tables = new.filter { $0.kind == .table }
        for (done, table) in tables.enumerated() {
            progress(done, tables.count, table.name)
            try connection.run(TableCopy(table.name, from: Self.attached, connection).statement)
        }
        try copyOwnTables()
        // Last, or the rows would have set them off.
        for kind in [SchemaObject.Kind.view, .trigger] {
            for object in new where object.kind == kind { try make(object) }
        }
        for number in ["user_version", "application_id"] {
            try connection.run("PRAGMA main.\(number) = \(connection.number("\(Self.attached).\(number)"))")
        }
    }

    /// The text names no file, and so means the main one.
    private func make(_ object: SchemaObject) throws(SQLiteError) {
        guard let sql = object.sql else { return }
        try live.connection.run(sql)
    }

    /// SQLite's own: the numbers that AUTOINCREMENT has given out, and what ANALYZE found.
    private func copyOwnTables() throws(SQLiteError) {
        let connection = live.connection
        func has(_ table: String, _ schema: String) throws(SQLiteError) -> Bool {
            try !connection.run("SELECT 1 FROM \(schema).sqlite_schema WHERE name = ?", [.text(table)]).isEmpty
        }
        if try has("sqlite_sequence", "main") {
            try connection.run("DELETE FROM main.sqlite_sequence")
            if try has("sqlite_sequence", Self.attached) {
                try connection.run("INSERT INTO main.sqlite_sequence SELECT * FROM \(Self.attached).sqlite_sequence")
            }
        }
        for table in ["sqlite_stat1", "sqlite_stat4"] {
            if try has(table, "main") { try connection.run("DROP TABLE main.\(table)") }
            guard try has(table, Self.attached) else { continue }
            // Makes the table, and fills it with nothing.
            try connection.run("ANALYZE main.sqlite_schema")
            guard try has(table, "main") else { continue }
            try connection.run("DELETE FROM main.\(table)")
            try connection.run("INSERT INTO main.\(table) SELECT * FROM \(Self.attached).\(table)")
        }
    }
}
