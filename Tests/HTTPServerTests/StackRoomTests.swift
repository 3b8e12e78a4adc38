// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Testing

@testable import HTTPServer

@Suite("What a deep request needed of its thread's stack", .serialized)
struct StackRoomTests {
    /// Of no other mapping in this process.
    private static let stackBytes = (3 << 20) + (64 << 10)

    /// Resident KiB of each stack of the server's threads.
    private func resident() throws -> [Int] {
        let maps = String(decoding: try OpenFile("/proc/self/smaps", .read).readAll(), as: UTF8.self).split(
            separator: "\n")
        func number(_ line: Substring) -> Int? { Int(line.split(separator: " ").dropFirst().first ?? "") }
        var (sizes, isOurs): ([Int], Bool) = ([], false)
        for line in maps {
            if line.hasPrefix("Size:") {
                isOurs =
                    number(line).map { ((Self.stackBytes >> 10) - 16...Self.stackBytes >> 10).contains($0) } ?? false
            }
            if isOurs, line.hasPrefix("Rss:"), let size = number(line) { sizes.append(size) }
        }
        return sizes
    }

    /// A frame of dozens of bytes for each number.
    @inline(never)
    private static func sum(_ number: Int) -> Int { number == 0 ? 0 : number + sum(number - 1) }

    @Test("goes back when it was answered, while the connection stays")
    func goesBack() throws {
        var configuration = ServerConfiguration()
        configuration.threadStackBytes = Self.stackBytes
        let server = try HTTPServer(configuration: configuration) { request in
            guard request.rawPath == "/deep" else { return .plain(200, "flat") }
            return .plain(200, "deep \(Self.sum(4000))")
        }
        defer { server.stop(graceSeconds: 1) }
        let clients = try (0..<8).map { _ in try RawClient(port: server.port) }
        for path in ["deep", "flat", "deep"] {
            for client in clients {
                client.send("GET /\(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(client.receiveText(until: path).hasPrefix("HTTP/1.1 200"))
            }
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while try resident().max() ?? 0 > 40, ContinuousClock.now < deadline { usleep(50_000) }
        let left = try resident()
        #expect(left.count >= 3, "glibc gives some threads a larger stack that it has kept: \(left)")
        #expect(left.allSatisfy { $0 <= 40 }, "\(left)")
    }
}
