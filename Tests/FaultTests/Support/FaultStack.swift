// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Postgres
import SystemIO
import TestSupport

/// A small live stack that can be put back to its beginning in a moment: two good backups of one state ("new"), and a
/// live state that differs from it in rows and bytes ("old").
final class FaultStack: Sendable {
    let server: TemporaryPostgres
    let database: ConnectionSettings
    let root: TemporaryFolder
    let program: Program
    let artifacts: FilePath
    let backups: FilePath
    /// Rows and bytes of the backups, and of the live stack at the beginning.
    let new: String
    let old: String
    /// The archive, and the folder.
    let archive: String
    let folder: String
    /// Name and content of each backup at the beginning.
    let contents: [String: String]

    private var initial: FilePath { root.path.appending("initial") }
    private var template: String { "initial_\(database.database)" }

    init(_ name: String, on server: TemporaryPostgres? = nil) throws {
        self.server = try server ?? .shared
        database = try self.server.freshDatabase(name)
        root = try TemporaryFolder(name)
        artifacts = root.path.appending("artifacts")
        backups = root.path.appending("backups")
        program = Program(
            environment: Self.environment(database, self.server, artifacts: artifacts, backups: backups))
        let files = LiveFiles(database: database, artifacts: artifacts)
        try files.begin()
        new = try Self.fingerprint(database, artifacts)
        for arguments in [["backup", "--quiet"], ["backup", "--quiet", "--no-compress"]] {
            let made = try program.run(arguments)
            guard made.succeeded else { throw CaseFailed("the first backups: \(made.saying)") }
        }
        try files.moveOn()
        old = try Self.fingerprint(database, artifacts)
        let names = try Listing(program).names
        archive = names.first { $0.hasSuffix(".tar.gz") } ?? ""
        folder = names.first { !$0.hasSuffix(".tar.gz") } ?? ""
        contents = try Self.contents(names, in: backups)
        try Directory.make(initial)
        try Shell.sh("cp -a '\(backups)' '\(artifacts)' '\(initial)/'")
        let template = "initial_\(database.database)"
        try session {
            try $0.execute("create database \(identifier: template) template \(identifier: database.database)")
        }
    }

    private static func environment(
        _ database: ConnectionSettings, _ server: TemporaryPostgres, artifacts: FilePath, backups: FilePath
    ) -> [String: String] {
        [
            "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "BACKUP_LANG": "en",
            "BACKUP_DIR": backups.string, "ARTIFACTS_DIR": artifacts.string,
            "POSTGRES_HOST": database.host, "POSTGRES_PORT": "\(database.port)",
            "POSTGRES_DB": database.database, "POSTGRES_USER": database.user,
            "POSTGRES_PASSWORD": database.password.revealed, "PG_BIN_DIR": server.binDirectory.string,
            "MLFLOW_URL": "http://127.0.0.1:1", "LOG_SYSLOG": "false", "BACKUP_MAX_BACKUPS": "1000",
            "FAULT_UNDER": "backups=\(backups):artifacts=\(artifacts)",
        ]
    }

    /// Everything as it was at the beginning. What an operation cannot have changed is left, inodes and all.
    func reset(live: Bool) throws {
        try Shell.sh("rm -rf '\(backups)' && cp -a '\(initial)/backups' '\(backups)'")
        // Most faults end before anything live has changed.
        let isWhole =
            try self.live() == old && databases() == [database.database]
            && !Directory.names(in: artifacts).contains { $0.starts(with: Array(".mlflow-backup".utf8)) }
        guard live, !isWhole else { return }
        try Shell.sh("rm -rf '\(artifacts)' && cp -a '\(initial)/artifacts' '\(artifacts)'")
        try session { session in
            for name in try databases() {
                // A restore may have died with its database closed, or marked as one that stays.
                try session.execute("drop database if exists \(identifier: name) with (force)")
            }
            try session.execute(
                """
                create database \(identifier: database.database) template \(identifier: template)
                owner \(identifier: database.user)
                """)
        }
    }

    /// Of ours on the server, whatever their role.
    func databases() throws -> [String] {
        try session { session in
            let own = database.database
            return try session.rows(
                "select datname::text as name from pg_database where datname = \(own) or starts_with(datname, \(own + "_"))"
            ).map { try $0.string("name") }
        }
    }

    /// What somebody said of a database, as the record of a kept one is.
    func comment(of name: String) throws -> String {
        try session { session in
            try session.rows(
                "select coalesce(shobj_description(oid, 'pg_database'), '') as text from pg_database where datname = \(name)"
            ).first?.string("text") ?? ""
        }
    }

    /// Rows and bytes of the live stack, or why they cannot be read.
    func live() -> String {
        do { return try Self.fingerprint(database, artifacts) } catch { return "unreadable: \(error)" }
    }

    func named(_ state: String) -> String { state == new ? "new" : state == old ? "old" : "a mixture" }

    /// As the superuser: autovacuum's workers may be in a database that is to go.
    private func session<Result>(_ body: (Connection) throws -> Result) throws -> Result {
        let session = try Connection(server.superuser.naming(database: "postgres"))
        defer { session.close() }
        return try body(session)
    }

    /// What a backup's name holds, byte for byte.
    static func contents(_ names: [String], in folder: FilePath) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in names {
            found[name] = try Shell.sh(
                "cd '\(folder)' && find './\(name)' -type f -print0 | sort -z | xargs -0 -r sha256sum")
        }
        return found
    }

    static let tables = ["alembic_version", "experiments", "latest_metrics", "metrics", "registered_models", "runs"]

    static func fingerprint(_ database: ConnectionSettings, _ artifacts: FilePath) throws -> String {
        let session = try Connection(database)
        defer { session.close() }
        var text = ""
        for table in tables {
            let rows = try session.rows(
                "select coalesce(string_agg(t::text, ' ' order by t::text), '') as all from \(identifier: table) t")
            text += "\(table): \(try rows.first?.string("all") ?? "")\n"
        }
        // Folders' times are no content; the hidden folder and the stack's mark are ours.
        return text
            + (try Shell.sh(
                """
                cd '\(artifacts)'
                find . -mindepth 1 \\( -name .mlflow-backup-restore -o -name .mlflow-backup-stack \\) -prune \
                  -o -printf '%y %m %p %l\\n' | sort
                find . -name '.mlflow-backup-*' -prune -o -type f -print0 | sort -z | xargs -0 -r sha256sum
                """))
    }
}

struct CaseFailed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
