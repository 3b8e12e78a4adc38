// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

/// What keeps MLflow's database.
enum StoreKind: CaseIterable { case postgres, sqlite }

/// A whole stack of its own, made by `scripts/up`: MLflow, the service, and PostgreSQL where it is on that, on free ports.
final class TestStack: Sendable {
    let store: StoreKind
    let data: FilePath
    let postgresPort: Int
    let mlflowPort: Int
    let backupPort: Int
    private let folder: TemporaryFolder

    static let repository = FilePath(String(#filePath)).parent.parent.parent.parent

    /// - Parameter settings: lines for `user.env`.
    init(_ name: String, on store: StoreKind = .postgres, settings: [String] = []) throws {
        self.store = store
        folder = try TemporaryFolder("stack-\(name)")
        // PostgreSQL runs as its own user and must pass through.
        chmod(folder.path.string, 0o755)
        data = folder.path.appending("data")
        try Directory.make(data)
        try folder.write("data/user.env", (["LOG_SYSLOG=false"] + settings).joined(separator: "\n") + "\n")
        (postgresPort, mlflowPort, backupPort) = (try FreePort.next(), try FreePort.next(), try FreePort.next())
        try up()
    }

    deinit {
        do { try scriptsUp(["--stop"]) } catch { Issue.record(error, "a test stack did not stop") }
    }

    func up() throws {
        let kind = store == .sqlite ? ["--sqlite"] : ["--postgres-port", "\(postgresPort)"]
        try scriptsUp(kind + ["--mlflow-port", "\(mlflowPort)", "--backup-port", "\(backupPort)"])
    }

    @discardableResult
    func scriptsUp(_ arguments: [String]) throws -> String {
        // Without it scripts/up would build, and wait for ever for the build lock that `swift test` holds.
        try #require(
            Self.environment["MLFLOW_BACKUP_BINARY"] != nil, "MLFLOW_BACKUP_BINARY is not set: run scripts/test")
        return try Shell.run(
            Self.repository.appending("scripts/up"), ["--data", data.string] + arguments, environment: Self.environment)
    }

    var mlflowURL: String { "http://127.0.0.1:\(mlflowPort)" }
    var backupURL: String { "http://127.0.0.1:\(backupPort)" }
    var artifacts: FilePath { data.appending("artifacts") }
    /// Of SQLite.
    var database: FilePath { data.appending("database").appending("mlflow.db") }
    var backups: FilePath { data.appending("backups") }

    /// The program of this stack, as `scripts/up` leaves it in the data folder.
    func command(_ arguments: [String], environment: [String: String] = [:]) throws -> ChildProcess.Outcome {
        var whole = Self.environment
        whole.merge(environment) { _, new in new }
        return try ChildProcess(data.appending("mlflow-backup"), arguments, environment: whole).run()
    }

    /// What `scripts/test` has made ready, and nothing else of the caller's environment.
    static var environment: [String: String] {
        let inherited = ProcessInfo.processInfo.environment
        // One worker of MLflow's is 4 s of the processor at each start, and there are many stacks.
        var kept: [String: String] = ["LC_ALL": "C.UTF-8", "MLFLOW_WORKERS": "1"]
        for name in ["PATH", "HOME", "MLFLOW_BACKUP_BINARY", "MLFLOW_ENV_DIR", "SSL_CERT_FILE", "PIP_CERT"] {
            kept[name] = inherited[name]
        }
        return kept
    }

    static func python() throws -> FilePath {
        let variable = ProcessInfo.processInfo.environment["MLFLOW_TEST_PYTHON"] ?? ""
        try #require(!variable.isEmpty, "MLFLOW_TEST_PYTHON is not set: run scripts/test")
        return FilePath(variable)
    }
}
