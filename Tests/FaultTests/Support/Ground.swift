// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport

/// Where a stack of these tests is: its database, its two folders, and the program that backs it up.
struct Ground: Sendable {
    let server: TemporaryPostgres
    let database: ConnectionSettings
    let artifacts: FilePath
    let backups: FilePath
    let program: Program

    /// - Parameter root: gets the folders `artifacts` and `backups`.
    init(_ server: TemporaryPostgres, _ database: ConnectionSettings, in root: FilePath, mlflow: String? = nil) {
        (self.server, self.database) = (server, database)
        artifacts = root.appending("artifacts")
        backups = root.appending("backups")
        program = Program(environment: [
            "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "BACKUP_LANG": "en",
            "BACKUP_DIR": backups.string, "ARTIFACTS_DIR": artifacts.string,
            "POSTGRES_HOST": database.host, "POSTGRES_PORT": "\(database.port)",
            "POSTGRES_DB": database.database, "POSTGRES_USER": database.user,
            "POSTGRES_PASSWORD": database.password.revealed, "PG_BIN_DIR": server.binDirectory.string,
            "MLFLOW_URL": mlflow ?? "http://127.0.0.1:1", "LOG_SYSLOG": "false", "BACKUP_MAX_BACKUPS": "1000",
            "FAULT_UNDER": "backups=\(backups):artifacts=\(artifacts)",
        ])
    }

    /// Where the folders of a stack are made: in memory, since the faults are not the disk's, and the program syncs its file
    /// system: with it would go all that the server of the tests has written.
    static func folder(_ name: String) throws -> TemporaryFolder {
        let memory = FilePath("/dev/shm")
        let isThere = try FileStatus.ifPresent(memory) != nil && DiskSpace.at(memory).available > 40 << 20
        return try TemporaryFolder(name, in: isThere ? memory : "/tmp")
    }

    /// Of ours on the server, whatever their role.
    func databases() throws -> [String] {
        let own = database.database
        return try session { session in
            try session.rows(
                """
                select datname::text as name from pg_database
                where datname = \(own) or starts_with(datname, \(own + "_")) order by 1
                """
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

    /// As the superuser: autovacuum's workers may be in a database that is to go.
    func session<Result>(in name: String = "postgres", _ body: (Connection) throws -> Result) throws -> Result {
        let session = try Connection(server.superuser.naming(database: name))
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

    /// Rows and bytes of the live stack, or why they cannot be read.
    func live() -> String {
        do { return try fingerprint() } catch { return "unreadable: \(error)" }
    }

    static let tables = ["alembic_version", "experiments", "latest_metrics", "metrics", "registered_models", "runs"]

    func fingerprint() throws -> String {
        let session = try Connection(database)
        defer { session.close() }
        var text = ""
        for table in Self.tables {
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
