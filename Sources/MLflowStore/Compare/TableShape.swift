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

    let table: QualifiedTable
    /// Sorted by their bytes: the order in which they were made may differ between databases.
    var columns: [String] = []
    /// The columns of the primary key in its order; empty where there is none.
    var key: [String] = []
    /// As SQL writes them, by column.
    var types: [String: String] = [:]
    var emptied: [EmptiedReference] = []

    /// The ordinary tables of a database: those whose rows a dump holds (see `Connection.rowCounts`).
    static func all(in session: ComparisonSession) throws -> [QualifiedTable: TableShape] {
        var shapes: [QualifiedTable: TableShape] = [:]
        let rows = try session.rows(
            """
            select n.nspname as schema, c.relname as name, a.attname as column,
                   pg_catalog.format_type(a.atttypid, null) as type,
                   pg_catalog.array_position(i.indkey::pg_catalog.int2[], a.attnum) as place
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            left join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary
            where c.relkind = 'r' and c.relpersistence <> 't'
              and not pg_catalog.starts_with(n.nspname, 'pg_') and n.nspname <> 'information_schema'
              and not exists (
                select from pg_catalog.pg_depend d
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
            order by place
            """)
        for row in rows {
            let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
            var shape = shapes[table] ?? TableShape(table: table)
            if let column = try row.optional("column", as: String.self) {
                shape.columns.append(column)
                shape.types[column] = try row.string("type")
                if try row.optional("place", as: Int.self) != nil { shape.key.append(column) }
            }
            shapes[table] = shape
        }
        for table in shapes.keys { shapes[table]?.columns.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
        try readEmptiedReferences(&shapes, session)
        return shapes
    }

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
