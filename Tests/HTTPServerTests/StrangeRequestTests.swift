// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HTTPServer

@Suite("S12: requests that mean something else to somebody else")
struct StrangeRequestTests {
    @Test(
        "each has one answer of the right status, and no second one",
        arguments: [
            ("GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", 421),
            ("GET / HTTP/1.1\r\nHost: x\r\nX-A: a\u{1}b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nX-A: a\u{7f}b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\0\r\nX-A: b\r\n\r\nhello", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\nX-B: c\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\n\0A: b\r\nX: y\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nX-A: v\0\0w\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nX-A: v\0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\n\r\n", 400), ("GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHo: x\r\n st\r\n\r\n", 400),
            ("GET\0X / HTTP/1.1\r\nHost: x\r\n\r\n", 400), ("GET   / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("\(String(repeating: "M", count: 33)) / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            // Whatever the chunks are: what a proxy before us takes for content would be a request here.
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n\(get)", 411),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n2;a\n{}\r\n0\n\n\(get)", 411),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;\(String(repeating: "a", count: 30_000))",
                411
            ),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n\(get)",
                400
            ),
            ("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\(get)", 400),
        ])
    func answers(request: String, status: Int) throws {
        let server = try HTTPServer { _ in .plain(200, "served") }
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send(request)
        let answer = client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(request.debugDescription): \(answer)")
        #expect(occurrences(of: "HTTP/1.1 ", in: answer) == 1, "\(answer)")
    }

    @Test(
        "of a length that is none the library answers itself: with the right status, and the handler never hears of it",
        arguments: [
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello", 400),
        ])
    func lengths(request: String, status: Int) throws {
        let heard = Shared(0)
        let server = try HTTPServer { _ in
            heard.update { $0 += 1 }
            return .plain(200, "served")
        }
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send(request)
        // Up to the end of the connection. 0.9.75 writes its head twice, the second time as the content of the first.
        let answer = client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(request.debugDescription): \(answer)")
        #expect(!answer.contains("HTTP/1.1 2") && answer.contains("Connection: close"), "\(answer)")
        #expect(heard.current == 0)
    }

    @Test("a method of sixty kilobytes, or a target of as many, is one short answer")
    func huge() throws {
        let server = try HTTPServer { _ in .plain(200, "served") }
        defer { server.stop(graceSeconds: 1) }
        let long = String(repeating: "M", count: 60_000)
        for request in ["\(long) / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\(long) HTTP/1.1\r\nHost: x\r\n\r\n"] {
            let client = try RawClient(port: server.port)
            client.send(request)
            let answer = client.receiveText()
            let status = answer.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            #expect([400, 414, 431, 501].contains(status), "\(answer)")
            #expect(occurrences(of: "HTTP/1.1 ", in: answer) == 1 && answer.utf8.count < 2000)
        }
    }

    @Test("the absolute form of our own name is taken")
    func own() throws {
        let server = try HTTPServer { .plain(200, $0.rawPath) }
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send("GET http://X/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(client.receiveText().hasSuffix("/a\n"))
    }
}
