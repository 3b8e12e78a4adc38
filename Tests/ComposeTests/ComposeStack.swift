// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// The stack of docker-compose.yml on the engine that `scripts/test` has started, with images built from this checkout.
struct ComposeStack: Sendable {
    static let checkout = ProcessInfo.processInfo.environment["MLFLOW_COMPOSE_CHECKOUT"]
    /// The images are made while other tests run. The file says `made` or `failed`, and its log lies beside it.
    private static let images = ProcessInfo.processInfo.environment["MLFLOW_COMPOSE_IMAGES"].map { FilePath($0) }
    private static let imagesWaitSeconds = 2400

    init() throws {
        guard let images = Self.images else { return }
        let start = MonotonicTime.nanoseconds()
        while try FileStatus.ifPresent(images) == nil,
            MonotonicTime.seconds(since: start) < Double(Self.imagesWaitSeconds)
        {
            Thread.sleep(forTimeInterval: 1)
        }
        let isMade = try FileStatus.ifPresent(images) != nil && Shell.sh("cat '\(images)'").hasPrefix("made")
        let log = try Shell.sh("tail -n 20 '\(images).log'")
        try #require(isMade, "no images: \(log)")
    }

    struct Answer {
        let exit: Int32
        let text: String
    }

    /// Runs a line of bash in the checkout. - Returns: exit status, and both outputs in one.
    func bash(_ line: String, timeout: Int = 900, _ environment: [String: String] = [:]) throws -> Answer {
        var whole = ProcessInfo.processInfo.environment.filter {
            ["PATH", "HOME", "DOCKER_HOST", "LC_ALL"].contains($0.key)
        }
        whole.merge(environment) { $1 }
        let folder = try #require(Self.checkout)
        let outcome = try ChildProcess(
            "/usr/bin/timeout",
            ["-k", "10", "\(timeout)", "/bin/bash", "-c", "cd \(folder) && { \(line)\n} 2>&1 </dev/null"],
            environment: whole
        ).run()
        guard case .code(let code) = outcome.exit else { return Answer(exit: -1, text: outcome.output) }
        return Answer(exit: code, text: outcome.output + outcome.errors)
    }

    /// Expects exit status 0.
    @discardableResult
    func run(_ line: String, _ environment: [String: String] = [:]) throws -> String {
        let answer = try bash(line, environment)
        try #require(answer.exit == 0, "\(line)\nexit \(answer.exit): \(answer.text)")
        return answer.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func up(_ environment: [String: String] = [:]) throws {
        try run("docker-compose up -d", environment)
        try waitUntilHealthy()
    }

    /// Each container is asked what its own health check asks, and at once: the engine's turn comes every thirty seconds.
    func waitUntilHealthy() throws {
        for (name, question) in [
            ("mlflow-postgres", "sh -c 'pg_isready -q -h 127.0.0.1 -U $POSTGRES_USER -d $POSTGRES_DB'"),
            ("mlflow-server", "curl -fsS http://localhost:3111/health"),
            ("mlflow-backup-service", "/app/bin/healthcheck"),
        ] {
            let line = name == "mlflow-server" ? question : "docker exec \(name) \(question)"
            try wait("\(name) is healthy") { try bash(line).exit == 0 }
        }
    }

    /// As `docker ps` shows it.
    func waitUntilTheEngineSaysHealthy() throws {
        for name in ["mlflow-postgres", "mlflow-server", "mlflow-backup-service"] {
            try wait("\(name) is healthy") {
                try bash("docker inspect -f '{{.State.Health.Status}}' \(name)").text == "healthy\n"
            }
        }
    }

    func wait(_ what: String, seconds: Int = 240, until isSo: () throws -> Bool) throws {
        let start = MonotonicTime.nanoseconds()
        while MonotonicTime.seconds(since: start) < Double(seconds) {
            if try isSo() { return }
            Thread.sleep(forTimeInterval: 0.3)
        }
        let state = try bash(
            "docker ps -a; docker logs --tail 30 mlflow-backup-service; docker logs --tail 10 mlflow-server")
        throw NeverHappened(what: what, state: state.text)
    }

    func log(runs: Int, mebibytes: Int) throws {
        try run("docker exec -i mlflow-server python3 - log \(runs) \(mebibytes) <\(Self.script)")
    }

    func digest() throws -> String {
        try run("docker exec -i mlflow-server python3 - digest <\(Self.script)")
    }

    func backupNames() throws -> [String] {
        try run("curl -fsS http://localhost:3112/backups | jq -r '.[] | select(.status == \"completed\") | .name'")
            .split(separator: "\n").map(String.init)
    }

    private static let script = FilePath(String(#filePath)).parent.appending("data.py").string
}

struct NeverHappened: Error, CustomStringConvertible {
    let what: String
    let state: String
    var description: String { "never: \(what)\n\(state)" }
}
