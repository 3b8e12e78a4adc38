// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// By the real program, since libpq reads its environment.
@Suite(
    "What libpq is told outside of our settings counts for our sessions and for PostgreSQL's programs", .besideThePool)
struct SecuredConnectionTests {
    private let live: LiveStackFixture
    private let authority: FilePath

    init() throws {
        let server = try TemporaryPostgres()
        authority = try server.demandEncryption()
        live = try LiveStackFixture("secured", on: server)
    }

    private func run(_ arguments: [String], _ environment: [String: String]) throws -> ChildProcess.Outcome {
        let given = ProcessInfo.processInfo.environment["MLFLOW_BACKUP_BINARY"] ?? ""
        try #require(!given.isEmpty, "MLFLOW_BACKUP_BINARY is not set: run scripts/test")
        return try ChildProcess(FilePath(given), arguments, environment: environment).run()
    }

    /// A backup and a forced restore.
    private func expectRoundTrip(_ environment: [String: String]) throws {
        let rows = try live.rows()
        let backup = try run(["backup"], environment)
        try #require(backup.succeeded, "\(backup.errors)")
        let name = try #require(try live.names().first)
        try live.session().execute("delete from metrics")
        let restore = try run(["restore", "--force", "--no-backup", name], environment)
        try #require(restore.succeeded, "\(restore.errors)")
        #expect(try live.rows() == rows)
    }

    /// `pg_dump` and `pg_restore` that write down what they are given, and by whom the server knows them.
    private func recordingPrograms() throws -> (folder: FilePath, record: FilePath) {
        let (folder, record) = (live.root.path.appending("programs"), live.root.path.appending("record"))
        try Directory.make(folder)
        for tool in ["pg_dump", "pg_restore"] {
            try TemporaryFolder.write(
                program: folder.appending(tool),
                """
                #!/bin/sh
                { tr '\\0' '\\n' < /proc/$$/cmdline; env; } >> '\(record)'
                exec '\(live.server.binDirectory)/\(tool)' "$@"

                """)
        }
        return (folder, record)
    }

    @Test("PGSSLMODE and PGSSLROOTCERT", arguments: ["require", "verify-full"])
    func encrypted(_ mode: String) throws {
        let (programs, record) = try recordingPrograms()
        try expectRoundTrip(
            live.environment([
                "PGSSLMODE": mode, "PGSSLROOTCERT": authority.string, "PG_BIN_DIR": programs.string,
            ]))
        let seen = String(decoding: try OpenFile(record, .read).readAll(), as: UTF8.self)
        #expect(seen.contains("PGSSLMODE=\(mode)") && seen.contains("PGSSLROOTCERT=\(authority)"))
        #expect(seen.contains("--host=") && !seen.contains(TemporaryPostgres.userPassword))
        // Each session and each program had to be encrypted.
        let plain = try run(["doctor"], live.environment(["PGSSLMODE": "disable"]))
        let said = plain.output + plain.errors
        #expect(!plain.succeeded && said.contains("pg_hba.conf"), "\(said)")
    }

    @Test("a certificate that nobody vouches for, or of another host, is refused with what to look at")
    func notTrusted() throws {
        let other = try TemporaryPostgres.makeAuthority(in: live.root.path, named: "another")
        let cases = [
            ["PGSSLROOTCERT": other.string], ["PGSSLROOTCERT": "/nowhere/root.crt"],
            ["PGSSLROOTCERT": authority.string, "POSTGRES_HOST": "localhost"],
        ]
        for given in cases {
            let environment = live.environment(["PGSSLMODE": "verify-full"].merging(given) { $1 })
            for command in ["doctor", "backup"] {
                let outcome = try run([command], environment)
                let said = outcome.output + outcome.errors
                #expect(!outcome.succeeded && said.contains("PGSSLROOTCERT") && said.contains("certificate"), "\(said)")
            }
        }
        #expect(try live.names().isEmpty)
    }

    @Test("the folder of a Unix socket as POSTGRES_HOST")
    func socket() throws {
        try expectRoundTrip(live.environment(["POSTGRES_HOST": live.server.folder.string]))
    }

    private func service(_ password: String) throws -> FilePath {
        let file = live.root.path.appending("service")
        let text = """
            [tracking]
            host=127.0.0.1
            port=\(live.database.port)
            dbname=\(live.database.database)
            user=\(live.database.user)
            password=\(password)
            sslmode=verify-full
            sslrootcert=\(authority)

            """
        try DurableFile.replace(file, with: Array(text.utf8), mode: 0o600)
        return file
    }

    private var withoutServer: [String: String] {
        live.environment().filter {
            !["POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER"].contains($0.key)
        }
    }

    @Test("PGSERVICE, with its password, or with ours, which counts more", arguments: [true, false])
    func service(isPasswordOurs: Bool) throws {
        let file = try service(isPasswordOurs ? "wrong" : TemporaryPostgres.userPassword)
        var environment = withoutServer
        environment["PGSERVICE"] = "tracking"
        environment["PGSERVICEFILE"] = file.string
        let (programs, record) = try recordingPrograms()
        environment["PG_BIN_DIR"] = programs.string
        if !isPasswordOurs { environment["POSTGRES_PASSWORD"] = nil }
        try expectRoundTrip(environment)
        let seen = String(decoding: try OpenFile(record, .read).readAll(), as: UTF8.self)
        #expect(seen.contains("PGSSLMODE=verify-full") && !seen.contains(TemporaryPostgres.userPassword))
        #expect(!seen.contains("PGSERVICE"))
    }

    @Test("a service that stands nowhere is named")
    func noService() throws {
        var environment = withoutServer
        environment["PGSERVICE"] = "elsewhere"
        environment["PGSERVICEFILE"] = try service("x").string
        let outcome = try run(["doctor"], environment)
        let said = outcome.output + outcome.errors
        #expect(!outcome.succeeded && said.contains("PGSERVICE=elsewhere"), "\(said)")
    }
}
