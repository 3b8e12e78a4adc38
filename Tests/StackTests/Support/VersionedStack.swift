// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

/// A server of one version of MLflow with PostgreSQL, artifacts and backups of its own, and our program on them.
final class VersionedStack {
    let release: MLflowRelease
    let server: TemporaryPostgres
    let database: ConnectionSettings
    let root: TemporaryFolder
    private var port: Int
    private var process: Process?

    var url: String { "http://127.0.0.1:\(port)" }
    var artifacts: FilePath { root.path.appending("artifacts") }
    var backups: FilePath { root.path.appending("backups") }

    init(_ release: MLflowRelease, on server: TemporaryPostgres, _ name: String = "versions") throws {
        self.release = release
        self.server = server
        database = try server.freshDatabase(name)
        root = try TemporaryFolder("\(name)-\(release.name)")
        port = try FreePort.next()
        try Directory.make(artifacts)
        let password = database.password.revealed.flatMap { $0 == "\\" || $0 == ":" ? ["\\", $0] : [$0] }
        try DurableFile.replace(passwordFile, with: Array("*:*:*:*:\(String(password))\n".utf8), mode: 0o600)
        try start()
    }

    deinit { stop() }

    private var passwordFile: FilePath { root.path.appending("pgpass") }

    /// As `scripts/up` writes it: no password in it. The driver is the environment's.
    var uri: String {
        "postgresql+\(release.isOld ? "psycopg2" : "psycopg")://\(database.user)@127.0.0.1:\(database.port)/\(database.database)?passfile=\(passwordFile)"
    }

    /// Another process may take the free port before the server does: then another one is tried.
    func start() throws {
        for attempt in 1... {
            do { return try startOnce() } catch let ended as ServerEnded {
                guard attempt < 3, ended.log.contains("address already in use") || ended.log.contains("in use:") else {
                    throw ended
                }
                port = try FreePort.next()
            }
        }
    }

    private func startOnce() throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: release.python.string)
        server.arguments = [
            "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", "\(port)", "--workers", "1",
            "--artifacts-destination", artifacts.string, "--serve-artifacts",
        ]
        server.environment = Self.quiet.merging([
            "PATH": "\(release.python.parent):/usr/bin:/bin", "HOME": root.path.string, "MLFLOW_BACKEND_STORE_URI": uri,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        ]) { $1 }
        let log = root.path.appending("mlflow.log")
        try DurableFile.replace(log, with: [])
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log.string))
        server.standardOutput = output
        server.standardError = output
        try server.run()
        process = server
        try Patience.wait("MLflow \(release.name) to answer", atMost: 240) {
            guard server.isRunning else {
                throw ServerEnded(log: try Shell.run("/usr/bin/tail", ["-n", "20", log.string]))
            }
            return (try? Shell.run("/usr/bin/curl", ["-sf", "-m", "2", "\(url)/health"])) != nil
        }
    }

    /// Its workers are of its process group, which is its own.
    func stop() {
        guard let server = process else { return }
        process = nil
        let pid = server.processIdentifier
        if getpgid(pid) == pid { kill(-pid, SIGKILL) } else { kill(pid, SIGKILL) }
        server.waitUntilExit()
    }

    /// What `version_data.py` does or reads, by the client of this version or of another.
    @discardableResult
    func client(_ action: String, of other: MLflowRelease? = nil, at url: String? = nil) throws -> String {
        let script = FilePath(String(#filePath)).parent.parent.appending("version_data.py")
        return try Shell.run(
            (other ?? release).python, [script.string, action, url ?? self.url],
            environment: Self.quiet.merging(["HOME": root.path.string]) { $1 })
    }

    /// Our program with the settings of this stack.
    func command(
        _ arguments: [String], _ settings: [String: String] = [:], cancellation: Cancellation? = nil
    ) throws -> ChildProcess.Outcome {
        let binary = try #require(TestStack.environment["MLFLOW_BACKUP_BINARY"], "run scripts/test")
        let own = [
            "BACKUP_DIR": backups.string, "ARTIFACTS_DIR": artifacts.string, "POSTGRES_HOST": database.host,
            "POSTGRES_PORT": "\(database.port)", "POSTGRES_DB": database.database, "POSTGRES_USER": database.user,
            "POSTGRES_PASSWORD": database.password.revealed, "PG_BIN_DIR": server.binDirectory.string,
            "MLFLOW_URL": url, "LOG_SYSLOG": "false", "BACKUP_LANG": "en",
        ]
        let environment = TestStack.environment.merging(own) { $1 }.merging(settings) { $1 }
        return try ChildProcess(FilePath(binary), arguments, environment: environment).run(cancellation: cancellation)
    }

    /// - Returns: the file of the backup that was made.
    func backup() throws -> FilePath {
        let outcome = try command(["backup"])
        try #require(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        let names = try Directory.names(in: backups).map { String(decoding: $0, as: UTF8.self) }
        return backups.appending(try #require(names.filter { $0.hasSuffix(".tar.gz") }.max()))
    }

    func revision() throws -> String {
        let session = try Connection(database)
        defer { session.close() }
        return try #require(try session.rows("select version_num from alembic_version").first).string("version_num")
    }

    private static let quiet = [
        "LC_ALL": "C.UTF-8", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet",
        "NO_PROXY": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1",
    ]

    struct ServerEnded: Error, CustomStringConvertible {
        let log: String
        var description: String { "MLflow ended: \(log)" }
    }
}

/// The first lines in which two readings differ; empty where they are equal.
func differences(_ first: String, _ second: String) -> [String] {
    let (ours, theirs) = (first.split(separator: "\n"), second.split(separator: "\n"))
    let changed = zip(ours, theirs).filter { $0 != $1 }.prefix(3).map { "- \($0)\n+ \($1)" }
    return changed + (ours.count == theirs.count ? [] : ["\(ours.count) lines, then \(theirs.count)"])
}
