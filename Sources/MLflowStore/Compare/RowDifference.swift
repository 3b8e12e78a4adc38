// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// A row of the live table that the restored one lacks or has with other values.
struct RowDifference {
    /// By column; NULL is absent. Long values are shortened the same way on both sides.
    let live: [String: String]
    let restored: [String: String]?
    /// In which of the compared columns.
    var columns: Set<String> = []
}

/// Walks a live table and the restored one in the order of their keys, side by side.
struct RowMerge {
    private let table: ComparedTable
    private var live: RowCursor
    private var restored: RowCursor
    private var liveRow: Entry?
    private var restoredRow: Entry?
    private let isOfBytes: Bool

    private struct Entry {
        let key: [String?]
        let row: Row
    }

    /// - Parameter conditions: which rows of each side are looked at; those of the restored one are all that have the
    ///   keys of the live ones, at least.
    init(
        _ table: ComparedTable, _ conditions: (live: SQL, restored: SQL), live: Connection, restored: Connection,
        cancellation: Cancellation
    ) throws {
        self.table = table
        isOfBytes = live.isOfBytes
        self.live = try RowCursor(
            on: live, named: "live", batch: 500, cancellation: cancellation, table.rowQuery(conditions.live))
        self.restored = try RowCursor(
            on: restored, named: "restored", batch: 500, cancellation: cancellation,
            table.rowQuery(conditions.restored))
        try advanceLive()
        try advanceRestored()
    }

    /// - Returns: `nil` at the end of the live table. What only the restored one has was deleted, and is passed over.
    mutating func next() throws -> RowDifference? {
        while let row = liveRow {
            let order = restoredRow.map { self.order(row.key, $0.key) } ?? -1
            if order > 0 {
                try advanceRestored()
                continue
            }
            let counterpart = order == 0 ? restoredRow : nil
            try advanceLive()
            if counterpart != nil { try advanceRestored() }
            if let difference = try difference(row, counterpart) { return difference }
        }
        return nil
    }

    func close() throws {
        try live.close()
        try restored.close()
    }

    private mutating func advanceLive() throws { liveRow = try live.next().map(entry) }
    private mutating func advanceRestored() throws { restoredRow = try restored.next().map(entry) }

    private func entry(_ row: Row) throws -> Entry {
        Entry(key: try (0..<max(1, table.key.count)).map { try row.optional(.position($0), as: String.self) }, row: row)
    }

    private func difference(_ live: Entry, _ restored: Entry?) throws -> RowDifference? {
        guard !table.key.isEmpty else {
            // No key: the row itself, and how often it is there.
            if let restored, try live.row.int64("n") <= restored.row.int64("n") { return nil }
            return RowDifference(live: ["row": live.key.first.flatMap { $0 } ?? ""], restored: nil)
        }
        let values = try values(live.row)
        guard let restored else { return RowDifference(live: values, restored: nil) }
        var columns: Set<String> = []
        for (place, column) in table.columns.enumerated() where table.compared.contains(column) {
            let place = Row.Column.position(table.key.count + place)
            // By place and by bytes: names, and values, that are canonically equal may be different ones.
            switch (try live.row.optional(place, as: String.self), try restored.row.optional(place, as: String.self)) {
            case (nil, nil): break
            case (let one?, let other?): if !one.utf8.elementsEqual(other.utf8) { columns.insert(column) }
            default: columns.insert(column)
            }
        }
        if columns.isEmpty { return nil }
        return RowDifference(live: values, restored: try self.values(restored.row), columns: columns)
    }

    private func values(_ row: Row) throws -> [String: String] {
        var values: [String: String] = [:]
        for (place, column) in table.columns.enumerated() {
            values[column] = try row.optional(.position(table.key.count + place), as: String.self)
        }
        return values
    }

    /// As `COLLATE "C"` orders, NULL last. Below zero where `one` comes first.
    private func order(_ one: [String?], _ other: [String?]) -> Int {
        for (left, right) in zip(one, other) {
            switch (left, right) {
            case (nil, nil): continue
            case (nil, _): return 1
            case (_, nil): return -1
            case (let left?, let right?):
                if left.utf8.elementsEqual(right.utf8) { continue }
                let isBefore =
                    isOfBytes
                    ? left.serverBytes.lexicographicallyPrecedes(right.serverBytes)
                    : left.utf8.lexicographicallyPrecedes(right.utf8)
                return isBefore ? -1 : 1
            }
        }
        return 0
    }
}
