// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import HTTPServer

@Suite("Slow clients, broken transfers, stopping")
struct LifecycleTests {
    @Test("A stream that throws gives the client a failed transfer", arguments: [UInt64?.none, 2_000_000])
    func failingStream(length: UInt64?) throws {
        let events = Shared<[String]>([])
        let server = try HTTPServer(onEvent: { event in
            if case .bodyFailed(let reason) = event { events.update { $0.append(reason) } }
        }) { _ in
            HTTPResponse(status: 200, body: .stream(length: length, source: TestSource(bytes: 1_000_000, fails: true)))
        }
        let result = try Curl("-o", "/dev/null", "http://127.0.0.1:\(server.port)/")
        #expect(result.exitCode == 18)
        server.stop(graceSeconds: 1)
        #expect(events.current.count == 1)
    }

    @Test("A stream that ends early is a failed transfer too, and HTTP/1.0 clients get no unbounded one")
    func shortStream() throws {
        let server = try HTTPServer { request in
            let length: UInt64? = request.rawPath == "/short" ? 2000 : nil
            return HTTPResponse(status: 200, body: .stream(length: length, source: TestSource(bytes: 1000)))
        }
        defer { server.stop(graceSeconds: 1) }
        #expect(try Curl("http://127.0.0.1:\(server.port)/short").exitCode == 18)
        #expect(try Curl("http://127.0.0.1:\(server.port)/").output.count == 1000)
        #expect(try Curl("-i", "-0", "http://127.0.0.1:\(server.port)/").text.contains(" 505 "))
    }

    @Test("A client that leaves during a download frees the source and disturbs nobody")
    func vanishingClient() throws {
        let dropped = Shared(0)
        let server = try HTTPServer { request in
            guard request.rawPath == "/big" else { return .plain(200, "alive") }
            return HTTPResponse(
                status: 200,
                body: .stream(length: 1 << 30, source: TestSource(bytes: 1 << 30) { dropped.update { $0 += 1 } }))
        }
        defer { server.stop(graceSeconds: 1) }
        for _ in 0..<4 {
            let client = try RawClient(port: server.port, receiveBuffer: 4096)
            client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(!client.receive { $0.count > 10_000 }.isEmpty)
        }
        #expect(dropped.reaches { $0 == 4 })
        #expect(try Curl("http://127.0.0.1:\(server.port)/").text == "alive\n")
    }

    @Test("A client that drips its request, or says nothing, is cut off", arguments: ["head", "body", "silence"])
    func slowClient(kind: String) throws {
        var configuration = ServerConfiguration()
        // One alone is short: on a busy machine a whole second may pass before the next thing begins.
        configuration.deadlines.firstRequest = kind == "silence" ? 1 : 60
        configuration.deadlines.head = kind == "head" ? 1 : 60
        configuration.deadlines.content = kind == "body" ? 1 : 60
        let outcomes = Shared<[HTTPExchangeRecord.Outcome]>([])
        let server = try HTTPServer(
            configuration: configuration,
            onEvent: { event in
                if case .finished(let record) = event { outcomes.update { $0.append(record.outcome) } }
            },
            handler: { _ in HTTPResponse(status: 204) })
        let client = try RawClient(port: server.port)
        switch kind {
        case "head": client.send("GET / HTTP/1.1\r\nX: ")
        case "body": client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n")
        default: break
        }
        if kind == "silence" {
            #expect(client.receive().isEmpty)
        } else {
            var sent = 0
            while sent < 400, client.send("x") {
                sent += 1
                usleep(50_000)
            }
            #expect(sent < 400)
        }
        server.stop(graceSeconds: 1)
        #expect(outcomes.current == (kind == "silence" ? [] : [.timedOut]))
    }

    @Test("An idle connection gives way when others wait for its place")
    func idleGivesWay() throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = 1
        let server = try HTTPServer(configuration: configuration) { _ in .plain(200, "served") }
        defer { server.stop(graceSeconds: 1) }
        let holder = try RawClient(port: server.port)
        holder.send(get)
        #expect(holder.receiveText(until: "served").contains("served"))
        let waiting = try RawClient(port: server.port)
        waiting.send(get)
        #expect(waiting.receiveText(until: "served").contains("served"))
    }

    @Test("Stopping lets a running request end, refuses new ones, and is done once")
    func gracefulStop() throws {
        let (started, released) = (Shared(false), Shared(false))
        let server = try HTTPServer { _ in
            started.update { $0 = true }
            _ = released.reaches { $0 }
            return .plain(200, "finished")
        }
        let port = server.port
        let (answer, drained) = (Shared(""), Shared(false))
        onThreads(3) { index in
            switch index {
            case 0:
                guard let client = try? RawClient(port: port) else { return }
                client.send(get)
                let text = client.receiveText()
                answer.update { $0 = text }
            case 1:
                _ = started.reaches { $0 }
                let clean = server.stop(graceSeconds: 30)
                drained.update { $0 = clean }
            default:
                _ = started.reaches { $0 }
                // Refused once the stop has begun, while the request still runs.
                while (try? RawClient(port: port)) != nil { usleep(5000) }
                released.update { $0 = true }
            }
        }
        #expect(answer.current.hasPrefix("HTTP/1.1 200"))
        #expect(answer.current.contains("Connection: close"))
        #expect(answer.current.hasSuffix("finished\n"))
        #expect(drained.current)
        #expect(server.stop(graceSeconds: 0))
    }

    @Test("A request that outlasts the grace is cut, and idle connections do not hold up a stop")
    func impatientStop() throws {
        let server = try HTTPServer { _ in
            HTTPResponse(status: 200, body: .stream(length: 1 << 40, source: TestSource(bytes: 1 << 40)))
        }
        let idle = try RawClient(port: server.port)
        let busy = try RawClient(port: server.port, receiveBuffer: 4096)
        busy.send(get)
        _ = busy.receive { $0.count > 1000 }
        #expect(!server.stop(graceSeconds: 0.1))
        #expect(idle.receive().isEmpty)
    }

    @Test("What the handler holds is freed with the server")
    func noCycle() throws {
        let freed = Shared(false)
        do {
            let held = TestSource(bytes: 0) { freed.update { $0 = true } }
            let server = try HTTPServer { _ in
                withExtendedLifetime(held) { .plain(200, "x") }
            }
            #expect(try Curl("http://127.0.0.1:\(server.port)/").text == "x\n")
        }
        #expect(freed.current)
    }
}
