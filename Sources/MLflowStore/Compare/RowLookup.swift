// SPDX-License-Identifier: Apache-2.0

import Postgres

/// One of two databases that are compared, in which rows are found by some of their columns, many at a time.
protocol RowSource {
    var shapes: [QualifiedTable: TableShape] { get }

    /// - Parameters:
    ///   - columns: those that `keys` hold, in this order.
    ///   - wanted: more columns to read; those that the table lacks are left out.
    /// - Returns: by key; absent where there is no such row, no such table, or no such column.
    func rows(
        of table: QualifiedTable, by columns: [String], _ keys: Set<[String]>, reading wanted: [String]
    ) throws -> [[String]: [String: String]]
}

extension RowSource {
    func rows(
        of table: QualifiedTable, by columns: [String], _ keys: Set<[String]>
    ) throws -> [[String]: [String: String]] { try rows(of: table, by: columns, keys, reading: []) }

    /// The columns to select for `rows`, those of the keys first; `nil` where nothing can be found.
    func columnsToRead(
        of table: QualifiedTable, by columns: [String], _ keys: Set<[String]>, reading wanted: [String]
    ) -> [String]? {
        guard let shape = shapes[table], !keys.isEmpty, !columns.isEmpty, columns.allSatisfy(shape.columns.contains)
        else { return nil }
        return columns + wanted.filter { shape.columns.contains($0) && !columns.contains($0) }
    }
}

/// A database of PostgreSQL.
struct RowLookup: RowSource {
    let session: ComparisonSession
    let shapes: [QualifiedTable: TableShape]

    func rows(
        of table: QualifiedTable, by columns: [String], _ keys: Set<[String]>, reading wanted: [String]
    ) throws -> [[String]: [String: String]] {
        guard let read = columnsToRead(of: table, by: columns, keys, reading: wanted) else { return [:] }
        let ordered = Array(keys)
        let arrays = columns.indices.map { place -> SQL in "\(ordered.map { $0[place] })::text[]" }
        let tested = columns.map { column -> SQL in "t.\(identifier: column)::text" }
        let selected = read.map { column -> SQL in
            columns.contains(column) ? "t.\(identifier: column)::text" : "left(t.\(identifier: column)::text, 300)"
        }
        let condition: SQL =
            columns.count == 1
            ? "\(tested[0]) = any(\(arrays[0]))"
            : "(\(SQL.list(tested))) in (select * from unnest(\(SQL.list(arrays))))"
        let rows = try session.rows(
            "select \(SQL.list(selected)) from only \(identifier: table) t where \(condition)")
        var found: [[String]: [String: String]] = [:]
        for row in rows {
            var values: [String: String] = [:]
            for (place, column) in read.enumerated() {
                values[column] = try row.optional(.position(place), as: String.self)
            }
            found[columns.map { values[$0] ?? "" }] = values
        }
        return found
    }
}
