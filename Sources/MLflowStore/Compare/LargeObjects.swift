// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

/// The large objects of one database (PostgreSQL manual, chapter 35). MLflow makes none; another program may.
///
/// Whoever owns one reads it piece by piece (`lo_get`). The table in which the pieces are, which tells when each was written,
/// is a superuser's and that of members of `pg_read_all_data`.
struct LargeObjects {
    private let session: ComparisonSession

    init(_ session: ComparisonSession) { self.session = session }

    private static let pieces = QualifiedTable(schema: "pg_catalog", name: "pg_largeobject")
    private static let owners = QualifiedTable(schema: "pg_catalog", name: "pg_largeobject_metadata")

    /// The tables that must be locked so that nobody writes one, where this role may do that.
    func lockable() throws -> [QualifiedTable] {
        try [Self.pieces, Self.owners].filter { try may("UPDATE, DELETE, TRUNCATE", $0) }
    }

    /// Whether nothing was written since that transaction; also false where that cannot be told.
    func areUnchanged(since transaction: Int64) throws -> Bool {
        guard try count() > 0 else { return true }
        return try may("SELECT", Self.pieces) && freshly(since: transaction, pieces: true).count == 0
    }

    // MARK: Beside another database

    /// Those that the other one lacks or has with other bytes.
    func findings(against other: LargeObjects, _ cancellation: Cancellation) throws -> StoreFindings {
        var findings = StoreFindings()
        guard try count() > 0 else { return findings }
        var live = try RowCursor(
            on: session.connection, named: "objects", batch: 100, cancellation: cancellation, Self.digests)
        var restored = try RowCursor(
            on: other.session.connection, named: "objects", batch: 100, cancellation: cancellation, Self.digests)
        var stored = try restored.next()
        while let row = try live.next() {
            let oid = try row.int64("oid")
            while let one = stored, try one.int64("oid") < oid { stored = try restored.next() }
            guard let digest = try row.optional("digest", as: String.self) else {
                findings.add(
                    .object(.added, oid, zh: "无权读取大对象 \(oid)", en: "large object \(oid) cannot be read by this role"))
                continue
            }
            guard let one = stored, try one.int64("oid") == oid else {
                findings.add(.object(.added, oid, zh: "新增了大对象 \(oid)", en: "large object \(oid) was added"))
                continue
            }
            if try one.optional("digest", as: String.self) != digest {
                findings.add(.object(.changed, oid, zh: "大对象 \(oid) 已更改", en: "large object \(oid) was changed"))
            }
        }
        try live.close()
        try restored.close()
        return findings
    }

    /// In the order of their numbers; `digest` is NULL of one that may not be read. Each is read in pieces of 256 KiB, and the
    /// digest of each piece goes into the next one's: neither the server nor we hold more of it.
    private static let digests: SQL = """
        select m.oid::bigint as oid,
               case when \(isReadable) then (
                 with recursive part (place, digest, length) as (
                   select 0::bigint, ''::bytea, -1
                   union all
                   select part.place + 1, sha256(part.digest || piece.content), octet_length(piece.content)
                   from part cross join lateral (select lo_get(m.oid, part.place * 262144, 262144) as content) piece
                   where part.length <> 0)
                 select encode(part.digest, 'hex') from part order by part.place desc limit 1) end as digest
        from pg_largeobject_metadata m order by m.oid
        """

    /// As the server decides it (pg_largeobject_aclcheck_snapshot, lo_compat_privileges).
    private static let isReadable: SQL = """
        (current_setting('is_superuser')::bool or current_setting('lo_compat_privileges')::bool
         or pg_has_role(m.lomowner, 'USAGE')
         or exists (select from aclexplode(m.lomacl) a
                    where a.privilege_type = 'SELECT'
                      and case a.grantee when 0 then true else pg_has_role(a.grantee, 'USAGE') end))
        """

    // MARK: Since a moment

    /// Those that were written since that transaction, and whether more may have been.
    func written(since transaction: Int64) throws -> StoreFindings {
        var findings = StoreFindings()
        let all = try count()
        guard all > 0 else { return findings }
        let isKnown = try may("SELECT", Self.pieces)
        let fresh = try freshly(since: transaction, pieces: isKnown)
        if fresh.count > 0 {
            let more = fresh.count > Int64(fresh.first.count) ? ", …" : ""
            let named = fresh.first.map(String.init).joined(separator: ", ") + more
            findings.add(
                .object(
                    .changed, nil, zh: "\(fresh.count) 个大对象是之后写入的：\(named)",
                    en: "\(fresh.count) large objects were written since: \(named)"))
        }
        if !isKnown, all > fresh.count {
            let role = FindingText.clean(session.connection.settings.user)
            findings.add(
                .object(
                    .changed, nil,
                    zh: "无法判断其余 \(all - fresh.count) 个大对象是否在之后写入：角色 \(role) 无权读取 pg_largeobject"
                        + "（pg_read_all_data 的成员可以）",
                    en:
                        "whether \(all - fresh.count) large objects were written since cannot be told: the role \(role) may not read "
                        + "pg_largeobject (a member of pg_read_all_data may)"))
        }
        return findings
    }

    /// - Parameter pieces: whether the pieces may be asked, too; else only what was made or given away is found.
    /// - Returns: how many, and the first of them.
    private func freshly(since transaction: Int64, pieces: Bool) throws -> (count: Int64, first: [Int64]) {
        let fresh = ComparedTable.condition(writtenSince: transaction)
        let written: SQL = pieces ? " union select t.loid from pg_largeobject t\(fresh)" : ""
        let rows = try session.rows(
            """
            select o.oid::bigint as oid, count(*) over () as n
            from (select t.oid from pg_largeobject_metadata t\(fresh)\(written)) o order by 1 limit 12
            """)
        return (try rows.first?.int64("n") ?? 0, try rows.map { try $0.int64("oid") })
    }

    private func count() throws -> Int64 {
        try session.rows("select count(*) as n from pg_largeobject_metadata").first?.int64("n") ?? 0
    }

    private func may(_ right: String, _ table: QualifiedTable) throws -> Bool {
        let rows = try session.rows("select has_table_privilege(\(table.description), \(right))::text as may")
        return try rows.first?.string("may") == "true"
    }
}

extension StoreFinding {
    fileprivate static func object(_ kind: Kind, _ oid: Int64?, zh: String, en: String) -> StoreFinding {
        StoreFinding(kind, table: "pg_catalog.pg_largeobject", BilingualText(zh: zh, en: en))
    }
}
