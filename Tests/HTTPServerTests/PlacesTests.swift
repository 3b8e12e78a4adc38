// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing

@testable import HTTPServer

@Suite("Places for connections, and how long one may take", .onItsOwnThread)
struct PlacesTests {
    @Test("S8: a hundred heads that drip, and a hundred silent sockets, keep nobody out")
    func dripping() throws {
        let server = try HTTPServer { _ in .plain(200, "served") }
        defer { server.stop(graceSeconds: 1) }
        let dripping = try (0..<100).map { _ in try RawClient(port: server.port) }
        let silent = try (0..<100).map { _ in try RawClient(port: server.port) }
        for client in dripping { client.send("GET / HTTP/1.1\r\nX-Drip: ") }
        for _ in 0..<5 {
            for client in dripping { client.send("x") }
            let start = MonotonicTime.nanoseconds()
            let client = try RawClient(port: server.port)
            client.send(getAndClose)
            #expect(client.receiveText().hasSuffix("served\n"))
            #expect(MonotonicTime.seconds(since: start) < 2)
        }
        withExtendedLifetime((dripping, silent)) {}
    }

    @Test("With few places left whoever asks nothing gives way within seconds, and who is being served does not")
    func crowded() throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = 10
        configuration.deadlines.firstRequest = 60
        configuration.deadlines.nextRequest = 60
        configuration.deadlines.crowded = 0.3
        let started = Shared(0)
        let server = try HTTPServer(configuration: configuration) { _ in
            started.update { $0 += 1 }
            usleep(2_000_000)
            return .plain(200, "served")
        }
        defer { server.stop(graceSeconds: 1) }
        let busy = try RawClient(port: server.port)
        busy.send(getAndClose)
        #expect(started.reaches { $0 == 1 })
        let silent = try (0..<20).map { _ in try RawClient(port: server.port) }
        let waiting = try RawClient(port: server.port)
        waiting.send(getAndClose)
        #expect(waiting.receiveText().hasSuffix("served\n"))
        #expect(busy.receiveText().hasSuffix("served\n"))
        withExtendedLifetime(silent) {}
    }

    @Test("S19: whoever reads slowly gets all of it, whoever stops reading is cut")
    func slowReaders() throws {
        var configuration = ServerConfiguration()
        configuration.deadlines.stalledSending = 3
        let outcomes = Shared<[HTTPExchangeRecord.Outcome]>([])
        let content = ramp(12 << 20)
        let server = try HTTPServer(
            configuration: configuration,
            onEvent: { event in
                if case .finished(let record) = event { outcomes.update { $0.append(record.outcome) } }
            },
            handler: { request in
                guard let file = try? openFile(content) else { return HTTPResponse(status: 500) }
                return .file(
                    file, size: UInt64(content.count), entityTag: nil, contentType: "application/gzip", for: request)
            })
        defer { server.stop(graceSeconds: 1) }
        let slow = try RawClient(port: server.port, receiveBuffer: 4096)
        let stalled = try RawClient(port: server.port, receiveBuffer: 4096)
        slow.send(getAndClose)
        stalled.send(getAndClose)
        var seen = 0
        let start = MonotonicTime.nanoseconds()
        let whole = slow.receive { bytes in
            // Some 40 KB a second for nine seconds, then as fast as it comes.
            if bytes.count - seen > 8000, MonotonicTime.seconds(since: start) < 9 {
                seen = bytes.count
                usleep(200_000)
            }
            return false
        }
        #expect(whole.suffix(content.count).elementsEqual(content))
        #expect(outcomes.reaches { $0.count == 2 })
        #expect(Set(outcomes.current) == [.completed, .timedOut])
        #expect(stalled.receive().count < content.count)
    }

    /// Reads less than a kilobyte at a time, pauses, and goes on, with many connections, which are opened anew when they end.
    private func readSlowly(_ port: UInt16, _ count: Int, until isOver: Shared<Bool>) {
        var clients: [RawClient] = []
        while !isOver.current {
            while clients.count < count, let client = try? RawClient(port: port, receiveBuffer: 2304) {
                client.send(String(repeating: get, count: 50))
                clients.append(client)
            }
            usleep(200_000)
            clients = clients.filter { $0.trickles() }
        }
    }

    @Test("Slow readers of answers keep nobody out; whoever downloads slowly and steadily meanwhile gets all of it")
    func slowAnswers() throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = 50
        let shared = SharedBytes(ramp(16 << 20))
        let content = ramp(2 << 20)
        let server = try HTTPServer(configuration: configuration) { request in
            switch request.rawPath {
            case "/health": return .plain(200, "served")
            case "/file":
                guard let file = try? openFile(content) else { return HTTPResponse(status: 500) }
                return .file(
                    file, size: UInt64(content.count), entityTag: nil, contentType: "application/gzip", for: request)
            default: return HTTPResponse(status: 200, body: .shared(shared))
            }
        }
        defer { server.stop(graceSeconds: 1) }
        let isOver = Shared(false)
        let (steady, slowest) = (Shared(0), Shared(0.0))
        onThreads(3) { index in
            switch index {
            case 0: self.readSlowly(server.port, 120, until: isOver)
            case 1:
                guard let client = try? RawClient(port: server.port, receiveBuffer: 8192) else { return }
                client.send("GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                var seen = 0
                let whole = client.receive { bytes in
                    // Some 200 KB a second.
                    if bytes.count - seen > 10_000 {
                        seen = bytes.count
                        usleep(50_000)
                    }
                    return false
                }
                steady.update { $0 = whole.count }
            default:
                sleep(3)
                for _ in 0..<8 {
                    let start = MonotonicTime.nanoseconds()
                    let client = try? RawClient(port: server.port)
                    client?.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    let isServed = client?.receiveText().hasSuffix("served\n") == true
                    let seconds = isServed ? MonotonicTime.seconds(since: start) : 60
                    slowest.update { $0 = max($0, seconds) }
                    usleep(500_000)
                }
                isOver.update { $0 = true }
            }
        }
        #expect(slowest.current < 6)
        #expect(steady.current > content.count)
    }

    @Test(
        "So many files are sent at once; whoever takes in next to nothing gives way while there is no place for one more"
    )
    func files() throws {
        var configuration = ServerConfiguration()
        configuration.maximumFiles = 2
        let content = ramp(16 << 20)
        let server = try HTTPServer(configuration: configuration) { request in
            guard let file = try? openFile(content) else { return HTTPResponse(status: 500) }
            return .file(
                file, size: UInt64(content.count), entityTag: nil, contentType: "application/gzip", for: request)
        }
        defer { server.stop(graceSeconds: 1) }
        let two = try (0..<2).map { _ in try RawClient(port: server.port, receiveBuffer: 65536) }
        for client in two {
            client.send(getAndClose)
            #expect(!client.receive { $0.count > 1000 }.isEmpty)
        }
        let third = try RawClient(port: server.port)
        third.send(getAndClose)
        // Some 300 KB a second each.
        for _ in 0..<60 {
            for client in two { #expect(client.trickles(15_000)) }
            usleep(50_000)
        }
        #expect(third.receiveText().hasPrefix("HTTP/1.1 503"))
        // Nothing is read for it.
        let head = try RawClient(port: server.port)
        head.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(head.receiveText().hasPrefix("HTTP/1.1 200"))
        // They read no more. What they had read counts for up to ten seconds.
        var count = 0
        for _ in 0..<10 where count < content.count {
            let another = try RawClient(port: server.port)
            another.send(getAndClose)
            count = another.receive().count
        }
        #expect(count > content.count)
    }

    @Test("S6: a file that becomes shorter while it is sent ends the connection at once")
    func shrinkingFile() throws {
        let configuration = ServerConfiguration()
        let (descriptor, path) = try temporaryFile("shrinking")
        defer { unlink(path) }
        #expect(ftruncate(descriptor, 64 << 20) == 0)
        let held = OwnedDescriptor(owning: descriptor)
        let ended = Shared(false)
        let server = try HTTPServer(
            configuration: configuration,
            onEvent: { if case .finished = $0 { ended.update { $0 = true } } },
            handler: { request in
                .file(held, size: 64 << 20, entityTag: nil, contentType: "application/gzip", for: request)
            })
        defer { server.stop(graceSeconds: 1) }
        let client = try RawClient(port: server.port, receiveBuffer: 4096)
        client.send(getAndClose)
        _ = client.receive { $0.count > 100_000 }
        #expect(truncate(path, 1 << 20) == 0)
        let start = MonotonicTime.nanoseconds()
        let rest = client.receive()
        #expect(rest.count < 64 << 20)
        #expect(ended.reaches { $0 })
        #expect(MonotonicTime.seconds(since: start) < 10)
    }

    @Test("One address, or one /64 of IPv6, has so many places and no more; this machine has all")
    func ofOneClient() throws {
        let table = ConnectionTable(limit: 100, limitOfClient: 2)
        var next: Int32 = 1000
        func admit(_ text: String) -> Bool {
            next += 1
            guard let connection = table.admit(next, ClientAddress(address(text))) else { return false }
            connection.start()
            connection.enter(.answering)
            return true
        }
        // All of them are at work.
        for text in ["192.0.2.1", "2001:db8:1:2::1", "::ffff:198.51.100.7"] {
            #expect(admit(text) && admit(text) && !admit(text), "\(text)")
        }
        #expect(!admit("2001:db8:1:2:ffff::9"))
        #expect(admit("2001:db8:1:3::1") && admit("192.0.2.2"))
        #expect(!admit("198.51.100.7"))
        for text in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.9.1"] {
            #expect((0..<5).allSatisfy { _ in admit(text) }, "\(text)")
        }
        // A place that was given back is another's; a number that comes again was closed.
        table.closed(1001)
        #expect(admit("192.0.2.1") && !admit("192.0.2.1"))
        #expect(table.admit(1002, ClientAddress(address("192.0.2.1"))) != nil)
        #expect(ClientAddress(address("::ffff:198.51.100.7")).text == "198.51.100.7")
    }

    @Test(
        "Behind a proxy, where all clients are one, who is waited for longest gives way to who comes, and who is served does not",
        arguments: [ClientConnection.Phase.opened, .idle, .head, .content])
    func givesWay(phase: ClientConnection.Phase) throws {
        let table = ConnectionTable(limit: 100, limitOfClient: 2)
        let proxy = ClientAddress(address("172.18.0.1"))
        var ends: [Int32] = [-1, -1]
        var connections: [ClientConnection] = []
        var others: [OwnedDescriptor] = []
        for number in 0..<4 {
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            others += ends.map { OwnedDescriptor(owning: $0) }
            let connection = table.admit(ends[0], proxy)
            // Two at work after the third.
            guard number < 3 else {
                #expect(connection == nil)
                break
            }
            let admitted = try #require(connection)
            admitted.start()
            admitted.enter(number > 0 ? .answering : phase)
            connections.append(admitted)
            usleep(2000)
        }
        #expect(connections.map(\.isExpired) == [true, false, false])
        withExtendedLifetime(others) {}
    }

    @Test(
        "Behind a proxy, where all places are of those that are being sent something, the slowest gives way, a file only where it is too slow"
    )
    func slowestGivesWay() throws {
        let table = ConnectionTable(limit: 100, limitOfClient: 4, leastRate: 1000)
        let proxy = ClientAddress(address("172.18.0.1"))
        var others: [OwnedDescriptor] = []
        func admit() throws -> ClientConnection? {
            var ends: [Int32] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            others += ends.map { OwnedDescriptor(owning: $0) }
            guard let connection = table.admit(ends[0], proxy) else { return nil }
            connection.start()
            connection.enter(.sending)
            return connection
        }
        let first = try (0..<4).map { _ in try #require(try admit()) }
        for (connection, (rate, isFile)) in zip(first, [(500.0, true), (2000, true), (9000, false), (800_000, false)]) {
            (connection.rate, connection.isSendingFile) = (rate, isFile)
        }
        for number in [2, 3, 0] {
            let next = try #require(try admit())
            #expect(first[number].isExpired)
            table.closed(first[number].socket)
            next.enter(.answering)
        }
        // The other file goes on.
        #expect(try admit() == nil && !first[1].isExpired)
        withExtendedLifetime(others) {}
    }

    private func address(_ text: String) -> sockaddr_storage {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { raw in
            guard let base = raw.baseAddress else { return }
            let four = base.assumingMemoryBound(to: sockaddr_in.self)
            if inet_pton(AF_INET, text, &four.pointee.sin_addr) == 1 {
                four.pointee.sin_family = sa_family_t(AF_INET)
                return
            }
            let six = base.assumingMemoryBound(to: sockaddr_in6.self)
            six.pointee.sin6_family = sa_family_t(AF_INET6)
            inet_pton(AF_INET6, text, &six.pointee.sin6_addr)
        }
        return storage
    }
}
