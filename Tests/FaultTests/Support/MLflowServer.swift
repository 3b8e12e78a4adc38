// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

/// A real MLflow server that passes artifacts through, with a database and a folder of its own.
final class MLflowServer {
    let ground: Ground
    let url: String
    let root: TemporaryFolder
    private let process: Process

    init(_ name: String) throws {
        let python = try Self.python()
        let server = try TemporaryPostgres.shared
        root = try TemporaryFolder(name)
        let port = try FreePort.next()
        url = "http://127.0.0.1:\(port)"
        ground = Ground(server, try server.freshDatabase(name), in: root.path, mlflow: url)
        try Directory.make(ground.artifacts)
        let database = ground.database
        let password =
            database.password.revealed.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        process = Process()
        process.executableURL = URL(fileURLWithPath: python.string)
        process.arguments = [
            "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", "\(port)", "--workers", "2",
            "--artifacts-destination", ground.artifacts.string, "--serve-artifacts",
        ]
        process.environment = [
            "PATH": "\(python.parent):/usr/bin:/bin", "HOME": root.path.string, "LC_ALL": "C.UTF-8",
            "MLFLOW_BACKEND_STORE_URI":
                "postgresql://\(database.user):\(password)@127.0.0.1:\(database.port)/\(database.database)",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
            "GIT_PYTHON_REFRESH": "quiet", "NO_PROXY": "127.0.0.1",
        ]
        let log = root.path.appending("mlflow.log")
        try DurableFile.replace(log, with: [])
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log.string))
        process.standardOutput = output
        process.standardError = output
        try process.run()
        do {
            try Patience.wait("MLflow to answer", atMost: 240) {
                guard process.isRunning else {
                    throw CaseFailed("MLflow ended: \(try Shell.run("/usr/bin/tail", [log.string]))")
                }
                return (try? Shell.run("/usr/bin/curl", ["-sf", "-m", "2", "\(url)/health"])) != nil
            }
        } catch {
            stop()
            throw error
        }
    }

    deinit { stop() }

    /// Its workers are of its process group, which is its own.
    func stop() {
        guard process.isRunning else { return }
        let pid = process.processIdentifier
        if getpgid(pid) == pid { kill(-pid, SIGKILL) } else { kill(pid, SIGKILL) }
        process.waitUntilExit()
    }

    /// Experiments 1 to 3, which the clients log into.
    func makeExperiments() throws {
        for name in ["first", "second", "third"] {
            try Shell.run(
                "/usr/bin/curl",
                [
                    "-sSf", "-m", "20", "-H", "Content-Type: application/json", "-d", "{\"name\": \"\(name)\"}",
                    "\(url)/api/2.0/mlflow/experiments/create",
                ])
        }
    }

    static func python() throws -> FilePath {
        let variable = ProcessInfo.processInfo.environment["MLFLOW_TEST_PYTHON"] ?? ""
        try #require(!variable.isEmpty, "MLFLOW_TEST_PYTHON is not set: run scripts/test")
        return FilePath(variable)
    }
}
