// SPDX-License-Identifier: Apache-2.0

/// What a role may make in a new database of its own.
struct RestoreSituation {
    let isSuperuser: Bool
    /// As whom the server lets us work.
    let role: String
    /// Of extensions: those that this server has not, or does not let this role make, or not in this database.
    private let trial: RestoreTrial
    /// Names of tables and sequences that the other extensions make; `nil` where that is not known.
    var namesOfExtensions: Set<String>? { trial.namesOfExtensions }
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
        trustedLanguages = try session.names(
            "select lanname::text as name from pg_catalog.pg_language where lanpltrusted")
        tablespaces = try session.names(
            """
            select spcname::text as name from pg_catalog.pg_tablespace
            where pg_catalog.has_tablespace_privilege(oid, 'CREATE')
            """)
        trial = try RestoreTrial(contents, isSuperuser: isSuperuser, on: session)
    }

    /// What takes a superuser to make (PostgreSQL manual, the commands' own pages), whatever it depends on.
    func mayNotMake(_ entry: DumpEntry) -> Bool {
        if trial.refused[entry.id] != nil { return true }
        return switch entry.kind {
        // It would begin to replicate.
        case "SUBSCRIPTION": true
        case _ where isSuperuser: false
        case "PROCEDURAL LANGUAGE", "FOREIGN DATA WRAPPER", "ACCESS METHOD", "OPERATOR CLASS", "OPERATOR FAMILY",
            "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "SHELL TYPE":
            true
        // One that is declared and no more.
        case "TYPE": !entry.text.contains(" AS ") && !entry.text.contains("(")
        case "CAST": entry.text.contains("WITHOUT FUNCTION")
        case "FUNCTION", "PROCEDURE": isOfUntrustedLanguage(entry)
        default: false
        }
    }

    /// `    LANGUAGE c STRICT`. A language that an extension of the dump brings goes with that.
    private func isOfUntrustedLanguage(_ entry: DumpEntry) -> Bool {
        for line in entry.text.split(separator: "\n") where line.hasPrefix("    LANGUAGE ") {
            let language = line.dropFirst(13).prefix { $0 != " " && $0 != ";" }
            return !trustedLanguages.contains(String(language)) && ["c", "internal"].contains(language)
        }
        return false
    }

    /// Whether not even a superuser could make it in this server.
    func isUnavailable(_ entry: DumpEntry) -> Bool {
        guard entry.kind == "EXTENSION", let refusal = trial.refused[entry.id] else { return false }
        if case .insufficientPrivilege = refusal { return false }
        return true
    }

    /// What the server refused it with, where it was tried and that is not a right alone.
    func reason(_ entry: DumpEntry) -> String? { trial.refused[entry.id]?.refusal }
}
