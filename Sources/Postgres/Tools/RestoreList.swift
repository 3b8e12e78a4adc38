// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The table of contents of a dump, less what the restoring role is not allowed to make.
///
/// A role without superuser rights fails on two things that a dump may well hold: an extension that is not trusted,
/// and the comment on an extension that belongs to somebody else. Neither holds data of ours.
struct RestoreList {
    /// For `pg_restore --use-list`; nil when nothing has to be left out.
    let text: [UInt8]?
    let skippedExtensions: [String]

    /// - Parameter contents: what `pg_restore --list` prints: `DUMP-ID; CATALOG-OID OID TYPE SCHEMA NAME OWNER`.
    init(contents: [UInt8], on session: Connection) throws(PostgresError) {
        let lines = contents.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let named = lines.compactMap { Self.extensionName($0, "EXTENSION - ") }
        let rights = try ExtensionRights(on: session)
        let skipped = named.filter { rights.mayNotCreate.contains($0) }
        let kept = lines.filter { line in
            if let name = Self.extensionName(line, "EXTENSION - ") { return !rights.mayNotCreate.contains(name) }
            if let name = Self.extensionName(line, "COMMENT - EXTENSION ") {
                return !rights.mayNotCreate.contains(name) && !rights.mayNotComment.contains(name)
            }
            return true
        }
        skippedExtensions = skipped
        text = kept.count == lines.count ? nil : Array(kept.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// `2; 3079 16390 EXTENSION - pg_trgm ` ends with an empty owner.
    private static func extensionName(_ line: ArraySlice<UInt8>, _ kind: String) -> String? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 3)
        guard line.first != UInt8(ascii: ";"), words.count == 4, words[3].starts(with: kind.utf8) else { return nil }
        return words[3].dropFirst(kind.utf8.count).split(separator: UInt8(ascii: " ")).first
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

private struct ExtensionRights {
    private(set) var mayNotCreate: Set<String> = []
    /// Those that every new database has, owned by the superuser who made the server.
    private(set) var mayNotComment: Set<String> = []

    init(on session: Connection) throws(PostgresError) {
        let role = try session.rows("select rolsuper from pg_catalog.pg_roles where rolname = current_user")
        if try role.first?.bool("rolsuper") == true { return }
        let foreign = try session.rows(
            """
            select extname from pg_catalog.pg_extension
            where not pg_catalog.pg_has_role(extowner, 'USAGE')
            """)
        for row in foreign { mayNotComment.insert(try row.string("extname")) }
        let closed = try session.rows(
            """
            select a.name::text as name from pg_catalog.pg_available_extensions a
            join pg_catalog.pg_available_extension_versions v on v.name = a.name and v.version = a.default_version
            where v.superuser and not v.trusted and a.installed_version is null
            """)
        for row in closed { mayNotCreate.insert(try row.string("name")) }
    }
}
