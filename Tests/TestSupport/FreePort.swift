// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization
import SystemIO

/// Ports on 127.0.0.1 for the servers of tests.
///
/// Below those that the kernel gives to whoever connects somewhere (`ip_local_port_range`, ip(7)): one of those can be
/// taken between its choice and the server's start, and again while a stack is stopped, and that has ended a CI run.
package enum FreePort {
    /// Nobody listens on it, and no other call of this process has named it.
    package static func next() throws -> Int {
        let range = try range
        for _ in range {
            let step = steps.wrappingAdd(1, ordering: .relaxed).oldValue
            // Test processes beside each other begin at different places.
            let port = range.lowerBound + (Int(getpid()) * 67 + step) % range.count
            if try isFree(port) { return port }
        }
        throw SystemError("find a free port on", path: "127.0.0.1", code: EADDRINUSE)
    }

    private static let steps = Atomic<Int>(0)

    private static var range: Range<Int> {
        get throws {
            // FIRST-LAST, for those who share a machine with others.
            let wanted = ProcessInfo.processInfo.environment["MLFLOW_TEST_PORTS"] ?? ""
            let ends = wanted.split(separator: "-").compactMap { Int($0) }
            if ends.count == 2, ends[0] < ends[1] { return ends[0]..<(ends[1] + 1) }
            let text = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
            let first = text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 32_768
            return first > 12_000 ? 10_000..<first : 10_000..<32_768
        }
    }

    private static func isFree(_ port: Int) throws -> Bool {
        let listener = OpenFile(adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), path: "socket")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                listener.withDescriptor { bind($0, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        }
        if code != 0, errno != EADDRINUSE { throw SystemError("bind a port of", path: "127.0.0.1") }
        return code == 0
    }
}
