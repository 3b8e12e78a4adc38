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

    @Test("it has every status that the server itself gives, of each call, and of a condition where there is an ETag")
    func statuses() throws {
        let live = try ServiceFixture("openapi_statuses")
        let description = try OpenAPIDescription()
        let request = HTTPRequest(method: "GET", target: try #require(RequestTarget("/")))
        for call in description.calls {
            let parts = call.split(separator: " ").map(String.init)
            for rejection in HTTPRejection.samples {
                let answer = StackAPI.answer(rejection, request)
                guard case .bytes(let bytes) = answer.body else { continue }
                let faults = try description.faults(
                    of: parts[0], parts[1], status: answer.status, body: bytes,
                    contentType: answer.headers["Content-Type"])
                #expect(faults == [], "\(call): \(rejection)")
            }
            // Each answer is held against the description.
            let path = parts[1].replacingOccurrences(of: "{name}", with: "x").replacingOccurrences(
                of: "{id}", with: "x")
            for field in ["If-Match", "If-None-Match"] {
                for value in ["\"x\"", "*"] { _ = try live.send(parts[0], path, headers: [field: value]) }
            }
        }
    }

    @Test("it has what whoever breaks the rules of HTTP is answered, by us or by the library")
    func broken() throws {
        let live = try ServiceFixture("openapi_broken")
        let api = StackAPI(live.service)
        let server = try HTTPServer(
            onHead: { api.refusal($0) }, onRejected: { StackAPI.answer($0, $1) }, handler: { api.answer($0) })
        defer { server.stop(graceSeconds: 1) }
        let folder = try TemporaryFolder("openapi_broken")
        let script = try folder.write("raw.py", Array(Self.rawRequests.utf8))
        let outcome = try ChildProcess(
            TestPython().path, [script.string, "\(server.port)"], environment: ["PATH": "/usr/bin:/bin"]
        ).run()
        let description = try OpenAPIDescription()
        var statuses: Set<Int> = []
        for line in outcome.output.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 3).map(String.init)
            let status = try #require(parts.count == 4 ? Int(parts[1]) : nil, "\(line)")
            statuses.insert(status)
            let faults = try description.faults(
                of: parts[0], "/restore", status: status, body: Array(parts[3].utf8), contentType: parts[2])
            #expect(faults == [], "\(line)")
        }
        #expect(statuses == [400, 411, 413, 414, 421, 431, 501, 505], "\(outcome)")
    }

    /// Tells of each answer the status, the type (the library says none of its HTML) and the content.
    private static let rawRequests = """
        import socket, sys
        host = b"Host: localhost\\r\\n"
        long = b"a" * 60000
        for request in [
            b"POST /restore HTTP/2.0\\r\\n" + host + b"\\r\\n", b"POST /restore HTTP/1.1\\r\\n\\r\\n",
            b"POST /restore HTTP/1.1\\r\\n" + host + b"Content-Length: +5\\r\\n\\r\\nhello",
            b"POST /restore HTTP/1.1\\r\\n" + host + b"Content-Length: 18446744073709551616\\r\\n\\r\\n",
            b"POST /restore HTTP/1.1\\r\\n" + host + b"Content-Length: 65537\\r\\n\\r\\n",
            b"POST /restore HTTP/1.1\\r\\n" + host + b"Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n",
            b"POST /restore HTTP/1.1\\r\\n" + host + b"Transfer-Encoding: gzip\\r\\n\\r\\n",
            b"POST /restore HTTP/1.1\\r\\n" + host + b"X: " + b"a" * 14500 + b"\\r\\n\\r\\n",
            b"POST /restore?" + long + b" HTTP/1.1\\r\\n" + host + b"\\r\\n",
            b"POST /restore HTTP/1.1\\r\\n" + host + b"X: " + long + b"\\r\\n\\r\\n",
            b"POST /restore HTTP/1.1\\r\\nHost: wifi\\r\\nConnection: close\\r\\n\\r\\n",
        ]:
            client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            client.settimeout(20)
            answer = b""
            try:
                client.sendall(request)
                while piece := client.recv(65536): answer += piece
            except ConnectionError: pass
            head, _, body = answer.decode().partition("\\r\\n\\r\\n")
            kind = [line.split(":", 1)[1].strip() for line in head.split("\\r\\n") if line.lower().startswith("content-type:")]
            print("POST", head[9:12], (kind or ["text/html"])[0], body.replace("\\n", " ").replace("\\r", " "), sep="\\t")
        """

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
            onHead: { api.refusal($0) }, onRejected: { StackAPI.answer($0, $1) }, handler: { api.answer($0) })
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

extension HTTPRejection {
    /// One of each case: the compiler sees to it that none is missing.
    fileprivate static var samples: [HTTPRejection] {
        let all: [HTTPRejection] = [
            .bodyTooLarge(limit: 1), .malformed(.lines), .methodTooLong, .misdirected(authority: "a"),
            .lengthRequired, .headTooLarge, .tooManyFiles, .tooMuchContent, .unsupportedTransferCoding,
            .versionNotSupported,
        ]
        for rejection in all {
            switch rejection {
            case .bodyTooLarge, .malformed, .methodTooLong, .misdirected, .lengthRequired, .headTooLarge,
                .tooManyFiles, .tooMuchContent, .unsupportedTransferCoding, .versionNotSupported:
                continue
            }
        }
        return all
    }
}
