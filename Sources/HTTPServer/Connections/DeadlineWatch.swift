// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemIO

/// Cuts the connections that take too long, from a thread of its own.
///
/// libmicrohttpd's timeout starts anew with every byte, so it never ends a client that drips them, and knows only of what
/// it wrote itself, so it ends one that reads slowly from the kernel's buffer.
final class DeadlineWatch: Sendable {
    private let table: ConnectionTable
    private let deadlines: ServerConfiguration.Deadlines
    private let stopped = Monitor(false)
    private let thread: Monitor<WorkerThread?> = Monitor(nil)

    init(_ table: ConnectionTable, _ deadlines: ServerConfiguration.Deadlines) throws(SystemError) {
        self.table = table
        self.deadlines = deadlines
        let started = try WorkerThread("http-deadlines") { [stopped, table, deadlines] in
            var progress: [Int32: Progress] = [:]
            // Coarse on purpose: the deadlines are seconds.
            while stopped.wait(atMost: 0.25, until: { $0 ? true : nil }) == nil {
                Self.cutExpired(table, deadlines, &progress)
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        stopped.withLock { $0 = true }
        thread.withLock { $0.take() }?.join()
    }

    /// What a client had acknowledged, and since when it is that.
    private struct Progress {
        let connection: ObjectIdentifier
        var acknowledged: UInt64
        var since: UInt64
    }

    private static func cutExpired(
        _ table: ConnectionTable, _ deadlines: ServerConfiguration.Deadlines, _ progress: inout [Int32: Progress]
    ) {
        let now = MonotonicTime.nanoseconds()
        table.look { connections in
            // While there are few places who holds one for nothing gives way, and the others hurry.
            let isCrowded = connections.count * 10 > table.limit * 9
            var sending: [Int32: Progress] = [:]
            for connection in connections where !connection.isExpired && connection.hasStarted {
                let (phase, began) = connection.state
                var since = began
                let seconds: Double
                switch phase {
                case .opened: seconds = isCrowded ? deadlines.crowded : deadlines.firstRequest
                case .idle: seconds = isCrowded ? deadlines.crowded : deadlines.nextRequest
                case .head: seconds = deadlines.head / (isCrowded ? 5 : 1)
                case .content: seconds = deadlines.content / (isCrowded ? 5 : 1)
                case .answering: continue
                case .sending:
                    let known = look(at: connection, progress[connection.socket], now)
                    sending[connection.socket] = known
                    since = max(began, known.since)
                    // Nothing is on its way: it is a disk that is waited for, or a file that became shorter.
                    let waitsForClient = clinux_tcp_unacknowledged(connection.socket) != 0
                    seconds = waitsForClient ? deadlines.stalledSending : deadlines.silentSource
                }
                guard now > since, Double(now - since) / 1e9 >= seconds else { continue }
                connection.cut()
            }
            progress = sending
        }
    }

    private static func look(at connection: ClientConnection, _ before: Progress?, _ now: UInt64) -> Progress {
        var acknowledged: UInt64 = 0
        clinux_tcp_acknowledged(connection.socket, &acknowledged)
        if let before, before.connection == ObjectIdentifier(connection), before.acknowledged == acknowledged {
            return before
        }
        return Progress(connection: ObjectIdentifier(connection), acknowledged: acknowledged, since: now)
    }
}
