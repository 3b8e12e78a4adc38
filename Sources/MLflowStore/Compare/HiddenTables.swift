// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

/// Tables that this role may not read, or not all of. What a person or a program wrote into one is in no dump of this role, and
/// nothing can tell whether it did: where there may be rows, that is said.
struct HiddenTables {
    private let session: ComparisonSession

    init(_ session: ComparisonSession) { self.session = session }

    /// Whether a table has any page needs no right to read it.
    func findings() throws -> StoreFindings {
        let rows = try session.rows(
            """
            select n.nspname as schema, c.relname as name, e.extname as extension
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
              and d.objsubid = 0 and d.deptype = 'e'
            left join pg_catalog.pg_extension e on e.oid = d.refobjid
            where \(TableShape.isNotServers) and not \(Connection.isReadable)
              and coalesce(pg_catalog.pg_relation_size(c.oid), 1) > 0
            order by n.nspname collate "C", c.relname collate "C"
            """)
        var findings = StoreFindings()
        let role = FindingText.clean(session.connection.settings.user)
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            let membership = try row.optional("extension", as: String.self).map(FindingText.clean)
            findings.add(
                StoreFinding(
                    .changed, table: table.description,
                    BilingualText(
                        zh: "\(membership.map { "扩展 \($0) 的" } ?? "")表 \(table) 可能有数据，而角色 \(role) 无权读取全部内容："
                            + "无法比较，也不在任何备份中",
                        en:
                            "what is in table \(table)\(membership.map { " of extension \($0)" } ?? ""), which the role \(role) may "
                            + "not read, or not all of it, can neither be compared nor be in a backup")))
        }
        return findings
    }
}
