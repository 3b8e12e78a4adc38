// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPServer
import SystemIO
import TestSupport
import Testing

@testable import API

@Suite("The description of the API", .serialized, .besideThePool)
struct OpenAPITests {
    /// A program of the tests' Python.
    private func tool(_ name: String) throws -> FilePath { try TestPython().path.parent.appending(name) }

    @Test("it has every call, and no other")
    func calls() throws {
        let live = try ServiceFixture("openapi_calls")
        let routes = StackAPI.routes(of: live.service).map { "\($0.method) \($0.pattern)" }
        // The description itself, the page that is drawn from it, and the list of errors.
        let pages: Set<String> = ["GET /", "GET /openapi.json", "GET /docs", "GET /docs/errors", "GET /docs/{asset}"]
        #expect(try OpenAPIDescription().calls == Set(routes).subtracting(pages))
        #expect(pages.isSubset(of: routes))
    }

    @Test("it is valid by openapi-spec-validator")
    func valid() throws {
        let folder = try TemporaryFolder("openapi")
        let file = try folder.write("openapi.json", Documents.description(of: "0.2.0"))
        let outcome = try ChildProcess(
            tool("openapi-spec-validator"), [file.string], environment: ["PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"]
        ).run()
        #expect(outcome.exit == .code(0), "\(outcome.output)\(outcome.errors)")
    }

    @Test("what is wrong with an answer is found: a test that cannot fail would prove nothing")
    func teeth() throws {
        let description = try OpenAPIDescription()
        func faults(_ path: String, _ status: Int, _ body: String, _ type: String = "application/json") throws
            -> [String]?
        {
            try description.faults(of: "GET", path, status: status, body: Array(body.utf8), contentType: type)
        }
        #expect(try faults("/none", 200, "{}") == nil)
        #expect(try faults("/health", 418, "{}")?.count == 1)
        #expect(try faults("/health", 200, #"{"status": "healthy"}"#) == [])
        #expect(try faults("/health", 200, #"{"status": "fine"}"#)?.count == 1)
        #expect(try faults("/health", 200, #"{"status": "healthy", "secret": 1}"#)?.count == 1)
        #expect(try faults("/health", 200, #"{"status": "healthy"}"#, "text/html")?.count == 1)
        #expect(try faults("/tasks", 200, #"[{"task_id": 7}]"#)?.isEmpty == false)
        #expect(try faults("/stats", 200, #"{"backup_count": true}"#)?.isEmpty == false)
    }

    @Test("schemathesis, with all its checks, finds no answer that is not described", arguments: ["", "a-token"])
    func schemathesis(token: String) throws {
        let scripts = try TemporaryFolder("openapi_scripts")
        for name in ["backup_mlflow.sh", "restore_mlflow_backup.sh"] { try scripts.write(name, [], mode: 0o755) }
        let live = try ServiceFixture(
            "openapi_fuzz_\(token.count)", settings: ["API_TOKEN": token, "BACKUP_SCRIPTS_DIR": scripts.path.string])
        let api = StackAPI(live.service)
        let server = try HTTPServer(
            configuration: ServerConfiguration(address: "127.0.0.1", port: 0), onEvent: { _ in },
            onRejected: { StackAPI.answer($0, $1) }, handler: { api.answer($0) })
        defer { server.stop(graceSeconds: 1) }
        let folder = try TemporaryFolder("schemathesis")
        var arguments = [
            "--config-file", "\(FilePath(String(#filePath)).parent.appending("schemathesis.toml"))", "run",
            "http://127.0.0.1:\(server.port)/openapi.json", "--checks", "all", "--max-examples", "15", "--seed",
            "12",
            "--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all", "--no-color",
            "--max-response-time", "20", "--request-timeout", "60",
        ]
        if !token.isEmpty { arguments += ["--header", "Authorization: Bearer \(token)"] }
        let outcome = try ChildProcess(
            tool("schemathesis"), arguments,
            environment: ["PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", "HOME": folder.path.string]
        ).run()
        #expect(outcome.exit == .code(0), "\(outcome.output)\(outcome.errors)")
        let closing = outcome.output.split(separator: "\n").suffix(4).joined(separator: "\n")
        print("schemathesis\(token.isEmpty ? "" : " with a token"): \(closing)")
    }
}
