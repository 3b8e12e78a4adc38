// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HTTPServer

@Suite("Uploads")
struct UploadTests {
    private let calls = Shared(0)

    private func serve(limit: Int = 1 << 20) throws -> HTTPServer {
        var configuration = ServerConfiguration()
        configuration.maximumBodyBytes = limit
        let calls = calls
        return try HTTPServer(
            configuration: configuration,
            onRejected: { rejection, request in
                HTTPResponse(
                    status: rejection.status, contentType: "application/problem+json",
                    bytes: Array("{\"path\":\"\(request.rawPath)\"}".utf8))
            },
            handler: { request in
                calls.update { $0 += 1 }
                return HTTPResponse(status: 200, body: .bytes(request.body))
            })
    }

    @Test("A body up to the limit arrives whole")
    func upToLimit() throws {
        let server = try serve()
        defer { server.stop(graceSeconds: 1) }
        let text = String(repeating: "0123456789abcdef", count: 1 << 16)
        let path = "/tmp/http-upload-\(server.port)"
        try #require(writeFile(path, text))
        defer { removeFile(path) }
        let result = try Curl(["--data-binary", "@\(path)", "http://127.0.0.1:\(server.port)/"])
        #expect(result.text == text)
    }

    @Test(
        "10 MB get 413, and content in chunks 411, with the answer the API makes, asked first or unasked",
        arguments: [
            (["-H", "Expect: 100-continue"], 413), (["-H", "Expect:"], 413),
            (["-H", "Transfer-Encoding: chunked"], 411),
        ])
    func tooLarge(arguments: [String], status: Int) throws {
        let server = try serve()
        defer { server.stop(graceSeconds: 1) }
        let path = "/tmp/http-upload-\(server.port)"
        try #require(writeFile(path, String(repeating: "x", count: 10 << 20)))
        defer { removeFile(path) }
        let result = try Curl(
            arguments + [
                "-w", " %{http_code} %{content_type}", "--data-binary", "@\(path)",
                "http://127.0.0.1:\(server.port)/up",
            ])
        #expect(result.text == "{\"path\":\"/up\"} \(status) application/problem+json")
        #expect(result.exitCode == 0)
        #expect(calls.current == 0)
    }

    @Test("A client that asks before it sends too much is answered before it sends anything")
    func expectContinue() throws {
        let server = try serve()
        defer { server.stop(graceSeconds: 1) }
        let large = try RawClient(port: server.port)
        large.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
        #expect(large.receiveText().hasPrefix("HTTP/1.1 413"))
        let small = try RawClient(port: server.port)
        small.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        #expect(small.receiveText(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100"))
        small.send("ok")
        #expect(small.receiveText(until: "ok").hasPrefix("HTTP/1.1 200"))
    }

    @Test("A client that sends without end is answered once and cut off", arguments: ["chunked", "length"])
    func endless(framing: String) throws {
        let server = try serve(limit: 1000)
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        let header = framing == "chunked" ? "Transfer-Encoding: chunked" : "Content-Length: 99999999999"
        client.send("POST / HTTP/1.1\r\nHost: x\r\n\(header)\r\n\r\n")
        let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x78, count: 65536) + Array("\r\n".utf8)
        var sent = 0
        while sent < 4096, client.send(chunk) { sent += 1 }
        #expect(sent < 4096)
        #expect(calls.current == 0)
    }
}
