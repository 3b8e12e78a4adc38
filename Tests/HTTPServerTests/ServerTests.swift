// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

@testable import HTTPServer

@Suite("The server")
struct ServerTests {
    private func echo(_ configuration: ServerConfiguration = ServerConfiguration()) throws -> HTTPServer {
        try HTTPServer(configuration: configuration) { request in
            HTTPResponse(
                status: 200,
                headers: [
                    "X-Path": request.rawPath,
                    "X-Names": request.pathSegments.map { $0.name ?? "?" }.joined(separator: "|"),
                ],
                body: .bytes(request.body.isEmpty ? Array("hello from \(request.remoteAddress)".utf8) : request.body))
        }
    }

    @Test("One connection carries many requests, and pipelined ones are answered in order")
    func keepAlive() throws {
        let server = try echo()
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        for _ in 0..<3 {
            client.send(get)
            #expect(client.receiveText(until: "hello from 127.0.0.1").hasPrefix("HTTP/1.1 200"))
        }
        let post = "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
        client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n\(post)GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = client.receiveText()
        let lines = answer.split(separator: "\r\n").filter { $0.hasPrefix("X-Path") }
        #expect(lines == ["X-Path: /1", "X-Path: /2", "X-Path: /3"])
    }

    @Test("A connection ends with its hundredth answer, which says so, whatever else was asked for at once")
    func manyAtOnce() throws {
        let server = try echo()
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send(String(repeating: get, count: 150))
        let answer = client.receiveText()
        #expect(occurrences(of: "HTTP/1.1 200", in: answer) == 100)
        #expect(occurrences(of: "Connection: close\r\n", in: answer) == 1)
        #expect(answer.hasSuffix("hello from 127.0.0.1"))
    }

    @Test("Places are as many as there are descriptors for, and fewer than usual are told of")
    func descriptors() throws {
        let usual = ServerConfiguration()
        #expect(usual.fitting(descriptors: 65536).maximumConnections == 1024)
        let few = usual.fitting(descriptors: 256)
        #expect(few.maximumConnections + few.maximumFiles < 224 && few.maximumConnections > 100)
        #expect(usual.fitting(descriptors: 20).maximumConnections == 8)
        var configuration = ServerConfiguration()
        configuration.maximumConnections = .max
        let told = Shared(0)
        let server = try HTTPServer(
            configuration: configuration,
            onEvent: { if case .fewerPlaces(let places, _) = $0 { told.update { $0 = places } } },
            handler: { _ in .plain(200, "x") })
        defer { server.stop(graceSeconds: 1) }
        #expect(told.current > 8)
    }

    @Test("HEAD has the length of GET and no body")
    func head() throws {
        let server = try echo()
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = client.receiveText()
        #expect(answer.contains("Content-Length: 20\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
    }

    @Test("Encoded slashes and NULs reach the handler flagged, a raw NUL does not reach it")
    func names() throws {
        let server = try echo()
        defer { server.stop(graceSeconds: 1) }
        let text = try Curl("-i", "--path-as-is", "http://127.0.0.1:\(server.port)/a/..%2f/x%00/../%e5%a4%87").text
        #expect(text.contains("X-Names: a|?|?|?|备\r\n"))
        let client = try RawClient(port: server.port)
        client.send("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 400"))
    }

    @Test(
        "Requests that two parsers could read differently get 400",
        arguments: [
            "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET a HTTP/1.1\r\nHost: x\r\n\r\n", "GET / x HTTP/1.1\r\nHost: x\r\n\r\n",
            "G(T / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nBad Name : 1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "complete garbage here\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ])
    func malformed(request: String) throws {
        let server = try echo()
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port)
        client.send(request)
        let answer = client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 400"))
        #expect(occurrences(of: "HTTP/1.1 ", in: answer) == 1)
    }

    @Test("A negative Content-Length and an unknown transfer coding are refused")
    func oddFraming() throws {
        let server = try echo()
        defer { server.stop(graceSeconds: 1) }
        let coding = try RawClient(port: server.port)
        coding.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n")
        #expect(coding.receiveText().hasPrefix("HTTP/1.1 501"))
        let negative = try RawClient(port: server.port)
        negative.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")
        #expect(negative.receiveText().hasPrefix("HTTP/1.1 400"))
    }

    @Test("200 clients at once are all answered by 8 connections")
    func manyClients() throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = 8
        let running = Shared((now: 0, most: 0))
        let server = try HTTPServer(configuration: configuration) { _ in
            running.update {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            usleep(2000)
            running.update { $0.now -= 1 }
            return HTTPResponse(status: 204)
        }
        defer { server.stop(graceSeconds: 1) }
        let answered = Shared(0)
        onThreads(200) { _ in
            guard let client = try? RawClient(port: server.port) else { return }
            client.send(getAndClose)
            if client.receiveText().hasPrefix("HTTP/1.1 204") { answered.update { $0 += 1 } }
        }
        #expect(answered.current == 200)
        #expect(running.current.most <= 8)
    }

    @Test("A port in use is an error that names it, and so is a bad address")
    func portInUse() throws {
        let server = try echo()
        defer { server.stop(graceSeconds: 1) }
        let error = HTTPServerError.portInUse(address: "127.0.0.1", port: server.port)
        #expect(throws: error) { try echo(ServerConfiguration(port: server.port)) }
        #expect(error.description.contains("127.0.0.1 port \(server.port)"))
        #expect(throws: HTTPServerError.self) { try echo(ServerConfiguration(address: "300.1.2.3")) }
        #expect(throws: HTTPServerError.cannotListen(address: "192.0.2.1", port: 0, code: EADDRNOTAVAIL)) {
            try echo(ServerConfiguration(address: "192.0.2.1"))
        }
    }

    /// The kernel's own list of addresses: what our server says of it is what is tested.
    private static let hasLoopbackOfIPv6 =
        ((try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? "").contains(
            "00000000000000000000000000000001")

    @Test("Loopback of IPv6 works", .enabled(if: hasLoopbackOfIPv6, "this machine has no ::1"))
    func ipv6() throws {
        let server = try echo(ServerConfiguration(address: "::1"))
        defer { server.stop(graceSeconds: 1) }
        #expect(try Curl("http://[::1]:\(server.port)/").text == "hello from ::1")
    }
}
