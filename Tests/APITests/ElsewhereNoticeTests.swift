// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Glibc
import Postgres
import Service
import SystemIO
import TestSupport
import Testing

@Suite("What is elsewhere is told before a backup, too", .besideThePool)
struct ElsewhereNoticeTests {
    @Test("C40: by doctor and --dry-run, as what makes a backup partial, and by /health before there is one")
    func toldEverywhere() throws {
        let live = try ServiceFixture("elsewhere_told")
        let before = try live.send("GET", "/health").object()
        let connection = try Connection(live.database)
        try connection.execute("alter table experiments add artifact_location text default 's3://u:hush@bucket/ml/0'")
        for arguments in [["doctor"], ["backup", "--dry-run"]] {
            let outcome = try live.command(arguments)
            #expect(outcome.exit == .code(9), "\(outcome.errors)")
            #expect(
                (outcome.output + outcome.errors).contains("s3://bucket/ml (1 experiment)"),
                "\(arguments) \(outcome.output)")
            #expect(!(outcome.output + outcome.errors).contains("hush"))
        }
        let health = try live.send("GET", "/health").object()
        #expect((health["notices"] as? [String])?.contains { $0.contains("s3://bucket/ml (1 experiment)") } == true)
        #expect((before["notices"] as? [String])?.isEmpty == true)
        #expect(health["checks"] as? [String: Bool] == before["checks"] as? [String: Bool])
        #expect(health["findings"] as? [String] == before["findings"] as? [String])
        let record = try live.task(live.send("POST", "/backups").string("task_id"))
        #expect(record["status"] as? String == "completed" && record["warnings"] as? Int == 1, "\(record)")
    }

    /// Of the specification of Fernet.
    private static let token =
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
    private static let key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="

    @Test("C41: doctor fails of a key that does not open what needs it, and not of the right one; /health tries none")
    func keys() throws {
        let name = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
        let wrong = "3i3kGMHTWDEnL6Jl4MW1Oc1aGQjTCqHqvbd4Gk1GG1E="
        let live = try ServiceFixture("elsewhere_keys", settings: [name: wrong])
        let connection = try Connection(live.database)
        try connection.execute("create table webhooks (secret text)")
        try connection.execute("insert into webhooks values (\(Self.token))")
        let doctor = try live.command(["doctor"])
        #expect(doctor.exit == .code(1), "\(doctor.output)\(doctor.errors)")
        #expect(
            doctor.output.contains("keys \(name) (1 row needs it; the one at hand does not open them): not in backups"))
        #expect(doctor.output.contains("The \(name) at hand does not open 1 webhook secret"))
        #expect(!doctor.output.contains("All is well"))
        let json = try live.command(["doctor", "--json"])
        #expect(json.exit == .code(1) && json.output.contains("\"at_fault\" : true"), "\(json.output)")
        let health = try live.send("GET", "/health").object()
        let notices = try #require(health["notices"] as? [String])
        #expect(notices.contains { $0.contains(name) } && !notices.contains { $0.contains("at hand") }, "\(notices)")
        let made = try live.command(["backup"])
        #expect(made.exit == .code(0) && (made.output + made.errors).contains("does not open 1 webhook secret"))
        for text in [doctor, json, made] { #expect(!(text.output + text.errors).contains(wrong.prefix(20))) }

        let file = try live.root.write("key", Array("\(Self.key)\n".utf8))
        let right = try live.command(["doctor", "--mlflow-webhook-secret-encryption-key-file", file.string])
        #expect(right.exit == .code(0), "\(right.output)\(right.errors)")
        #expect(
            right.output.contains("All is well")
                && right.output.contains("(1 row needs it; the one at hand opens them)"))
    }

    @Test("C42: a server that answers 401 to /version asks for a login; one that does not answer, or answers, does not")
    func login() throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let script = """
            import http.server
            class H(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(401 if self.path == "/auth/version" else 200)
                    self.end_headers()
                    self.wfile.write(b"3.17.2")
                def log_message(self, *a): pass
            s = http.server.HTTPServer(("127.0.0.1", 0), H)
            print(s.server_port, flush=True)
            s.serve_forever()
            """
        server.arguments = ["-c", script]
        let output = Pipe()
        server.standardOutput = output
        server.standardError = FileHandle.nullDevice
        try server.run()
        // The tests' process may have SIGTERM blocked, and with it its children.
        defer {
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
        }
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).filter(\.isNumber)
        for (path, isLogin) in [("/auth", true), ("", false)] {
            let live = try ServiceFixture("login", settings: ["MLFLOW_URL": "http://127.0.0.1:\(port)\(path)"])
            let stack = live.service.operations.stack
            #expect(stack.asksForLogin() == isLogin)
            let told = try live.command(["doctor"]).output.contains("users and permissions are in another database")
            #expect(told == isLogin)
        }
    }
}
