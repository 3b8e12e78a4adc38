// SPDX-License-Identifier: Apache-2.0

import Postgres

/// In which schema of a database the tables of this MLflow are: `public`, or where the `search_path` of its role, of its database or in
/// its URI leads.
package struct StoreSchema: Sendable, Equatable {
    /// `nil` where there are none, or where nobody says which of several.
    package let name: String?
    /// All that have tables of MLflow's, by name.
    package let all: [String]

    /// One that has them is it, wherever that is: the options of MLflow's URI cannot be seen from here. Of several it is what the
    /// person says, else the first to which the role's and the database's own `search_path` leads.
    /// - Throws: `PostgresError`.
    package init(on session: Connection) throws(PostgresError) {
        all = try session.rows(
            """
            select n.nspname::text as schema from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relname in ('alembic_version', 'experiments', 'runs') and c.relkind in ('r', 'p')
            group by 1 having count(*) = 3 order by 1
            """
        ).map { row throws(PostgresError) in try row.string("schema") }
        if let wanted = session.settings.schema {
            let isThere = all.contains(wanted) ? true : try Self.hasRevision(wanted, session)
            name = isThere ? wanted : nil
        } else if all.isEmpty {
            // One that is damaged, or that a migration works on.
            name = try Self.hasRevision(Self.usual, session) ? Self.usual : nil
        } else if all.count == 1 {
            name = all[0]
        } else {
            let all = all
            name = try session.usualSearchPath().first(where: all.contains)
        }
    }

    /// Where MLflow's tables are unless somebody says otherwise, and in every backup that says nothing of it.
    package static let usual = "public"

    private static func hasRevision(_ schema: String, _ session: Connection) throws(PostgresError) -> Bool {
        let table = QualifiedTable(schema: schema, name: "alembic_version")
        return try !session.rows(
            "select from pg_catalog.pg_class where oid = pg_catalog.to_regclass(\(table.description))"
        ).isEmpty
    }
}
