// SPDX-License-Identifier: Apache-2.0

import Glibc
import MLflowStore
import SQLite
import SystemIO
import TestSupport
import Testing

@Suite("What a database of SQLite holds, as digests", .besideThePool)
struct ContentDigestsTests {
    private func made(_ statements: [String]) throws -> (folder: TemporaryFolder, connection: SQLiteConnection) {
        let folder = try TemporaryFolder("digests")
        let connection = try SQLiteConnection(folder.path.appending("a.db"), as: .live, .create, busyTimeout: 1000)
        for statement in statements { try connection.run(statement) }
        return (folder, connection)
    }

    private static let tables = [
        "CREATE TABLE plain (a, b)", "CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID",
        "CREATE TABLE taken (rowid TEXT, _rowid_ TEXT, oid TEXT)", "INSERT INTO plain VALUES (1, 'x'), (2, 'y')",
        "INSERT INTO keyed VALUES ('k', 1.5)", "INSERT INTO taken VALUES ('a', 'b', 'c')",
    ]

    @Test(
        "Each change of a value, of its class, and of bytes behind a NUL shows, by its table",
        arguments: [
            "UPDATE plain SET a = 1.0 WHERE a = 1", "UPDATE plain SET a = '1' WHERE a = 1",
            "UPDATE plain SET b = CAST('x' AS BLOB) WHERE a = 1",
            "UPDATE plain SET b = 'x' || char(0) || 'z' WHERE a = 1", "UPDATE plain SET b = NULL WHERE a = 1",
            "UPDATE plain SET a = NULL, b = 1 WHERE a = 1", "DELETE FROM plain WHERE a = 2",
            "INSERT INTO plain VALUES (2, 'y')", "UPDATE keyed SET v = 1.5000000000000002",
            "UPDATE taken SET oid = 'd'",
        ])
    func changes(_ edit: String) throws {
        let (folder, connection) = try made(Self.tables)
        defer { withExtendedLifetime(folder) {} }
        let before = try ContentDigests(of: connection)
        try connection.run(edit)
        let found = try ContentDigests(of: connection).changes(since: before)
        #expect(found.total == 1)
        let table = edit.contains("plain") ? "public.plain" : edit.contains("keyed") ? "public.keyed" : "public.taken"
        #expect(found.kept.first?.table == table)
        // What is written down says the same.
        let written = try #require(ContentDigests(before.description))
        #expect(written == before)
    }

    @Test("Texts that differ behind a NUL are two, and rows that came in another way are one")
    func equality() throws {
        let (one, first) = try made(Self.tables + ["INSERT INTO plain VALUES (3, 'x' || char(0) || 'p')"])
        let (other, second) = try made(Self.tables + ["INSERT INTO plain VALUES (3, 'x' || char(0) || 'q')"])
        defer { withExtendedLifetime((one, other)) {} }
        #expect(try ContentDigests(of: first) != ContentDigests(of: second))
        try second.run("UPDATE plain SET b = 'x' || char(0) || 'p' WHERE a = 3")
        try second.run("VACUUM")
        #expect(try ContentDigests(of: first) == ContentDigests(of: second))
    }

    @Test("What is no such text is none: a moment of PostgreSQL's, an empty one, one that was cut")
    func foreign() throws {
        for text in ["", "12345", "runs:1", "runs:x:00000000000000000000000000000000", "runs:1:abc"] {
            #expect(ContentDigests(text) == nil, "\(text)")
        }
    }

    @Test("Names of tables may be anything")
    func names() throws {
        let (folder, connection) = try made([
            "CREATE TABLE \"a:b,c%\"\"\" (x)", "INSERT INTO \"a:b,c%\"\"\" VALUES (1)",
        ])
        defer { withExtendedLifetime(folder) {} }
        let digests = try ContentDigests(of: connection)
        #expect(ContentDigests(digests.description) == digests)
    }
}
