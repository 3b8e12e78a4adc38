// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import Service
import Testing

@testable import API

@Suite("DNS rebinding: names by which a page of another site could reach this service")
struct HostNameTests {
    private let gate = RequestGate(
        token: nil, allowedHosts: ["Backup.example.org", "mlflow-backup", "lab-backup-service"], ownName: "Box7")

    private func isAdmitted(_ host: String) throws -> Bool {
        let target = try #require(RequestTarget("/tasks"))
        do {
            try gate.admit(HTTPRequest(method: "GET", target: target, headers: ["Host": host]))
            return true
        } catch RequestError.unknownHost {
            return false
        }
    }

    @Test(
        "this machine's, addresses, and what ALLOWED_HOSTS names are taken, with and without a port",
        arguments: [
            "localhost", "LOCALHOST", "localhost.", "app.localhost", "127.0.0.1", "127.0.0.1.", "192.168.1.20", "127.1",
            "2130706433", "[::1]", "[fe80::1]", "box7", "backup.example.org", "BACKUP.example.org.", "mlflow-backup",
            "lab-backup-service",
        ])
    func taken(host: String) throws {
        #expect(try isAdmitted(host) && isAdmitted("\(host):3112"))
    }

    @Test(
        "any other is not, also without a dot, and nothing that only looks like one of them",
        arguments: [
            "wifi", "foo", "mlflow", "evil.example", "localhost.evil.example", "foo:evil.com", "localhost:1@evil.com",
            "localhost:evil.com", "[evil.com]", "[::1]evil.com", "[::1", "[]", "[::1%25eth0]", "evil.\u{301}com",
            "localhost\u{301}", "\u{212A}", "localhost, evil.com", "localhost evil.com", "localhost/evil",
            "127.0.0.1.evil.com",
            "127.0.0.1@evil.com", "box7.evil.com", "box77", ":80", ".", "..localhost@x", "lo\u{131}calhost",
            "user@localhost",
        ])
    func refused(host: String) throws {
        #expect(try !isAdmitted(host), "\(host)")
    }

    @Test("the service knows its own name")
    func own() throws {
        let live = try ServiceFixture("host_own")
        let name = HostName.current()
        #expect(try live.send("GET", "/tasks", headers: ["Host": "\(name):8080"]).status == 200)
        let refused = try live.send("GET", "/tasks", headers: ["Host": "wifi:\(String(repeating: "x", count: 5000))"])
        #expect(refused.status == 421 && refused.body.count < 1000)
        #expect(refused.text.contains("ALLOWED_HOSTS") && refused.text.contains("PUBLIC_HOSTS"))
    }
}
