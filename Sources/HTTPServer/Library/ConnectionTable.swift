// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The open connections: what each is waiting for and since when. A watching thread cuts those that take too long;
/// `drain` waits for the requests that run.
///
/// libmicrohttpd's own timeout starts anew with every byte, so it never ends a client that drips them.
///
/// Unchecked because the state is guarded by a POSIX mutex, which Swift cannot see; Synchronization has no
/// condition variable to go with its Mutex.
final class ConnectionTable: @unchecked Sendable {
    private enum Phase {
        /// No request line yet, since the moment given.
        case idle(since: Double)
        /// From the request line to the end of the content.
        case receiving(since: Double)
        /// The handler runs or the response is sent. MHD's idle timeout watches the sending.
        case answering
    }

    private struct Connection {
        let socket: Int32
        var phase: Phase
        var isExpired = false
    }

    private let limit: Int
    private let idleSeconds: Double
    private let receiveSeconds: Double

    private let condition = Condition()
    // Guarded by `condition`.
    private var connections: [OpaquePointer: Connection] = [:]
    private var draining = false
    private var watching = false
    private var watcher = pthread_t()

    init(limit: Int, idleSeconds: Double, receiveSeconds: Double) {
        self.limit = limit
        self.idleSeconds = idleSeconds
        self.receiveSeconds = receiveSeconds
    }

    var isDraining: Bool { condition.locked { draining } }

    func opened(_ connection: OpaquePointer, socket: Int32) {
        condition.locked {
            connections[connection] = Connection(socket: socket, phase: .idle(since: Monotonic.now()))
            if draining { shutdown(socket, Int32(SHUT_RDWR)) }
            condition.broadcast()
        }
    }

    /// Must come before the socket is closed: its number may be another's afterwards.
    func closed(_ connection: OpaquePointer) {
        condition.locked {
            connections[connection] = nil
            condition.broadcast()
        }
    }

    func receiving(_ connection: OpaquePointer) {
        condition.locked { connections[connection]?.phase = .receiving(since: Monotonic.now()) }
    }

    func answering(_ connection: OpaquePointer) {
        condition.locked { connections[connection]?.phase = .answering }
    }

    /// The connection may carry another request. Returns whether the watcher had cut it.
    func requestEnded(_ connection: OpaquePointer) -> Bool {
        condition.locked {
            connections[connection]?.phase = .idle(since: Monotonic.now())
            if draining, let socket = connections[connection]?.socket {
                // Reading only: the end of the response may still be in the kernel's buffer.
                shutdown(socket, Int32(SHUT_RD))
            }
            condition.broadcast()
            return connections[connection]?.isExpired ?? false
        }
    }

    /// Closes idle connections and waits until no request runs. `false` when the time was up first.
    func drain(seconds: Double) -> Bool {
        let deadline = Monotonic.now() + seconds
        return condition.locked {
            draining = true
            for connection in connections.values {
                if case .idle = connection.phase { shutdown(connection.socket, Int32(SHUT_RDWR)) }
            }
            while hasRequests {
                guard Monotonic.now() < deadline else { return false }
                condition.wait(until: deadline)
            }
            return true
        }
    }

    private var hasRequests: Bool {
        connections.values.contains { if case .idle = $0.phase { false } else { true } }
    }
}

// MARK: - The watching thread

extension ConnectionTable {
    /// Starts the thread. `false` when the system has none left.
    func startWatching() -> Bool {
        condition.locked {
            var attributes = pthread_attr_t()
            guard pthread_attr_init(&attributes) == 0 else { return false }
            defer { pthread_attr_destroy(&attributes) }
            pthread_attr_setstacksize(&attributes, 256 << 10)
            let reference = Unmanaged.passRetained(self)
            let code = pthread_create(
                &watcher, &attributes,
                { context in
                    guard let context else { return nil }
                    Unmanaged<ConnectionTable>.fromOpaque(context).takeRetainedValue().watch()
                    return nil
                }, reference.toOpaque())
            guard code == 0 else {
                reference.release()
                return false
            }
            watching = true
            return true
        }
    }

    func stopWatching() {
        let thread = condition.locked { () -> pthread_t? in
            guard watching else { return nil }
            watching = false
            condition.broadcast()
            return watcher
        }
        if let thread { pthread_join(thread, nil) }
    }

    private func watch() {
        condition.locked {
            while watching {
                cutExpired()
                // Coarse on purpose: the deadlines are tens of seconds.
                if connections.isEmpty { condition.wait() } else { condition.wait(until: Monotonic.now() + 0.25) }
            }
        }
    }

    private func cutExpired() {
        let now = Monotonic.now()
        // With no place left, a client that holds one for its next request gives way to those that wait.
        let idle = connections.count >= limit ? min(idleSeconds, 1) : idleSeconds
        for (key, connection) in connections where !connection.isExpired {
            let deadline: Double
            switch connection.phase {
            case .idle(let since): deadline = since + idle
            case .receiving(let since): deadline = since + receiveSeconds
            case .answering: continue
            }
            guard now >= deadline else { continue }
            connections[key]?.isExpired = true
            shutdown(connection.socket, Int32(SHUT_RDWR))
        }
    }
}
