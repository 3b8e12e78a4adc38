// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// One table of the live database beside the one of the same name in the restored database, and the SQL for both.
struct ComparedTable: Equatable {
    /// As many buckets as one pass sorts rows into by their key. A row that differs then asks for a thousandth of both
    /// tables to be read again, not for all of them.
    static let buckets = 1024

    let live: TableShape
    let restored: TableShape
    /// Only for a table of MLflow's own.
    let rule: TableRule?
    /// Columns that both sides have.
    let columns: [String]
    /// Columns a difference in which counts.
    let compared: [String]
    /// What a row is found by: the columns that make the subject, then the rest of the primary key. Empty where the
    /// sides have no common one: then a row is found by all it holds, and may be there several times.
    let key: [String]
    /// How many of `key` make the subject.
    let subjectCount: Int

    init(live: TableShape, restored: TableShape, rule: TableRule?) {
        self.live = live
        self.restored = restored
        self.rule = rule
        let both = live.columns.filter { restored.hasColumn($0) }
        columns = both
        let unchanging = rule.map { $0.ignored.union(TableRule.touched) } ?? []
        let common = live.key.elementsEqual(restored.key, by: { $0.utf8.elementsEqual($1.utf8) }) ? live.key : []
        compared = both.filter { common.contains($0) || !unchanging.contains($0) }
        let subject = common.isEmpty ? [] : rule?.subject.filter(both.contains) ?? []
        key = subject + common.filter { !subject.contains($0) }
        subjectCount = subject.isEmpty ? key.count : subject.count
    }

    static func == (lhs: ComparedTable, rhs: ComparedTable) -> Bool {
        lhs.live == rhs.live && lhs.restored == rhs.restored
    }

    /// Columns of the live table that the backup knows nothing of.
    var unknownColumns: [String] { live.columns.filter { !restored.hasColumn($0) } }

    private var rowText: SQL { Self.text(compared) }
    private var bucket: SQL {
        "(hashtextextended(\(key.isEmpty ? rowText : Self.text(key)) collate \"C\", 7) & 1023)"
    }

    /// Several columns as one text. NULL and quotes cannot be mixed up (record_out).
    private static func text(_ columns: [String]) -> SQL {
        "row(\(SQL.list(columns.map { "t.\(identifier: $0)" })))::text"
    }

    /// Per bucket: `bucket`, `n` rows, `digest`. Two sums of 64 bits over differently seeded hashes, free of order.
    var digestQuery: SQL {
        """
        select \(bucket)::int as bucket, count(*) as n,
               sum(hashtextextended(\(rowText) collate "C", 0))::text || ',' ||
               sum(hashtextextended(\(rowText) collate "C", 1))::text as digest
        from only \(identifier: live.table) t group by 1
        """
    }

    /// Where a row is in one of these buckets.
    func condition(buckets: [Int]) -> SQL {
        buckets.count > Self.buckets / 2 ? "" : " where \(bucket) = any(\(buckets.map(String.init))::bigint[])"
    }

    /// Where a row has one of these primary keys, in a form that the key's index serves.
    func condition(keys: [[String]]) -> SQL {
        let columns = live.key.map { column -> SQL in "t.\(identifier: column)" }
        let arrays = live.key.indices.map { place -> SQL in
            // The server's own spelling of a type, quoted where it has to be.
            let type = SQL(stringLiteral: live.keyTypes[place])
            return "\(keys.map { $0[place] })::\(type)[]"
        }
        return " where (\(SQL.list(columns))) in (select * from unnest(\(SQL.list(arrays))))"
    }

    /// Where a row was written by a transaction of this number (its lower 32 bits) or a younger one.
    static func condition(writtenSince transaction: Int64) -> SQL {
        " where age(t.xmin) <= age(\(String(transaction & 0xFFFF_FFFF))::xid)"
    }

    /// Every row under this condition in the order of its key: first the key in full, then `columns`, the long ones
    /// shortened to what identifies them. Both sides sort text by its bytes, as we do.
    func rowQuery(_ sought: SQL) -> SQL {
        guard !key.isEmpty else {
            return """
                select \(rowText) collate "C" as row, count(*) as n
                from only \(identifier: live.table) t\(sought) group by 1 order by 1
                """
        }
        let keys = key.map { column -> SQL in "t.\(identifier: column)::text collate \"C\"" }
        let values = columns.map { column -> SQL in
            let value: SQL = "t.\(identifier: column)::text"
            return """
                case when octet_length(\(value)) <= 300 then \(value)
                else left(\(value), 60) || ' ' || encode(sha256(textsend(\(value))), 'hex') end
                """
        }
        let order = (1...keys.count).map { place -> SQL in "\(number: place)" }
        return """
            select \(SQL.list(keys + values)) from only \(identifier: live.table) t\(sought)
            order by \(SQL.list(order))
            """
    }
}
