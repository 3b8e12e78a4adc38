// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemIO

/// Cuts the connections that take too long, from a thread of its own.
///
/// libmicrohttpd's timeout starts anew with every byte, so it never ends a client that drips them, and knows only of what
/// it wrote itself, so it ends one that reads slowly from the kernel's buffer.
final class DeadlineWatch: Sendable {
    // Coarse on purpose: the deadlines are seconds.
    private let work = RepeatedWork("http-deadlines", every: 0.25)

    init(_ table: ConnectionTable, _ files: FilePlaces, _ deadlines: ServerConfiguration.Deadlines) throws(SystemError)
    {
        let paces = Monitor<[Int32: SendingPace]>([:])
        let crowd = Monitor(0)
        try work.start {
            let wantsFilePlace = files.isWanted
            paces.withLock { paces in
                table.look { connections in
                    let all = connections.filter { !$0.isExpired && $0.hasStarted }
                    Self.cutExpired(all, Crowd(all, table), deadlines, wantsFilePlace: wantsFilePlace, &paces)
                    Self.giveBackMemory(of: crowd, connections.count)
                    if connections.count >= table.limit { Self.cutSlowest(all, atMost: table.limit / 32 + 1) }
                }
            }
        }
    }

    func stop() { work.stop() }

    /// What many connections needed is nobody's when they have gone.
    /// - Parameter most: connections at once since that was done last.
    private static func giveBackMemory(of most: Monitor<Int>, _ count: Int) {
        let isOver = most.withLock { most in
            most = max(most, count)
            guard most >= 64, count < 8 else { return false }
            most = 0
            return true
        }
        if isOver { Heap.giveBackFreePages() }
    }

    private static func cutExpired(
        _ connections: [ClientConnection], _ crowd: Crowd, _ deadlines: ServerConfiguration.Deadlines,
        wantsFilePlace: Bool, _ paces: inout [Int32: SendingPace]
    ) {
        let now = MonotonicTime.nanoseconds()
        var sending: [Int32: SendingPace] = [:]
        for connection in connections {
            // While there are few places who holds one for nothing gives way, and the others hurry.
            let isCrowded = crowd.holds(connection)
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
                // Of several answers, too, that were asked for at once: none is seen between them.
                let pace = look(at: connection, paces[connection.socket], now)
                sending[connection.socket] = pace
                since = max(began, pace.unchangedSince)
                // Nothing is on its way: it is a disk that is waited for.
                let waitsForClient = clinux_tcp_unacknowledged(connection.socket) != 0
                seconds = waitsForClient ? deadlines.stalledSending : deadlines.silentSource
                connection.rate = waitsForClient ? pace.rate(at: now) : .infinity
                if connection.rate < deadlines.leastRate, isCrowded || wantsFilePlace && connection.isSendingFile {
                    connection.cut()
                    continue
                }
            }
            guard now > since, Double(now - since) / 1e9 >= seconds else { continue }
            connection.cut()
        }
        paces = sending
    }

    /// All places are taken, and nobody was too slow: of the answers that are sent from memory, which can be asked for again, the slowest of
    /// whose address has most.
    private static func cutSlowest(_ connections: [ClientConnection], atMost count: Int) {
        let open = connections.filter { !$0.isExpired }
        guard open.count == connections.count else { return }
        let ofNetwork = Dictionary(grouping: open, by: \.address.network).mapValues(\.count)
        func rank(_ connection: ClientConnection) -> (Int, Double) {
            (-ofNetwork[connection.address.network, default: 0], connection.rate)
        }
        let fromMemory = open.filter { $0.state.phase == .sending && !$0.isSendingFile && $0.rate.isFinite }
        for connection in fromMemory.sorted(by: { rank($0) < rank($1) }).prefix(count) { connection.cut() }
    }

    private static func look(at connection: ClientConnection, _ before: SendingPace?, _ now: UInt64) -> SendingPace {
        var acknowledged: UInt64 = 0
        clinux_tcp_acknowledged(connection.socket, &acknowledged)
        guard var pace = before, pace.isOf(connection) else {
            return SendingPace(of: connection, acknowledged: acknowledged, at: now)
        }
        pace.note(acknowledged, at: now)
        return pace
    }
}

/// Where more than nine of ten places are taken: in all, or of those that one client may have.
private struct Crowd {
    private let isEverywhere: Bool
    private let networks: Set<[UInt8]>

    init(_ connections: [ClientConnection], _ table: ConnectionTable) {
        isEverywhere = connections.count * 10 > table.limit * 9
        let most = table.limitOfClient * 9
        guard !isEverywhere, connections.count * 10 > most else {
            networks = []
            return
        }
        let counts = Dictionary(grouping: connections.compactMap(\.address.network), by: \.self).mapValues(\.count)
        networks = Set(counts.filter { $0.value * 10 > most }.keys)
    }

    func holds(_ connection: ClientConnection) -> Bool {
        isEverywhere || connection.address.network.map(networks.contains) == true
    }
}
