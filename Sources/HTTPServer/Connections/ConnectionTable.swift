// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import SystemIO

/// The open connections, and the places for more. It is asked when one opens or closes, not at each request.
final class ConnectionTable: Sendable {
    private struct State {
        /// By descriptor, which is a connection's own until it is closed.
        var open: [Int32: ClientConnection] = [:]
        var ofNetwork: [[UInt8]: Int] = [:]

        mutating func remove(_ socket: Int32) {
            guard let connection = open.removeValue(forKey: socket), let network = connection.address.network,
                let count = ofNetwork[network]
            else { return }
            ofNetwork[network] = count > 1 ? count - 1 : nil
        }

        /// Who has been waited for longest, for a request or the rest of one; else who takes in slowest what it is sent, a file only where that is too slow.
        func leastUseful(of network: [UInt8], leastRate: Double) -> ClientConnection? {
            let all = open.values.filter {
                !$0.isExpired && $0.hasStarted && $0.address.network == network
            }
            let waiting = all.filter { [.opened, .idle, .head, .content].contains($0.state.phase) }
            if let idlest = waiting.min(by: { $0.state.since < $1.state.since }) { return idlest }
            let sending = all.filter { $0.state.phase == .sending && $0.rate.isFinite }
            return sending.filter { !$0.isSendingFile }.min { $0.rate < $1.rate }
                ?? sending.filter { $0.rate < leastRate }.min { $0.rate < $1.rate }
        }
    }

    /// Connections at once.
    let limit: Int
    let limitOfClient: Int
    private let leastRate: Double
    private let state = Monitor(State())
    private let draining = Atomic(false)

    /// - Parameters:
    ///   - limitOfClient: of one network as `ClientAddress` has it; none for this machine.
    ///   - leastRate: see `ServerConfiguration.Deadlines`.
    init(limit: Int, limitOfClient: Int, leastRate: Double = ServerConfiguration.Deadlines().leastRate) {
        self.limit = limit
        self.leastRate = leastRate
        self.limitOfClient = limitOfClient
    }

    var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Waits until there is a place. `false` where the server stops meanwhile.
    func waitForPlace() -> Bool {
        state.wait { state in
            if self.isDraining { return false }
            return state.open.count < self.limit ? true : nil
        }
    }

    /// Where this client has all the places that one may have, one of them gives way that is of least use: behind a proxy, as Docker's is, all
    /// clients are one.
    /// - Returns: `nil` where each of them is at work.
    func admit(_ socket: Int32, _ address: ClientAddress) -> ClientConnection? {
        state.withLock { state in
            // The kernel gives a number anew once its socket is closed: this one was closed unsaid.
            state.remove(socket)
            if let network = address.network {
                if state.ofNetwork[network, default: 0] >= limitOfClient {
                    guard let useless = state.leastUseful(of: network, leastRate: leastRate) else { return nil }
                    // Its thread closes it in a moment.
                    useless.cut()
                }
                state.ofNetwork[network, default: 0] += 1
            }
            let connection = ClientConnection(socket: socket, address: address)
            state.open[socket] = connection
            return connection
        }
    }

    func connection(_ socket: Int32) -> ClientConnection? { state.withLock { $0.open[socket] } }

    /// Must come before the socket is closed: its number may be another's afterwards.
    func closed(_ socket: Int32) { state.withLock { $0.remove(socket) } }

    /// Calls `body` with those that are open, while none of them can be closed.
    /// - Returns: what it returns.
    func look<Result>(_ body: ([ClientConnection]) -> Result) -> Result {
        state.withLock { body(Array($0.open.values)) }
    }

    /// The connection may carry another request.
    func requestEnded(_ connection: ClientConnection) {
        connection.enter(.idle)
        // `drain` sets its mark and looks at the phases then: one of the two sees the other.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isDraining else { return }
        // Reading only: the end of the response may still be in the kernel's buffer.
        state.withLock { _ in _ = shutdown(connection.socket, Int32(SHUT_RD)) }
    }

    /// Closes idle connections and waits until no request runs. `false` when the time was up first.
    func drain(seconds: Double) -> Bool {
        state.withLock { _ in draining.store(true, ordering: .sequentiallyConsistent) }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return state.wait(atMost: seconds) { state in
            var isWaiting = false
            for connection in state.open.values {
                if connection.state.phase.isRequest {
                    isWaiting = true
                } else if connection.hasStarted {
                    shutdown(connection.socket, Int32(SHUT_RDWR))
                }
            }
            return isWaiting ? nil : true
        } ?? false
    }
}
