// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import SystemIO
import Wording

/// What the log says of requests: a line for each that changed something, and once a minute how many others there were. So a
/// client that nobody let in cannot fill a disk with what it sends.
package final class RequestLog: Sendable {
    private struct Tally {
        var ofStatus: [Int: Int] = [:]
        var ofAddress: [String: Int] = [:]
        var refused = 0
        var cutShort = 0
        var notes = 0
        /// The first of them.
        var note: String?

        var isEmpty: Bool { ofStatus.isEmpty && refused == 0 && cutShort == 0 && notes == 0 }

        mutating func count(from address: String) {
            // Of more there is no telling who was the worst.
            guard ofAddress.count < 1000 || ofAddress[address] != nil else { return }
            ofAddress[address, default: 0] += 1
        }
    }

    private let log: Log
    private let tally = Monitor(Tally())
    private let work: RepeatedWork

    /// - Parameter seconds: between two lines about the requests that changed nothing.
    package init(_ log: Log, every seconds: Double = 60) throws(SystemError) {
        self.log = log
        work = RepeatedWork("request-log", every: seconds)
        try work.start { [tally] in Self.tell(tally, log) }
    }

    /// Tells what there was since the last line.
    package func stop() {
        work.stop()
        Self.tell(tally, log)
    }

    package func note(_ event: HTTPServerEvent) {
        switch event {
        case .finished(let exchange):
            let status = exchange.status ?? 0
            guard !["GET", "HEAD"].contains(exchange.method), (200..<400).contains(status) else {
                return tally.withLock { tally in
                    tally.ofStatus[status, default: 0] += 1
                    tally.count(from: exchange.remoteAddress)
                }
            }
            log.info(
                "request",
                [
                    "method": exchange.method, "target": exchange.target.beginning(bytes: 200), "status": status,
                    "from": exchange.remoteAddress,
                ])
        case .bodyFailed: tally.withLock { $0.cutShort += 1 }
        case .refused(let address):
            tally.withLock { tally in
                tally.refused += 1
                tally.count(from: address)
            }
        case .fewerPlaces(let places, let descriptors):
            log.warning(
                "fewer connections at once than usual: raise the limit of open files (ulimit -n, LimitNOFILE, --ulimit nofile)",
                ["connections": places, "open_files": descriptors])
        case .note(let text):
            tally.withLock { tally in
                tally.notes += 1
                if tally.note == nil { tally.note = text }
            }
        }
    }

    private static func tell(_ tally: Monitor<Tally>, _ log: Log) {
        let told = tally.withLock { tally in
            defer { tally = Tally() }
            return tally
        }
        guard !told.isEmpty else { return }
        let statuses = told.ofStatus.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
        let addresses = told.ofAddress.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8)
            .map { "\($0.key):\($0.value)" }
        log.info(
            "requests that changed nothing",
            [
                "requests": told.ofStatus.values.reduce(0, +), "by_status": statuses.joined(separator: " "),
                "most_from": addresses.joined(separator: " "), "connections_refused": told.refused,
                "cut_short": told.cutShort, "notes": told.notes, "first_note": (told.note ?? "").beginning(bytes: 200),
            ])
    }
}
