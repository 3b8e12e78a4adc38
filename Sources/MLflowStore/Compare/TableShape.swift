// SPDX-License-Identifier: Apache-2.0

import Postgres

/// What the catalogue says of one table.
struct TableShape: Equatable {
    /// A column that the server empties when the row it points to is removed (ON DELETE SET NULL).
    struct EmptiedReference: Equatable {
        let column: String
        let table: QualifiedTable
        let target: String
    }

    /// What a table of an extension is to it (PostgreSQL manual, 38.17.3 "Extension Configuration Tables").
    struct Membership: Equatable {
        let name: String
        /// What rows of it a dump holds, as the extension says (`pg_extension.extcondition`): empty for all, `WHERE …`, and
        /// `nil` for none.
        let dumped: String?
    }

    let table: QualifiedTable
    /// The extension that it belongs to.
    var membership: Membership?
    /// Whether this role may lock it against writing. An extension need not give that right, and need not be asked for it.
    var isLockable = true
    /// Sorted by their bytes: the order in which they were made may differ between databases.
    var columns: [String] = []
    /// The columns of the primary key in its order; empty where there is none.
    var key: [String] = []
    /// The types of these, as SQL writes them.
    var keyTypes: [String] = []
    var emptied: [EmptiedReference] = []

    /// By its bytes, as the server tells names apart: to Swift two that are canonically equivalent are equal.
    func hasColumn(_ name: String) -> Bool { columns.contains { $0.utf8.elementsEqual(name.utf8) } }

    /// The tables of a database that this role may read, those of its extensions, too: their rows are a person's or a
    /// program's, whether the extension lets a dump hold them or not. The others are `HiddenTables`.
    static func all(in session: ComparisonSession) throws -> [QualifiedTable: TableShape] {
        var shapes: [QualifiedTable: TableShape] = [:]
        let rows = try session.rows(
            """
            select n.nspname as schema, c.relname as name, a.attname as column,
                   pg_catalog.format_type(a.atttypid, null) as type,
                   pg_catalog.array_position(i.indkey::pg_catalog.int2[], a.attnum) as place,
                   e.extname as extension,
                   e.extcondition[pg_catalog.array_position(e.extconfig, c.oid)] as dumped,
                   (e.oid is null and n.nspname <> 'information_schema' and not pg_catalog.starts_with(n.nspname, 'pg_')
                    or pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'))::text as lockable
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            left join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary
            left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
              and d.objsubid = 0 and d.deptype = 'e'
            left join pg_catalog.pg_extension e on e.oid = d.refobjid
            where \(isNotServers) and \(Connection.isReadable)
            order by place
            """)
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            var shape = shapes[table] ?? TableShape(table: table)
            shape.membership = try row.optional("extension", as: String.self).map { name in
                Membership(name: name, dumped: try row.optional("dumped", as: String.self))
            }
            shape.isLockable = try row.string("lockable") == "true"
            if let column = try row.optional("column", as: String.self) {
                shape.columns.append(column)
                if try row.optional("place", as: Int.self) != nil {
                    shape.key.append(column)
                    shape.keyTypes.append(try row.string("type"))
                }
            }
            shapes[table] = shape
        }
        for table in shapes.keys { shapes[table]?.columns.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
        try readEmptiedReferences(&shapes, session)
        return shapes
    }

    /// The first number of what did not come with the server (FirstNormalObjectId, access/transam.h). In the server's own
    /// schemas it may be the server's all the same: `information_schema` can be made anew.
    private static let firstOwn = 16384

    /// Of a table `c` in the schema `n`, and of the extension `e` where it belongs to one.
    static let isNotServers: SQL =
        """
        c.relkind = 'r' and c.relpersistence <> 't'
        and (not pg_catalog.starts_with(n.nspname, 'pg_') and n.nspname <> 'information_schema'
             or c.oid >= \(number: firstOwn) and not (e.oid is null and n.nspname = 'information_schema'
                  and c.relname in ('sql_features', 'sql_implementation_info', 'sql_parts', 'sql_sizing')))
        """

    /// Whether a dump passes it over, because it lies where the server's own tables do.
    var isAmongServers: Bool { table.schema == "information_schema" || table.schema.hasPrefix("pg_") }

    private static func readEmptiedReferences(
        _ shapes: inout [QualifiedTable: TableShape], _ session: ComparisonSession
    ) throws {
        let rows = try session.rows(
            """
            select n.nspname as schema, c.relname as name, a.attname as column, rn.nspname as target_schema,
                   rc.relname as target_table, ra.attname as target
            from pg_catalog.pg_constraint f
            join pg_catalog.pg_class c on c.oid = f.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            join pg_catalog.pg_class rc on rc.oid = f.confrelid
            join pg_catalog.pg_namespace rn on rn.oid = rc.relnamespace
            join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = f.conkey[1]
            join pg_catalog.pg_attribute ra on ra.attrelid = rc.oid and ra.attnum = f.confkey[1]
            where f.contype = 'f' and f.confdeltype = 'n' and pg_catalog.cardinality(f.conkey) = 1
            order by 1, 2, 3
            """)
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            shapes[table]?.emptied.append(
                EmptiedReference(
                    column: try row.string("column"),
                    table: QualifiedTable(
                        schema: try row.string("target_schema"), name: try row.string("target_table")),
                    target: try row.string("target")))
        }
    }
}
