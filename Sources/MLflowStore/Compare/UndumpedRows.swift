// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

/// Rows of one table that no dump holds: of an extension's table, or of one that a person made among the server's own.
///
/// Those that are the extension's own do not count. They were written by CREATE or ALTER EXTENSION, in the transaction that
/// made the table or left the extension as it is, and a restore makes them again. A person may have written others in that
/// transaction: so the live database must have them, too.
struct UndumpedRows {
    private let session: ComparisonSession
    private let shape: TableShape
    private let membership: TableShape.Membership?

    /// - Returns: `nil` where a dump holds every row.
    init?(of shape: TableShape, in session: ComparisonSession) {
        let isDumped = shape.membership.map { $0.dumped == "" } ?? !shape.isAmongServers
        if isDumped { return nil }
        self.session = session
        self.shape = shape
        membership = shape.membership
    }

    /// The live database beside. It is opened where a row asks for it.
    struct Others {
        fileprivate let session: ComparisonSession
        fileprivate let shapes: [QualifiedTable: TableShape]

        /// - Returns: `nil` where it cannot be asked: then no row is found there.
        init?(_ settings: ConnectionSettings, _ cancellation: Cancellation) {
            do {
                session = try ComparisonSession(settings, cancellation)
                shapes = try TableShape.all(in: session)
            } catch { return nil }
        }

        func close() { session.connection.close() }
    }

    /// - Parameter others: opens the live database, or says that it cannot be asked.
    func findings(_ others: () throws -> Others?) throws -> StoreFindings {
        var findings = StoreFindings()
        let counts = try session.rows(
            """
            select count(*) as n, count(*) filter (where \(isByExtension)) as own from (\(undumped)) t
            """)
        guard let row = counts.first else { return findings }
        let (all, own) = (try row.int64("n"), try row.int64("own"))
        let unknown = own == 0 ? 0 : own.subtracting(clamped: try recognized(own, in: others()))
        let missing = all.subtracting(clamped: own).adding(clamped: unknown)
        if missing > 0 {
            let (table, name) = (shape.table, membership.map { FindingText.clean($0.name) })
            findings.add(
                StoreFinding(
                    .added, table: table.description,
                    BilingualText(
                        zh: "\(name.map { "扩展 \($0) 的" } ?? "")表 \(table) 有 \(missing) 行不在任何备份中",
                        en: "no backup holds \(missing) rows of table \(table)"
                            + (name.map { ", which belongs to extension \($0)" } ?? ""))))
        }
        return findings
    }

    /// More are not looked for, and count as somebody's: their digests are held in memory.
    private static let most: Int64 = 100_000

    /// How many of the extension's own rows the live database has.
    private func recognized(_ own: Int64, in others: Others?) throws -> Int64 {
        guard let others, own <= Self.most, let beside = others.shapes[shape.table], beside.columns == shape.columns,
            beside.membership?.name == membership?.name
        else { return 0 }
        let rows = try session.rows(
            "select \(digest) as digest, count(*) as n from (\(undumped)) t where \(isByExtension) group by 1")
        let wanted = try rows.map { try $0.string("digest") }
        let found = try others.session.rows(
            """
            select q.digest, count(*) as n from (select \(digest) as digest from only \(identifier: shape.table) t) q
            where q.digest = any(\(wanted)::text[]) group by 1
            """)
        var there: [String: Int64] = [:]
        for row in found { there[try row.string("digest")] = try row.int64("n") }
        return try rows.reduce(0) {
            $0.adding(clamped: min(try $1.int64("n"), there[try $1.string("digest")] ?? 0))
        }
    }

    private var digest: SQL {
        let columns = shape.columns.map { column -> SQL in "t.\(identifier: column)" }
        return "encode(sha256(textsend(row(\(SQL.list(columns)))::text)), 'hex')"
    }

    /// With what tells who wrote them, under names that no column has by chance.
    private var undumped: SQL {
        // The server's own text, which pg_dump runs as it is.
        let dumped = SQL(stringLiteral: membership?.dumped ?? "where false")
        let columns = shape.columns.map { column -> SQL in "a.\(identifier: column)" }
        return """
            select \(SQL.list(["a.xmin as \" written\"", "a.tableoid as \" holder\""] + columns)) from only \(identifier: shape.table) a
            where not exists (
              select from (select ctid as place from only \(identifier: shape.table) \(dumped)) d where d.place = a.ctid)
            """
    }

    private var isByExtension: SQL {
        """
        exists (select from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = t." holder" and d.objsubid = 0
                  and d.deptype = 'e' and t." written" in (d.xmin, e.xmin))
        """
    }
}
