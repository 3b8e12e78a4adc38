// SPDX-License-Identifier: Apache-2.0

/// What a role may make in a new database of its own.
struct RestoreSituation {
    let isSuperuser: Bool
    /// As whom the server lets us work.
    let role: String
    /// Extensions of the dump that this server has not, or does not let this role make, or not in this database, with what it
    /// says: found by trying.
    let closedExtensions: [String: PostgresError]
    /// Names of tables and sequences that the others make.
    let namesOfExtensions: Set<String>
    let trustedLanguages: Set<String>
    /// In which this role may make something.
    let tablespaces: Set<String>

    /// - Parameter session: in the new database, which is as it was made.
    /// - Throws: `PostgresError`.
    init(_ contents: DumpContents, on session: Connection) throws {
        let rows = try session.rows(
            "select rolname::text as role, rolsuper as super from pg_catalog.pg_roles where rolname = current_user")
        guard let row = rows.first else { throw PostgresError.unexpectedValue(column: "role", found: "no row") }
        (role, isSuperuser) = (try row.string("role"), try row.bool("super"))
        trustedLanguages = try Self.names(
            "select lanname::text as name from pg_catalog.pg_language where lanpltrusted", on: session)
        tablespaces = try Self.names(
            """
            select spcname::text as name from pg_catalog.pg_tablespace
            where pg_catalog.has_tablespace_privilege(oid, 'CREATE')
            """, on: session)
        (closedExtensions, namesOfExtensions) = try Self.trying(
            contents.made.filter { $0.kind == "EXTENSION" }.map(\.name), on: session)
    }

    /// What takes a superuser to make (PostgreSQL manual, the commands' own pages), whatever it depends on.
    func mayNotMake(_ entry: DumpEntry) -> Bool {
        switch entry.kind {
        // It would begin to replicate.
        case "SUBSCRIPTION": true
        case "EXTENSION": closedExtensions[entry.name] != nil
        case _ where isSuperuser: false
        case "PROCEDURAL LANGUAGE", "FOREIGN DATA WRAPPER", "ACCESS METHOD", "OPERATOR CLASS", "OPERATOR FAMILY",
            "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "SHELL TYPE":
            true
        // One that is declared and no more.
        case "TYPE": !entry.statements.contains(" AS ") && !entry.statements.contains("(")
        case "CAST": entry.statements.contains("WITHOUT FUNCTION")
        case "FUNCTION", "PROCEDURE": isOfUntrustedLanguage(entry)
        default: false
        }
    }

    /// `    LANGUAGE c STRICT`. A language that an extension of the dump brings goes with that.
    private func isOfUntrustedLanguage(_ entry: DumpEntry) -> Bool {
        for line in entry.statements.split(separator: "\n") where line.hasPrefix("    LANGUAGE ") {
            let language = line.dropFirst(13).prefix { $0 != " " && $0 != ";" }
            return !trustedLanguages.contains(String(language)) && ["c", "internal"].contains(language)
        }
        return false
    }

    /// Whether not even a superuser could make it in this server.
    func isUnavailable(_ entry: DumpEntry) -> Bool {
        guard entry.kind == "EXTENSION", let refusal = closedExtensions[entry.name] else { return false }
        if case .insufficientPrivilege = refusal { return false }
        return true
    }

    /// Tried in one transaction, in the dump's order, because one may need another; nothing of it stays.
    private static func trying(
        _ names: [String], on session: Connection
    ) throws -> (closed: [String: PostgresError], names: Set<String>) {
        if names.isEmpty { return ([:], []) }
        var closed: [String: PostgresError] = [:]
        try session.execute("begin")
        for name in names {
            closed[name] = try session.attempt {
                try session.execute("create extension if not exists \(identifier: name)")
            }
        }
        // In whatever schema: here it is not the one that the dump says.
        let made = try Self.names(
            """
            select c.relname::text as name from pg_catalog.pg_class c
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
            where d.deptype = 'e'
            """, on: session)
        try session.execute("rollback")
        return (closed, made)
    }

    private static func names(_ query: SQL, on session: Connection) throws(PostgresError) -> Set<String> {
        var names: Set<String> = []
        for row in try session.rows(query) { names.insert(try row.string("name")) }
        return names
    }
}
