// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Reads and drops what a client still sends after its answer went out (RFC 9112 §9.6).
///
/// Closing a socket with unread data resets the connection, and the reset can overtake the answer: a client that
/// uploads without asking first would see a broken pipe instead of 413.
enum LingeringClose {
    /// At most 2 s in all.
    static func drain(_ socket: Int32, limit: Int) {
        guard socket >= 0 else { return }
        shutdown(socket, Int32(SHUT_WR))
        let start = MonotonicTime.nanoseconds()
        var left = limit
        while left > 0 {
            let milliseconds = Int32((2 - MonotonicTime.seconds(since: start)) * 1000)
            var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard milliseconds > 0, poll(&watched, 1, milliseconds) > 0 else { return }
            // Dropped where it lies (tcp(7), MSG_TRUNC): a buffer would be a page more of each connection's stack.
            let count = recv(socket, nil, min(left, 64 << 10), Int32(MSG_DONTWAIT | MSG_TRUNC))
            guard count > 0 else { return }
            left -= count
        }
    }
}
