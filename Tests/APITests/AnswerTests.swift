// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing
import Wording

@testable import API
@testable import HTTPServer
@testable import Service

@Suite("What is said of many requests, and to who has the answer already", .besideThePool)
struct AnswerTests {
    private func exchange(
        _ method: String, _ target: String, _ status: Int, from address: String = "192.0.2.1"
    ) -> HTTPServerEvent {
        .finished(
            HTTPExchangeRecord(
                method: method, target: target, status: status, remoteAddress: address, seconds: 0, outcome: .completed)
        )
    }

    @Test(
        "S18: ten thousand requests that change nothing are one line with counts; one that changes something is a line")
    func log() throws {
        let folder = try TemporaryFolder("request_log")
        let path = folder.path.appending("log")
        let file = try OpenFile(path, .append(mode: 0o600))
        let log = file.withDescriptor { Log(format: .text, descriptor: $0) }
        let requests = try RequestLog(log, every: 60)
        for number in 0..<10_000 {
            requests.note(exchange("GET", "/tasks/\(String(repeating: "x", count: 2000))", number % 3 == 0 ? 404 : 200))
            requests.note(.refused(remoteAddress: "198.51.100.\(number % 200)"))
            requests.note(.note("\(number) \(String(repeating: "n", count: 500))"))
        }
        requests.note(exchange("POST", "/backups?\(String(repeating: "y", count: 9000))", 202))
        requests.note(exchange("POST", "/backups", 401))
        requests.stop()
        let text = String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2 && text.utf8.count < 2000, "\(text)")
        #expect(text.contains("POST") && text.contains("status=202"), "\(text)")
        for part in ["requests=10001", "200:6666", "404:3334", "401:1", "192.0.2.1:10001", "connections_refused=10000"]
        {
            #expect(text.contains(part), "\(part): \(text)")
        }
    }

    @Test("What a client asks for stands in the log escaped, in so many bytes at most")
    func hostileTargets() throws {
        let folder = try TemporaryFolder("request_log_hostile")
        let path = folder.path.appending("log")
        let file = try OpenFile(path, .append(mode: 0o600))
        for format in [Log.Format.text, .json] {
            let log = file.withDescriptor { Log(format: format, descriptor: $0) }
            let requests = try RequestLog(log, every: 60)
            requests.note(exchange("POST", "/cleanup?x=\u{202e}\u{9b}31m\u{2066}\u{200f}\u{1b}[2J\u{2028}forged", 200))
            requests.note(exchange("POST", "/cleanup?e\(String(repeating: "\u{301}", count: 6000))", 200))
            requests.note(.note("e\(String(repeating: "\u{301}", count: 6000))"))
            requests.stop()
        }
        let lines = String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 6)
        for line in lines {
            #expect(line.utf8.count < 600, "\(line)")
            #expect(!line.unicodeScalars.contains { $0.steersDisplay }, "\(line)")
        }
        #expect(lines[0].contains(#"\u202e\u009b31m"#), "\(lines[0])")
    }

    @Test("A condition that fails is a problem as any other, also for a file")
    func preconditions() throws {
        let live = try ServiceFixture("answer_conditions")
        let name = try live.backup()
        for path in ["/backups", "/backups/\(name)/download"] {
            let answer = try live.send("GET", path, headers: ["If-Match": "\"x\""])
            #expect(answer.status == 412)
            #expect(try answer.string("code") == "precondition-failed", "\(answer.text)")
        }
    }

    @Test("Who has the list of backups already is told so, until it is another one")
    func notModified() throws {
        let live = try ServiceFixture("answer_tag")
        func get(_ tag: String? = nil) throws -> HTTPResponse {
            var headers: HTTPHeaders = ["Host": "localhost"]
            if let tag { headers.add("If-None-Match", tag) }
            return StackAPI(live.service).answer(
                HTTPRequest(method: "GET", target: try #require(RequestTarget("/backups")), headers: headers))
        }
        let first = try get()
        let tag = try #require(first.headers["ETag"])
        #expect(first.status == 200 && first.headers["Cache-Control"] == "private, no-cache")
        #expect(try get(tag).status == 304)
        _ = try live.backup()
        let second = try get(tag)
        #expect(second.status == 200 && second.headers["ETag"] != tag)
        #expect(try get(second.headers["ETag"]).status == 304)
    }

    @Test(
        "Each answer, a refusal and an error too, is closed to other sites' pages",
        arguments: ["/health", "/nothing", "/docs", "/backups"])
    func closed(path: String) throws {
        let live = try ServiceFixture("answer_headers")
        let request = HTTPRequest(
            method: "GET", target: try #require(RequestTarget(path)), headers: ["Host": "localhost"])
        for answer in [
            StackAPI(live.service).answer(request), StackAPI.answer(.malformed(.lines), request),
            StackAPI(live.service).answer(HTTPRequest(method: "GET", target: try #require(RequestTarget(path)))),
        ] {
            #expect(
                answer.headers["X-Content-Type-Options"] == "nosniff" && answer.headers["X-Frame-Options"] == "DENY")
            #expect(answer.headers["Referrer-Policy"] == "no-referrer" && answer.headers["Cache-Control"] != nil)
            #expect(answer.headers["Cross-Origin-Resource-Policy"] == "same-origin")
            #expect(answer.headers["Content-Security-Policy"]?.contains("frame-ancestors 'none'") == true)
        }
    }

    @Test("A refusal of the server's own says one status, in the head and in the problem")
    func statuses() throws {
        for (rejection, status) in [
            (HTTPRejection.methodTooLong, 501), (.unsupportedTransferCoding, 501), (.versionNotSupported, 505),
            (.misdirected(authority: "evil.example"), 421), (.bodyTooLarge(limit: 7), 413),
            (.malformed(.lines), 400), (.lengthRequired, 411), (.tooManyFiles, 503),
        ] {
            let request = HTTPRequest(method: "GET", target: try #require(RequestTarget("/")))
            let answer = StackAPI.answer(rejection, request)
            guard case .bytes(let bytes) = answer.body else {
                Issue.record("no body")
                continue
            }
            let problem = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            #expect(rejection.status == status && problem?["status"] as? Int == status, "\(rejection)")
        }
    }
}
