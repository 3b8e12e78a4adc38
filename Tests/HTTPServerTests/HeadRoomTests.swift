// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing

@testable import HTTPServer

/// libmicrohttpd closes without a word where the head of an answer has no room beside that of its request, when the handler has run.
@Suite("Heads of any size", .onItsOwnThread)
struct HeadRoomTests {
    /// An answer whose head is as long as our longest.
    private func server(_ done: Shared<Int>) throws -> HTTPServer {
        try HTTPServer(
            onRejected: { rejection, _ in
                var response = HTTPResponse.plain(rejection.status, rejection.reason)
                response.headers.set("X-Security", String(repeating: "s", count: 400))
                return response
            },
            handler: { _ in
                done.update { $0 += 1 }
                var response = HTTPResponse.plain(200, "done")
                response.headers.set("Content-Disposition", String(repeating: "%E2", count: 750))
                return response
            })
    }

    private static let heads: [(String, @Sendable (Int) -> String)] = [
        ("one field", { "X-Long: \(String(repeating: "x", count: $0))\r\n" }),
        ("one cookie", { "Cookie: a=\(String(repeating: "c", count: $0))\r\n" }),
        (
            "many cookies",
            { "Cookie: \((0..<$0 / 20).map { "c\($0)=0123456789abc" }.joined(separator: "; "))\r\n" }
        ),
        ("many fields", { (0..<$0 / 8).map { "A\($0): x\r\n" }.joined() }),
    ]

    @Test("what is done is answered, and what cannot be answered is not done", arguments: heads.map(\.0))
    func everySize(kind: String) throws {
        let make = try #require(Self.heads.first { $0.0 == kind }?.1)
        let done = Shared(0)
        let server = try server(done)
        defer { server.stop(graceSeconds: 1) }
        var statuses: Set<String> = []
        for size in Array(stride(from: 100, to: 17_000, by: 97)) {
            let before = done.current
            let client = try RawClient(port: server.port)
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\(make(size))\r\n")
            let answer = client.receiveText()
            let status = String(answer.dropFirst(9).prefix(3))
            // Where not even the copy of the cookies has room the library says nothing.
            if kind.hasSuffix("cookies") || kind.hasSuffix("cookie"), size > 15_500, status.isEmpty { continue }
            statuses.insert(status)
            #expect(status == "200" || status == "431", "\(size): \(answer.prefix(100))")
            #expect(done.current == before + (status == "200" ? 1 : 0), "\(size): \(status)")
        }
        #expect(statuses == ["200", "431"])
    }

    @Test("a HEAD that is refused gets a head, with its date, and no content")
    func head() throws {
        let server = try server(Shared(0))
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send("HEAD / HTTP/1.1\r\nHost: x\r\nX-Long: \(String(repeating: "x", count: 14_500))\r\n\r\n")
        let answer = client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 431") && answer.hasSuffix("\r\n\r\n"), "\(answer)")
        #expect(
            answer.contains(#/\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/#), "\(answer)")
    }

    @Test("arguments of the target count, too")
    func arguments() throws {
        let done = Shared(0)
        let server = try server(done)
        defer { server.stop(graceSeconds: 1) }
        for count in stride(from: 1, to: 600, by: 7) {
            let before = done.current
            let client = try RawClient(port: server.port)
            let query = (0..<count).map { "a\($0)=1" }.joined(separator: "&")
            client.send("POST /x?\(query) HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            let status = String(client.receiveText().dropFirst(9).prefix(3))
            #expect(["200", "431"].contains(status), "\(count): \(status)")
            #expect(done.current == before + (status == "200" ? 1 : 0), "\(count): \(status)")
        }
    }

    @Test("what was sent behind a request takes no room from its answer")
    func pipelined() throws {
        let done = Shared(0)
        let server = try server(done)
        defer { server.stop(graceSeconds: 1) }
        for size in stride(from: 100, to: 13_000, by: 391) {
            let client = try RawClient(port: server.port)
            let field = "X-Long: \(String(repeating: "x", count: size))\r\n"
            let count = max(2, 40_000 / size)
            let one = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\(field)\r\nabc"
            let before = done.current
            client.send(String(repeating: one, count: min(count, 90)) + getAndClose)
            let answer = client.receiveText()
            #expect(
                occurrences(of: "HTTP/1.1 200", in: answer) == done.current - before, "\(size): \(answer.suffix(200))")
            #expect(done.current - before == min(count, 90) + 1, "\(size)")
        }
    }

    @Test("the name of a browser and its proxy, and four kilobytes of cookies, are no reason to refuse anything")
    func usual() throws {
        let done = Shared(0)
        let server = try server(done)
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        let fields = (0..<16).map { "X-Forwarded-\($0): \(String(repeating: "f", count: 60))\r\n" }.joined()
        let cookies = (0..<20).map { "session\($0)=\(String(repeating: "c", count: 190))" }.joined(separator: "; ")
        client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(fields)Cookie: \(cookies)\r\n\r\n")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 200"))
    }
}

@Suite("What is received", .onItsOwnThread)
struct ContentPlacesTests {
    private func post(_ length: Int) -> String { "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n" }

    @Test("of who is not let in nothing is received: he hears so before he has sent it")
    func early() throws {
        let server = try HTTPServer(
            onHead: { $0.headers["Authorization"] == nil ? .plain(401, "no") : nil },
            handler: { request in .plain(200, "\(request.body.count)") })
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send(post(60_000))
        #expect(client.receiveText().hasPrefix("HTTP/1.1 401"))
        let other = try RawClient(port: server.port)
        other.send(
            "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
        #expect(other.receiveText().hasSuffix("3\n"))
    }

    @Test("all content together is bounded, and what was taken is given back")
    func bounded() throws {
        var configuration = ServerConfiguration()
        configuration.maximumContentBytes = 200_000
        let server = try HTTPServer(configuration: configuration) { _ in .plain(200, "served") }
        defer { server.stop(graceSeconds: 1) }
        var holders = try (0..<3).map { _ in try RawClient(port: server.port) }
        for client in holders { client.send(post(60_000)) }
        usleep(300_000)
        let late = try RawClient(port: server.port)
        late.send(post(60_000))
        #expect(late.receiveText().hasPrefix("HTTP/1.1 503"))
        let small = try RawClient(port: server.port)
        small.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
        #expect(small.receiveText().hasSuffix("served\n"))
        holders = []
        try Patience.wait("room for more") {
            let client = try RawClient(port: server.port)
            client.send(post(60_000) + String(repeating: "x", count: 60_000))
            return client.receiveText(until: "served").hasPrefix("HTTP/1.1 200")
        }
    }
}
