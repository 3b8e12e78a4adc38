// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// A session that reads one database at one moment, with every setting that decides how a value is written fixed:
/// roles and databases may have their own, and text is what is compared.
final class ComparisonSession {
    let connection: Connection
    private let cancellation: Cancellation

    init(_ settings: ConnectionSettings, _ cancellation: Cancellation) throws {
        self.cancellation = cancellation
        connection = try Connection(settings, applicationName: "mlflow-backup compare")
        // First and alone: the role may have a limit that what follows would not keep.
        try connection.execute("set statement_timeout = 0")
        // Not every version has every setting.
        try connection.execute(
            """
            select pg_catalog.set_config(s.name, v.value, false)
            from pg_catalog.pg_settings s join (values
              ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
              ('idle_session_timeout', '0'), ('transaction_timeout', '0'),
              ('lock_timeout', \(String(Int(Self.lockSeconds(settings) * 1000)))),
              ('row_security', 'off'), ('search_path', 'pg_catalog'), ('datestyle', 'ISO, YMD'),
              ('intervalstyle', 'postgres'), ('timezone', 'UTC'), ('bytea_output', 'hex'),
              ('extra_float_digits', '3'), ('xmlbinary', 'base64'), ('lc_monetary', 'C'),
              ('quote_all_identifiers', 'off'), ('cursor_tuple_fraction', '1'), ('jit', 'off')
            ) v(name, value) on pg_catalog.lower(s.name) = v.name
            """)
        // What a database without an encoding holds need be no UTF-8, and the server would not send it as that.
        try connection.execute(
            """
            select pg_catalog.set_config('client_encoding', 'SQL_ASCII', false)
            where pg_catalog.current_setting('server_encoding') = 'SQL_ASCII'
            """)
    }

    func rows(_ sql: SQL) throws -> [Row] { try connection.rows(sql, cancellation: cancellation) }

    /// For a table that is only read.
    static func lockSeconds(_ settings: ConnectionSettings) -> Double { min(10, settings.patience) }

    /// - Throws: what `body` throws; a lock that was not had as `PostgresError.tablesInUse`, with who held it.
    func namingHolders<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as PostgresError {
            throw error.namingHolders(in: connection.settings, seconds: Self.lockSeconds(connection.settings))
        }
    }

    func begin() throws(PostgresError) {
        try connection.execute("begin isolation level repeatable read, read only")
    }

    /// Lets go of the snapshot, which would keep vacuum from its work.
    func end() {
        // A session that is lost has no transaction any more; whoever uses it next hears of that.
        try? connection.execute("rollback")
    }
}

extension SQL {
    /// `a, b, c`.
    static func list(_ items: [SQL], separator: SQL = ", ") -> SQL {
        guard let first = items.first else { return "" }
        return items.dropFirst().reduce(first) { $0 + separator + $1 }
    }
}
