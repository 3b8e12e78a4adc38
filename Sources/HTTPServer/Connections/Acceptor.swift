// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemIO

/// Takes connections from the kernel's queue while there are places for them; the others wait there.
final class Acceptor: Sendable {
    private let thread: WorkerThread

    /// - Parameter serve: takes a connection over, its descriptor included. `false` where it could not, and has closed it.
    init(
        _ listener: ListeningSocket, _ table: ConnectionTable, onEvent: @escaping @Sendable (HTTPServerEvent) -> Void,
        serve: @escaping @Sendable (ClientConnection, _ address: sockaddr_storage) -> Bool
    ) throws(SystemError) {
        thread = try WorkerThread("http-accept") {
            while table.waitForPlace() {
                var address = sockaddr_storage()
                switch Self.accept(listener, &address) {
                case .taken(let socket):
                    guard let connection = table.admit(socket, ClientAddress(address)) else {
                        close(socket)
                        onEvent(.refused(remoteAddress: ClientAddress(address).text))
                        continue
                    }
                    // This thread alone takes new numbers: it is nobody else's yet.
                    if !serve(connection, address) { table.closed(socket) }
                case .again: continue
                case .exhausted(let code):
                    onEvent(.note("accept: \(String(cString: strerror(code)))"))
                    // Somebody has to close something first; the connection goes on waiting.
                    usleep(100_000)
                case .ended: return
                }
            }
        }
    }

    /// After `ListeningSocket.refuse` and the beginning of the table's `drain`, which end it.
    func join() { thread.join() }

    private enum Accepted {
        case taken(Int32)
        case again
        case exhausted(Int32)
        case ended
    }

    private static func accept(_ listener: ListeningSocket, _ address: inout sockaddr_storage) -> Accepted {
        var watched = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, -1) > 0 else { return errno == EINTR ? .again : .exhausted(errno) }
        let socket = clinux_accept(listener.descriptor, &address)
        if socket >= 0 { return .taken(socket) }
        switch errno {
        // Of a socket that was shut down (`ListeningSocket.refuse`).
        case EINVAL, EBADF: return .ended
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted(errno)
        // accept(2): errors of the new connection, and a client that has left the queue.
        default: return .again
        }
    }
}
