// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// Digests of a table's rows on both sides, by bucket (`ComparedTable.digestQuery`).
struct Digests {
    let live: [Int: String]
    let restored: [Int: String]
    let liveRows: Int64

    /// - Parameter restoredBefore: known digests of the restored table, which are then not computed again.
    init(
        _ table: ComparedTable, _ live: ComparisonSession, _ restored: ComparisonSession,
        restoredBefore: [Int: String]?, _ cancellation: Cancellation
    ) throws {
        if let restoredBefore {
            (self.live, liveRows) = try Self.read(try live.rows(table.digestQuery))
            self.restored = restoredBefore
            return
        }
        let rows = try Connection.rows(
            (live.connection, table.digestQuery), (restored.connection, table.digestQuery), cancellation: cancellation)
        (self.live, liveRows) = try Self.read(rows.first)
        self.restored = try Self.read(rows.second).digests
    }

    /// Buckets in which the live table has something that the other has not, or otherwise.
    var differing: [Int] { live.keys.filter { live[$0] != restored[$0] }.sorted() }

    private static func read(_ rows: [Row]) throws -> (digests: [Int: String], rows: Int64) {
        var digests: [Int: String] = [:]
        var count: Int64 = 0
        for row in rows {
            let n = try row.int64("n")
            count = count.adding(clamped: n)
            digests[try row.int("bucket")] = "\(n),\(try row.string("digest"))"
        }
        return (digests, count)
    }
}
