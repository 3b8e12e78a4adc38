// SPDX-License-Identifier: Apache-2.0

import Glibc
import HTTPServer
import SystemIO
import TestSupport
import Testing
import Wording

@testable import API

@Suite("What may be asked at once", .onItsOwnThread)
struct GateTests {
    private func request(isAbandoned: @escaping @Sendable () -> Bool = { false }) throws -> HTTPRequest {
        HTTPRequest(method: "GET", target: try #require(RequestTarget("/")), isAbandoned: isAbandoned)
    }

    @Test("so many pass at once, the others wait, and whoever waits too long hears so")
    func places() throws {
        let gate = Gate(places: 2, patience: 0.3)
        let (inside, most, released) = (Monitor(0), Monitor(0), Monitor(false))
        let request = try request()
        let outcomes = Monitor<[String]>([])
        let threads = try (0..<5).map { number in
            try WorkerThread("gate-\(number)") {
                do {
                    try gate.pass(request) {
                        let now = inside.withLock { count in
                            count += 1
                            return count
                        }
                        most.withLock { $0 = max($0, now) }
                        released.wait { $0 ? () : nil }
                        inside.withLock { $0 -= 1 }
                    }
                    outcomes.withLock { $0.append("passed") }
                } catch { outcomes.withLock { $0.append(error.stableCode) } }
            }
        }
        try Patience.wait("three to be refused") { outcomes.read { $0.count } == 3 }
        #expect(outcomes.read { $0 } == ["service-busy", "service-busy", "service-busy"])
        released.withLock { $0 = true }
        threads.forEach { $0.join() }
        #expect(outcomes.read { $0.filter { $0 == "passed" }.count } == 2 && most.read { $0 } == 2)
        // Each place was given back.
        #expect(try gate.pass(request) { 7 } == 7)
    }

    @Test("S5: nothing is done for a client that has left")
    func left() throws {
        let gate = Gate(places: 1, patience: 1)
        let called = Monitor(false)
        #expect(throws: RequestError.clientLeft) {
            try gate.pass(request(isAbandoned: { true })) { called.withLock { $0 = true } }
        }
        #expect(!called.read { $0 })
    }

    @Test("S5: the server knows that one has left, and that one that waits has not")
    func serverKnows() throws {
        let seen = Monitor<[Bool]>([])
        let server = try HTTPServer { request in
            if request.rawPath == "/leaves" {
                for _ in 0..<100 where !request.isAbandoned() { usleep(20_000) }
            }
            let isAbandoned = request.isAbandoned()
            seen.withLock { $0.append(isAbandoned) }
            return HTTPResponse(status: 204)
        }
        defer { server.stop(graceSeconds: 5) }
        _ = try Shell.sh("curl -s -m 5 http://127.0.0.1:\(server.port)/stays")
        #expect(seen.read { $0 } == [false])
        _ = try? Shell.sh("curl -s -m 1 http://127.0.0.1:\(server.port)/leaves")
        try Patience.wait("the second to be seen") { seen.read { $0.count } == 2 }
        #expect(seen.read { $0 } == [false, true])
    }
}
