// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("A database of SQLite beside what a backup holds of it")
struct FileEditTests {
    private static func texts(_ live: FilePath, _ restored: FilePath) throws -> [String] {
        let findings = try SQLiteComparison(live: live, restored: restored).findings()
        #expect(findings.total == findings.kept.count)
        return findings.kept.map(\.text.english).map(ClientEditTests.withoutNumbers)
    }

    @Test(
        "What a client adds or edits is found and named as in PostgreSQL, whatever the rows' numbers",
        arguments: expectedTexts.keys.sorted())
    func editsAreFound(_ name: String) throws {
        let files = try EditedFiles.shared.get()
        for restored in [files.restored, files.reloaded] {
            #expect(try Self.texts(files.live(name), restored) == expectedTexts[name])
        }
    }

    @Test(
        "What a client deletes is no finding", arguments: EditedStores.names.filter { $0.hasPrefix("deleted_") })
    func deletionsAreNone(_ name: String) throws {
        let files = try EditedFiles.shared.get()
        for restored in [files.restored, files.reloaded] { #expect(try Self.texts(files.live(name), restored) == []) }
    }

    @Test("A survey says of a database of SQLite what it says of one of PostgreSQL with the same rows")
    func survey() throws {
        let files = try EditedFiles.shared.get()
        let connection = try SQLiteConnection(files.restored, as: .copy, .finished, busyTimeout: 0)
        let survey = try StoreSurvey(connection)
        let snapshot = try ExportedSnapshot(of: EditedStores.shared.get().restored)
        defer { snapshot.release() }
        let other = try StoreSurvey(snapshot)
        #expect(survey.revision == other.revision && survey.revision != nil)
        #expect(survey.rows == other.rows)
        #expect(survey.newest.keys.sorted() == other.newest.keys.sorted())
        #expect(survey.newest.count > 5)
        #expect(!survey.isUntouched)
        #expect(try StoreSurvey.revision(on: connection) == survey.revision)
        let live = try SQLiteConnection(files.live("run_added"), as: .live, .readWrite, busyTimeout: 0)
        #expect(try StoreSurvey(live).beyond(survey).count == 3)
    }

    @Test("What an exchange leaves is in no survey and no comparison")
    func exchanged() throws {
        let files = try EditedFiles.shared.get()
        let live = files.folder.path.appending("exchanged")
        try Shell.run("/bin/cp", [files.live("model_added").string, live.string])
        let database = try LiveDatabase(live)
        var found: [String] = []
        _ = try Exchange(in: database, of: files.restored, as: .init(1)).run { held in
            found = try SQLiteComparison(held).findings().kept.map(\.text.english)
        }
        #expect(found == ["registered model \"fraud\" was added"])
        #expect(try Self.texts(live, files.restored) == [])
        let connection = try SQLiteConnection(files.restored, as: .copy, .finished, busyTimeout: 0)
        #expect(try StoreSurvey(database.connection) == StoreSurvey(connection))
    }
}

@Suite("Tables of others in a database of SQLite")
struct FileTableTests {
    /// - Parameter edits: what is done to the live one alone.
    private func found(_ schema: String, _ edits: String, restoredSchema: String? = nil) throws -> [String] {
        let folder = try TemporaryFolder("tables")
        let (live, restored) = (folder.path.appending("live"), folder.path.appending("restored"))
        for (path, sql) in [(live, schema + ";" + edits), (restored, restoredSchema ?? schema)] {
            let connection = try SQLiteConnection(path, as: .copy, busyTimeout: 0)
            for statement in sql.split(separator: ";") { try connection.run(String(statement)) }
        }
        return try SQLiteComparison(live: live, restored: restored).findings().kept.map(\.text.english)
    }

    private let invoices =
        "create table invoices (id integer primary key, payer text, amount); insert into invoices values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)"

    @Test("A row is named by its key; one that was deleted is none")
    func rows() throws {
        #expect(
            try found(
                invoices,
                "insert into invoices values (4, 'new', 1); update invoices set amount = 2.5 where id = 2; delete from invoices where id = 3"
            )
                == ["row public.invoices (2) was changed", "row public.invoices (4) was added"])
    }

    @Test(
        "Values differ by their bytes and their storage classes",
        arguments: ["null", "1.0", "'1'", "x'31'", "'e\u{301}'", "''", "'A'", "cast(x'ff' as text)"])
    func values(_ value: String) throws {
        let before = value.contains("\u{301}") ? "'\u{e9}'" : value == "'A'" ? "'a'" : "1"
        let schema = "create table t (a integer primary key, b collate nocase); insert into t values (1, \(before))"
        #expect(try found(schema, "update t set b = \(value)") == ["row public.t (1) was changed"])
        #expect(
            try found(schema, "update t set b = \(value)", restoredSchema: "\(schema); update t set b = \(value)") == []
        )
    }

    @Test("A long value that differs at its end is found")
    func long() throws {
        #expect(
            try found(
                "create table t (a integer primary key, b); insert into t values (1, hex(zeroblob(100000)) || 'x')",
                "update t set b = hex(zeroblob(100000)) || 'y'")
                == ["row public.t (1) was changed"])
    }

    @Test("Rows without a key are counted by content")
    func keyless() throws {
        let schema = "create table log (line text); insert into log values ('a'), ('a'), (null), ('b')"
        #expect(try found(schema, "delete from log where line = 'b'") == [])
        #expect(try found(schema, "insert into log values ('a')") == ["row public.log ((a)) was added"])
        #expect(try found(schema, "update log set rowid = rowid + 10") == [])
        #expect(
            try found(schema, "insert into log values (null); delete from log where line = 'a'") == [
                "row public.log (()) was added"
            ])
    }

    @Test(
        "Tables without row numbers, with every name of the number taken, or with a key of several columns, are compared, too"
    )
    func shapes() throws {
        for schema in [
            "create table t (a text, b int, c, primary key (b, a)) without rowid",
            "create table t (a text, b int, c, rowid, oid, _rowid_, primary key (b, a))",
            "create table \"t\" (c, b int, a text, primary key (b, a))",
        ] {
            let filled = "\(schema); insert into t (a, b, c) values ('x', 1, 1), ('y', 1, 1), ('x', 10, 1)"
            #expect(
                try found(filled, "update t set c = 2 where b = 10; insert into t (a, b, c) values ('z', 2, 0)")
                    == ["row public.t (10, x) was changed", "row public.t (2, z) was added"])
        }
    }

    @Test("A table or a column that the backup lacks is told")
    func unknown() throws {
        #expect(
            try found(
                "create table t (a integer primary key)",
                "alter table t add column b; create table u (a); insert into u values (1); create table v (a)")
                == ["column b of table public.t was added", "table public.u with 1 rows was added"])
    }

    @Test("Names that have to be quoted are")
    func names() throws {
        #expect(
            try found(
                "create table \"a \"\"b\" (\"select\" integer primary key, \"x y\"); insert into \"a \"\"b\" values (1, 2)",
                "update \"a \"\"b\" set \"x y\" = 3")
                == ["row public.\"a \"\"b\" (1) was changed"])
    }
}
