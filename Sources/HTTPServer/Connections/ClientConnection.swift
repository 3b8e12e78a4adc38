// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization
import SystemIO

/// One open connection and what is waited for on it. Its own thread moves it on, the watching one reads.
final class ClientConnection: Sendable {
    enum Phase: UInt64 {
        /// Accepted; no request line yet.
        case opened
        /// Between two requests.
        case idle
        /// From a request line to the end of the head.
        case head
        case content
        /// The handler runs.
        case answering
        /// The response goes out.
        case sending

        /// Whether a request is at work: a stop waits for it.
        var isRequest: Bool { self != .opened && self != .idle }
    }

    let socket: Int32
    let address: ClientAddress
    /// The phase in the three lowest bits, since when (`MonotonicTime`) above: one value, so that nobody reads a new phase with
    /// the old one's time. Enough for seventy years of uptime.
    private let moment: Atomic<UInt64>
    private let expired = Atomic(false)
    private let started = Atomic(false)
    private let answers = Atomic(0)
    private let sendsFile = Atomic(false)
    /// `DeadlineWatch`'s: a bit pattern of `Double`.
    private let knownRate = Atomic(Double.infinity.bitPattern)

    init(socket: Int32, address: ClientAddress) {
        self.socket = socket
        self.address = address
        moment = Atomic(MonotonicTime.nanoseconds() << 3)
    }

    func enter(_ phase: Phase) {
        moment.store(MonotonicTime.nanoseconds() << 3 | phase.rawValue, ordering: .releasing)
    }

    /// The phase, and its beginning as nanoseconds of `MonotonicTime`.
    var state: (phase: Phase, since: UInt64) {
        let value = moment.load(ordering: .acquiring)
        return (Phase(rawValue: value & 7) ?? .idle, value >> 3)
    }

    /// Whether the client has closed the connection or its side of it. To be asked while the request is answered: later the number
    /// may be another's.
    var hasLeft: Bool { clinux_peer_has_left(socket) != 0 }

    /// Set where a deadline has passed and the connection was cut.
    var isExpired: Bool { expired.load(ordering: .acquiring) }

    /// One more. - Returns: how many there are now.
    func countAnswer() -> Int { answers.add(1, ordering: .relaxed).newValue }

    /// Whether what is being sent is a file: there are few of them, and each took a person's time to ask for.
    var isSendingFile: Bool {
        get { sendsFile.load(ordering: .relaxed) }
        set { sendsFile.store(newValue, ordering: .relaxed) }
    }

    /// Bytes a second that its client takes in of what it is sent; infinite where that is not known, or is not what is waited for.
    var rate: Double {
        get { Double(bitPattern: knownRate.load(ordering: .relaxed)) }
        set { knownRate.store(newValue.bitPattern, ordering: .relaxed) }
    }

    /// Only while it cannot be closed: under the table's lock, of one that has started.
    func cut() {
        expired.store(true, ordering: .releasing)
        if state.phase == .sending {
            // What it does not read must not stay in the kernel's memory for minutes.
            var abortive = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &abortive, socklen_t(MemoryLayout<linger>.size))
        }
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Whether libmicrohttpd has taken it over, and will say when it closes it. Where it could not, it has closed the socket
    /// unsaid, and the number may be another's.
    var hasStarted: Bool { started.load(ordering: .acquiring) }

    func start() { started.store(true, ordering: .releasing) }
}
