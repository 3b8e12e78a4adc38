// SPDX-License-Identifier: Apache-2.0

/// What our sessions, and the programs of PostgreSQL that work for us, set for themselves as start-up options, whatever
/// `ALTER ROLE … SET` and `ALTER DATABASE … SET` say: an option of the connection outweighs both, and no statement comes
/// before it (PostgreSQL manual, 20.1.3, 20.11).
///
/// `role` is left as the administrator set it: MLflow works as that role, and so its tables belong to it.
/// `check_function_bodies` and a few more are set by pg_restore itself.
enum SessionParameters {
    /// Those that every version from 13 on has.
    private static let common: [(name: String, value: String)] = [
        ("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0"),
        ("default_transaction_read_only", "off"), ("default_transaction_isolation", "read committed"),
        ("default_transaction_deferrable", "off"),
        // The catalogue comes first by itself; MLflow's tables are named with their schema.
        ("search_path", "public"),
        // A policy would hide rows without a word; off makes it an error.
        (rowSecurity, "off"),
        ("default_tablespace", ""), ("temp_tablespaces", ""),
        ("standard_conforming_strings", "on"), ("DateStyle", "ISO,MDY"), ("IntervalStyle", "postgres"),
        ("extra_float_digits", "1"), ("bytea_output", "hex"), ("xmlbinary", "base64"), ("array_nulls", "on"),
        ("quote_all_identifiers", "off"), ("transform_null_equals", "off"),
        // Compiling catalogue queries costs more than it saves.
        ("jit", "off"),
    ]

    /// Limits that came later, by the version that first knew them.
    private static let newer: [(name: String, since: Int)] = [
        ("idle_session_timeout", 140_000), ("transaction_timeout", 170_000),
    ]

    private static let rowSecurity = "row_security"

    /// For libpq's `options`, of a server whose version is not known yet.
    static var options: String { text(common) }

    /// For PGOPTIONS of a program.
    static func options(serverVersion: Int) -> String {
        text(common + newer.filter { serverVersion >= $0.since }.map { ($0.name, "0") })
    }

    /// Lifts the limits that came later, sees to it that what is told of outlives a crash of the server, and tells whether the
    /// options were taken: a pooler may have dropped them (`ignore_startup_parameters`).
    static func finish(serverVersion: Int) -> SQL {
        newer.filter { serverVersion >= $0.since }
            .reduce("select pg_catalog.current_setting(\(rowSecurity)) = 'off' as taken, \(durableCommit)") {
                $0 + ", pg_catalog.set_config(\($1.name), '0', false)"
            }
    }

    /// `off` alone is raised: a role whose commits wait for no standby (`local`), since that is away, would wait for it for ever.
    /// What programs of ours commit is on disk when a later commit of ours is: there is one log.
    private static let durableCommit: SQL = """
        case when pg_catalog.current_setting('synchronous_commit') = 'off'
             then pg_catalog.set_config('synchronous_commit', 'local', false) end
        """

    /// Whether this is a pooler's refusal of options, or of a parameter among them (pgbouncer).
    static func areRefused(by error: PostgresError) -> Bool {
        guard case .connectionLost(let reason) = error else { return false }
        return reason.contains("startup parameter")
    }

    /// A backslash keeps a space (libpq manual, 34.1.2, `options`).
    private static func text(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "-c \($0.name)=\($0.value.replacing(" ", with: "\\ "))" }.joined(separator: " ")
    }
}

extension Connection {
    /// For a session behind a pooler that takes no options: a session that waits for hours while others work must not be
    /// ended for it, nor a statement of its own be cut. Elsewhere nothing is to be done.
    func liftTimeouts() throws(PostgresError) {
        if takesOptions { return }
        try execute(
            """
            select pg_catalog.set_config(name, '0', false) from pg_catalog.pg_settings
            where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',
                           'transaction_timeout')
            """)
    }
}
