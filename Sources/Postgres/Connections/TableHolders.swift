// SPDX-License-Identifier: Apache-2.0

extension PostgresError {
    /// Who keeps tables from being read, or from being locked against writing.
    package enum TableUse: Sendable {
        case reading, lockingOut

        /// Modes that conflict with ACCESS SHARE, and with SHARE (PostgreSQL manual, 13.3.1).
        fileprivate var conflicting: [String] {
            switch self {
            case .reading: ["AccessExclusiveLock"]
            case .lockingOut:
                [
                    "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareRowExclusiveLock", "ExclusiveLock",
                    "AccessExclusiveLock",
                ]
            }
        }
    }

    /// A lock that was not had in time (SQLSTATE 55P03) as `tablesInUse`, with whoever holds or awaits what conflicts with
    /// it now: behind one who waits for a lock everybody else waits, too. Any other error is returned as it is.
    /// - Parameters:
    ///   - settings: of the database whose tables they are. A second session asks there, which reads no table of its.
    ///   - seconds: how long the lock was waited for.
    package func namingHolders(
        of use: TableUse = .reading, in settings: ConnectionSettings, seconds: Double
    ) -> PostgresError {
        guard case .query("55P03", _) = self else { return self }
        // Whom nobody can name any more, or for want of a session, is not named: the error is the same.
        let holders = try? Connection(settings, applicationName: "mlflow-backup watch").tableHolders(use, seconds)
        return .tablesInUse(seconds: Int(seconds), holders: holders ?? [])
    }
}

extension Connection {
    fileprivate func tableHolders(_ use: PostgresError.TableUse, _ seconds: Double) throws(PostgresError) -> [String] {
        defer { close() }
        let tables: SQL = """
            select l.pid from pg_catalog.pg_locks l
            join pg_catalog.pg_database d on d.oid = l.database and d.datname = current_database()
            join pg_catalog.pg_class c on c.oid = l.relation
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where l.locktype = 'relation' and l.mode = any(\(use.conflicting)::text[])
              and not starts_with(n.nspname, 'pg_')
            """
        // Who came only just now did not keep us waiting. Of strangers we do not see since when.
        let sessions = try rows(
            """
            select \(SessionText.columns) from pg_catalog.pg_stat_activity a
            where a.pid in (\(tables))
              and coalesce(extract(epoch from now() - a.xact_start) >= \(String(seconds))::float8, true)
            order by a.xact_start nulls first, a.pid
            """)
        var lines = try SessionText.lines(sessions)
        if try !rows(tables + " and l.pid is null").isEmpty {
            for row in try rows("select gid from pg_catalog.pg_prepared_xacts where database = current_database()") {
                lines.append("prepared transaction \(try row.string("gid"))")
            }
        }
        return lines
    }
}
