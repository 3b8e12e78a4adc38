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

    /// Rows in the order of their numbers, which an exchange keeps; where they have none, in that of their key. Texts, numbers and
    /// bytes of one value are different ones (`quote`, which writes a real number so that it comes back as it is).
    private static func table(_ name: String, _ connection: SQLiteConnection) throws -> Table {
        let columns = try connection.run("SELECT name, pk FROM pragma_table_xinfo(?, 'main')", [.text(name)])
        let names = try columns.map { try $0.name("name", file: connection) }
        let isNumbered =
            try connection.run(
                "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", [.text(name)]
            ).first?["wr"].integer != 1
        let number = ["rowid", "_rowid_", "oid"].first { !names.map { $0.lowercased() }.contains($0) }
        let key = columns.filter { ($0["pk"].integer ?? 0) > 0 }.sorted {
            ($0["pk"].integer ?? 0) < ($1["pk"].integer ?? 0)
        }
        let order =
            isNumbered && number != nil
            ? number ?? ""
            : (key.isEmpty ? columns : key).compactMap { $0["name"].text?.sqliteQuoted }.joined(separator: ", ")
        let values = names.map { "quote(\($0.sqliteQuoted))" }.joined(separator: " || ',' || ")
        let statement = try connection.prepare(
            "SELECT \(values) FROM main.\(name.sqliteQuoted)\(order.isEmpty ? "" : " ORDER BY \(order)")")
        var hash = SHA256()
        hash.add(names.joined(separator: ","))
        var rows: Int64 = 0
        while let row = try statement.next() {
            switch row[0] {
            case .text(let text): hash.add(text)
            case .otherText(let bytes): bytes.withUnsafeBytes { hash.update($0) }
            default: throw connection.damage("a row of \(name) cannot be quoted")
            }
            hash.add("\n")
            rows += 1
        }
        return Table(rows: rows, digest: String(hash.finish().hex.prefix(32)))
    }

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

extension SHA256 {
    fileprivate mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { self.update(UnsafeRawBufferPointer($0)) }
    }
}
