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

    @Test("S6: a file that becomes shorter while it is sent ends the connection")
    func shrinkingFile() throws {
        var configuration = ServerConfiguration()
        configuration.deadlines.silentSource = 1
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
        let rest = client.receive()
        #expect(rest.count < 64 << 20)
        #expect(ended.reaches { $0 })
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
        "Behind a proxy, where all clients are one, who waits longest for a request gives way to who comes, and who is served does not"
    )
    func givesWay() throws {
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
            if number > 0 { admitted.enter(.answering) }
            connections.append(admitted)
            usleep(2000)
        }
        #expect(connections.map(\.isExpired) == [true, false, false])
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
