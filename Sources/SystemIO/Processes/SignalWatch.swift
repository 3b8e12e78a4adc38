// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Calls a closure, on a thread of its own, each time the process is asked to end.
///
/// The signals are blocked in the thread that makes this, and so in every thread it starts later: make it before them.
package final class SignalWatch: Sendable {
    package enum Signal: Sendable {
        case interrupt, terminate
        /// The terminal is gone, as where a connection by ssh was lost.
        case hangUp

        var number: Int32 {
            switch self {
            case .interrupt: SIGINT
            case .terminate: SIGTERM
            case .hangUp: SIGHUP
            }
        }

        /// Whether whoever started this process does not want it to hear of it (nohup(1)). A signal that is blocked comes all the
        /// same.
        fileprivate var isUnwanted: Bool {
            var action = sigaction()
            guard self == .hangUp, sigaction(number, nil, &action) == 0 else { return false }
            // SIG_IGN is a number and no function.
            return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
        }
    }

    /// Who asked.
    package enum Sender: Sendable {
        /// Another process of this program, on somebody's behalf: `askToEnd`.
        case ours
        case other
    }

    /// What SIGTERM carries where this program sent it: an init, a shell or cron sends none.
    private static let mark: Int32 = 0x6d6c_6277

    private let events: OpenFile
    private let wake: OpenFile
    private let wakeReader: OpenFile
    private let thread: WorkerThread

    package init(_ signals: [Signal], _ body: @escaping @Sendable (Sender) -> Void) throws(SystemError) {
        // A broken pipe is an error to read from write(2), not a reason to die.
        Glibc.signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals where !signal.isUnwanted { sigaddset(&set, signal.number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let descriptor = clinux_signalfd(&set)
        if descriptor < 0 { throw SystemError("signalfd", path: "") }
        events = OpenFile(adopting: descriptor, path: "signals")
        var ends: [Int32] = [0, 0]
        try retryingInterrupts("pipe", "") { clinux_pipe(&ends) }
        wakeReader = OpenFile(adopting: ends[0], path: "wake")
        wake = OpenFile(adopting: ends[1], path: "wake")
        thread = try WorkerThread("signals") { [events, wakeReader] in Self.watch(events, wakeReader, body) }
    }

    /// Sends SIGTERM to another process of this program, so that it knows from whom.
    /// - Returns: `false` where it is gone, or another user's.
    package static func askToEnd(_ process: pid_t) -> Bool { clinux_sigqueue(process, SIGTERM, mark) == 0 }

    /// Ends the thread. The signals stay blocked.
    package func stop() {
        var byte: UInt8 = 0
        _ = wake.withDescriptor { Glibc.write($0, &byte, 1) }
        thread.join()
    }

    private static func watch(_ events: OpenFile, _ wake: OpenFile, _ body: (Sender) -> Void) {
        while true {
            var polled = [
                pollfd(fd: events.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&polled, 2, -1) < 0 { continue }
            if polled[1].revents != 0 { return }
            var value: Int32 = 0
            if clinux_next_signal(events.descriptor, &value) > 0 { body(value == mark ? .ours : .other) }
        }
    }
}
