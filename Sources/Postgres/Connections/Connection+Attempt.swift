// SPDX-License-Identifier: Apache-2.0

import Wording

extension Connection {
    /// Makes the planner's statistics of a database that was just loaded. Those of the server's own tables came with the template.
    /// - Returns: what the server refused it with: of a foreign table whose server is away there are none.
    /// - Throws: `PostgresError`.
    package func analyze() throws -> PostgresError? {
        try liftTimeouts()
        let tables = try rows(
            """
            select pg_catalog.format('%I.%I', n.nspname, c.relname) as name
            from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'm', 'p') and not c.relispartition and c.relpersistence <> 't'
              and pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              and n.nspname not in ('pg_catalog', 'information_schema')
            """
        ).map { try $0.string("name") }
        if tables.isEmpty { return nil }
        try execute("begin")
        let refusal = try attempt { try execute(script: "ANALYZE \(tables.joined(separator: ", "));".serverBytes) }
        try execute("commit")
        return refusal
    }

    /// Begins a transaction in which statements of a dump are what they are to pg_restore.
    func begin(for contents: DumpContents) throws {
        try execute("begin")
        try execute("set local search_path = ''")
        for setting in contents.settings { try execute(script: setting) }
    }

    /// Runs `body` inside the open transaction, and takes back what it did where the server refuses that.
    /// - Returns: what the server refused it with; `nil` where it did not.
    /// - Throws: what says nothing of what was asked for (`PostgresError.isTroubleOfServer`), a session that was lost, and
    ///   whatever else `body` throws. The transaction is then good for a rollback alone.
    func attempt(_ body: () throws -> Void) throws -> PostgresError? {
        try execute("savepoint attempt")
        do {
            try body()
            try execute("release attempt")
            return nil
        } catch let refusal as PostgresError {
            if refusal.isTroubleOfServer { throw refusal }
            // A session that was lost shows here at the latest.
            do { try execute("rollback to attempt") } catch { throw refusal }
            return refusal
        }
    }
}

extension PostgresError {
    /// Whether a statement ended for what is wrong with the server at this moment, and not because the server does not let this
    /// role do it, or cannot do it at all: a disk or memory that is full, a statement that somebody cancelled, a deadlock, a
    /// damaged file (PostgreSQL manual, appendix A).
    var isTroubleOfServer: Bool {
        switch self {
        case .diskFull, .tooManyConnections: true
        case .query(let sqlstate, _):
            switch sqlstate.prefix(2) {
            // A limit that somebody set for the role (`temp_file_limit`) stays.
            case "53": sqlstate != "53400"
            case "40", "57": true
            // The file of an extension that is not installed (58P01) stays away.
            case "58": sqlstate != "58P01"
            // XX000 is what extensions end with that cannot work here.
            case "XX": sqlstate != "XX000"
            default: false
            }
        default: false
        }
    }

    /// In a few words, where it is not that this role lacks a right, which is what is told of anyway.
    var refusal: String? {
        switch self {
        case .insufficientPrivilege: nil
        case .query(let sqlstate, let message): "\(sqlstate): \(Self.firstLine(message))"
        case .connectionLost(let reason): Self.firstLine(reason)
        default: explanation.english
        }
    }
}
