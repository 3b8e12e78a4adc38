// SPDX-License-Identifier: Apache-2.0

import SQLite
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("Values of SQLite")
struct ValueTests {
    @Test("Each value comes back as what it was: blobs, large ones, a NUL, and text that is no UTF-8")
    func values() throws {
        let folder = try TemporaryFolder("values")
        let connection = try SQLiteConnection(folder.path.appending("v.db"), as: .copy, busyTimeout: 0)
        try connection.run("CREATE TABLE v (n INTEGER PRIMARY KEY, a)")
        let values: [SQLiteValue] = [
            .null, .integer(.min), .real(0.1), .text(""), .text("a\u{0}b"), .text("e\u{301}"), .blob([]),
            .blob([0, 255]), .otherText([0xff, 0x41, 0xfe]), .blob(.init(repeating: 7, count: 5 << 20)),
            .text(String(repeating: "é", count: 2 << 20)),
        ]
        for value in values { try connection.run("INSERT INTO v (a) VALUES (?)", [value]) }
        let found = try connection.run("SELECT a, typeof(a) FROM v ORDER BY n")
        #expect(found.map { $0[0] } == values)
        #expect(found[8]["typeof(a)"].text == "text")
        // It is not mended unless a person reads it.
        #expect(found[8][0].text == nil)
        #expect(found[8][0].shownText == "\u{fffd}A\u{fffd}")
    }

    @Test("A statement that is bound again begins anew")
    func statements() throws {
        let folder = try TemporaryFolder("values")
        let connection = try SQLiteConnection(folder.path.appending("v.db"), as: .copy, busyTimeout: 0)
        let statement = try connection.prepare("SELECT ?1 UNION ALL SELECT ?2")
        try statement.bind([.integer(1), .integer(2)])
        #expect(try statement.next()?[0] == .integer(1))
        try statement.bind([.text("x")])
        #expect(try statement.next()?[0] == .text("x"))
        #expect(try statement.next()?[0] == .null)
        #expect(try statement.next() == nil)
        #expect(throws: SQLiteError.self) { try connection.prepare("-- nothing") }
    }

    @Test("Long work ends when it is told to")
    func cancelled() throws {
        let folder = try TemporaryFolder("values")
        let connection = try SQLiteConnection(folder.path.appending("v.db"), as: .copy, busyTimeout: 0)
        let cancellation = Cancellation(within: Cancellation(), atMost: 0.2)
        #expect(throws: CancelledError.self) {
            try connection.heeding(cancellation) {
                try connection.run(
                    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c")
            }
        }
        #expect(try connection.run("SELECT 1").count == 1)
    }

    @Test("An error says what the file is, and what can be done", arguments: [SQLiteFile.live, .copy, .taskRecords])
    func words(_ file: SQLiteFile) throws {
        let folder = try TemporaryFolder("values")
        let path = try folder.write("v.db", String(repeating: "no database\n", count: 100))
        let error = try #require(throws: SQLiteError.self) {
            try SQLiteConnection(path, as: file, busyTimeout: 0).run("SELECT * FROM sqlite_schema")
        }
        #expect(error.isCorrupt)
        #expect(error.errorCode == (file == .taskRecords ? "task-database-error" : "sqlite-damaged"))
        #expect(error.explanation.english.hasPrefix("Task database") == (file == .taskRecords))
        #expect(error.explanation.chinese.hasPrefix("任务数据库") == (file == .taskRecords))
    }
}
