// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Sessions of the server as a person reads of them: `reporter (pid 4711, nightly report, 10.0.0.7, since
/// 2026-11-25T02:15:00)`. Never with the text of a statement: that holds other people's data.
enum SessionText {
    /// What a query of `pg_stat_activity a` must select for `line`. Of a stranger's session PostgreSQL tells role, program
    /// and process, and no more (manual, 28.2.3).
    static let columns: SQL = """
        a.pid, coalesce(a.usename, a.backend_type, 'server process')::text as who,
        concat_ws(', ', nullif(a.application_name, ''), host(a.client_addr)) as origin,
        extract(epoch from coalesce(a.xact_start, a.state_change, a.backend_start))::bigint as since
        """

    static func line(_ row: Row) throws(PostgresError) -> String {
        var words = ["pid \(try row.int("pid"))"]
        let origin = try row.string("origin")
        if !origin.isEmpty { words.append(origin) }
        if let since = try row.optional("since", as: Int64.self) {
            words.append("since \(LocalTime(epoch: since).iso)")
        }
        return "\(try row.string("who")) (\(words.joined(separator: ", ")))"
    }

    static func lines(_ rows: [Row]) throws(PostgresError) -> [String] {
        var lines: [String] = []
        for row in rows { lines.append(try line(row)) }
        return lines
    }
}

extension Connection {
    /// These processes, each as one line; one that has ended meanwhile is left out.
    func sessions(_ pids: Set<Int>) throws(PostgresError) -> [String] {
        try SessionText.lines(
            rows(
                """
                select \(SessionText.columns) from pg_catalog.pg_stat_activity a
                where a.pid = any(\(pids.map(String.init))::int[]) order by a.pid
                """))
    }
}
