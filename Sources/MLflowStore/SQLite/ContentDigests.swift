// SPDX-License-Identifier: Apache-2.0

import Crypto
import Postgres
import SQLite
import SystemIO
import Wording

/// What a database of SQLite holds, table by table, as digests: SQLite numbers no transactions, so what was written since a moment
/// shows by what is there.
package struct ContentDigests: Sendable, Equatable {
    private struct Table: Equatable {
        var rows: Int64
        var digest: String
    }

    private var tables: [String: Table] = [:]

    /// Reads all rows.
    /// - Parameter connection: of a file that nobody writes to meanwhile, or in a transaction.
    /// - Throws: `SQLiteError`, `CancelledError`.
    package init(of connection: SQLiteConnection, cancellation: Cancellation = Cancellation()) throws {
        try connection.heeding(cancellation) {
            for name in try SQLiteShapes.tables(in: "main", of: connection) {
                tables[name] = try Self.table(name, connection)
            }
        }
    }

    /// Rows in the order of their numbers, which an exchange keeps; where they have none, in that of their key.
    private static func table(_ name: String, _ connection: SQLiteConnection) throws -> Table {
        let columns = try connection.run(
            "SELECT name, pk FROM pragma_table_xinfo(?, 'main') ORDER BY cid", [.text(name)])
        let names = try columns.map { try $0.name("name", file: connection) }
        let taken = Set(names.map { $0.lowercased() })
        let list = try connection.run(
            "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", [.text(name)])
        let number = list.first?["wr"].integer == 1 ? nil : ["rowid", "_rowid_", "oid"].first { !taken.contains($0) }
        let key = columns.filter { ($0["pk"].integer ?? 0) > 0 }
            .sorted { ($0["pk"].integer ?? 0) < ($1["pk"].integer ?? 0) }.compactMap { $0["name"].text }
        let order = number ?? (key.isEmpty ? names : key).map(\.sqliteQuoted).joined(separator: ", ")
        let statement = try connection.prepare(
            "SELECT \(names.map(\.sqliteQuoted).joined(separator: ", ")) FROM main.\(name.sqliteQuoted) ORDER BY \(order)"
        )
        var hash = SHA256()
        var bytes = Array(names.joined(separator: "\0").utf8)
        var rows: Int64 = 0
        while try statement.appendNext(to: &bytes) {
            rows += 1
            guard bytes.count >= Self.piece else { continue }
            bytes.withUnsafeBytes { hash.update($0) }
            bytes.removeAll(keepingCapacity: true)
        }
        bytes.withUnsafeBytes { hash.update($0) }
        return Table(rows: rows, digest: String(hash.finish().hex.prefix(32)))
    }

    /// Bytes that are digested at once.
    private static let piece = 1 << 16

    /// What changed since `before`; rows that were deleted count, too.
    package func changes(since before: ContentDigests) -> StoreFindings {
        var findings = StoreFindings()
        for name in Set(tables.keys).union(before.tables.keys).sorted() where tables[name] != before.tables[name] {
            let (now, then) = (tables[name]?.rows ?? 0, before.tables[name]?.rows ?? 0)
            let table = QualifiedTable(schema: SQLiteShapes.schema, name: name).description
            findings.add(
                StoreFinding(
                    .changed, table: table,
                    BilingualText(
                        zh: "表 \(table) 之后有过写入（当时 \(then) 行，现在 \(now) 行）",
                        en: "table \(table) was written to since (it had \(then) rows, and has \(now))")))
        }
        return findings
    }
}

extension ContentDigests: CustomStringConvertible {
    /// `runs:20:DIGEST,tags:…`: a table, its rows and half of a SHA-256, in the order of the names.
    package var description: String {
        tables.sorted { $0.key < $1.key }.map { name, table in
            "\(PercentText.encoded(Array(name.utf8), keeping: [])):\(table.rows):\(table.digest)"
        }.joined(separator: ",")
    }

    /// - Returns: `nil` for what is no such text, as of a database of another kind.
    package init?(_ text: String) {
        tables = [:]
        for part in text.split(separator: ",") {
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, let rows = Int64(fields[1]), fields[2].utf8.count == 32 else { return nil }
            let name = String(decoding: PercentText.decoded(fields[0].utf8), as: UTF8.self)
            tables[name] = Table(rows: rows, digest: String(fields[2]))
        }
        if tables.isEmpty { return nil }
    }
}
